"""Answers to the exercises of notebook 05: right ones, and wrong ones with words that name them."""

import math

import torch
from exercise_row import Row
from scipy import stats
from torch import nn

from dae_helpers import psnr


def gain(denoised, corrupted, original):
    return (psnr(denoised, original) - psnr(corrupted, original)).mean()


def gain_in_place(denoised, corrupted, original):
    denoised -= original
    corrupted -= original
    errors = [x.square_().mean(dim=(1, 2, 3)) for x in (corrupted, denoised)]
    return 10 * (errors[0] / errors[1]).log10_().mean()


def pooled_gain(denoised, corrupted, original):
    errors = [nn.functional.mse_loss(x, original) for x in (corrupted, denoised)]
    return 10 * math.log10(errors[0] / errors[1])


def standard_error(values):
    return float(stats.sem(values.double().numpy()))


def box_filter(images):
    return nn.functional.avg_pool2d(images, 3, stride=1, padding=1)


def box_filter_with(images, kernel):
    return nn.functional.conv2d(images, kernel, padding=1)


def box_filter_reflecting(images):
    return nn.functional.avg_pool2d(nn.functional.pad(images, (1,) * 4, "reflect"), 3, stride=1)


def box_filter_without_rim(images):
    return nn.functional.pad(nn.functional.avg_pool2d(images, 3, stride=1), (1,) * 4)


def best_weight(denoised, corrupted, original, choose=torch.argmin):
    weights = torch.linspace(0, 1, 201)
    errors = [((w * denoised + (1 - w) * corrupted - original) ** 2).mean() for w in weights]
    return weights[choose(torch.stack(errors))]


def best_weight_in_place(denoised, corrupted, original):
    denoised -= corrupted
    original -= corrupted
    return (denoised * original).sum() / denoised.square_().sum()


def best_weights(*images):
    return torch.stack([best_weight(*each) for each in zip(*images, strict=True)])


ROWS = {
    "decibels_gained": Row(
        gain_in_place,
        [
            (lambda d, c, o: psnr(d, o) - psnr(c, o), "over the images"),
            (lambda d, c, o: gain(c, d, o), "the sign"),
            (pooled_gain, "PSNR of the mean MSE"),
            (lambda d, c, o: psnr(d, o).mean(), "subtract the PSNR"),
            (lambda d, c, o: psnr(d, c).mean(), "averaged"),
        ],
    ),
    "half_width": Row(
        lambda values: 1.96 * standard_error(values.sub_(values.mean())),
        [
            (
                lambda values: stats.norm.interval(0.95, 0, standard_error(values)),
                "not one for each",
            ),
            (lambda values: values.std(), "how far *images* spread"),
            (lambda values: 1.96 * values.std(), "for single images"),
            (standard_error, "standard error"),
            (lambda values: 2 * 1.96 * standard_error(values), "whole width"),
            (lambda values: 1.96 * values.std() / len(values), "root of the number"),
        ],
    ),
    "box_filter": Row(
        lambda images: images.copy_(box_filter(images)),
        [
            (lambda images: box_filter_with(images, torch.ones(3, 3) / 9), "(1, 1, 3, 3)"),
            (lambda images: box_filter_with(images, torch.ones(1, 3, 3) / 9), "(1, 1, 3, 3)"),
            (box_filter_reflecting, "the rim"),
            (box_filter_without_rim, "the rim"),
            (
                lambda images: nn.functional.avg_pool2d(images, 3, 1, 1, count_include_pad=False),
                "the rim",
            ),
            (lambda images: nn.functional.avg_pool2d(images, 3, stride=1), "has shrunk"),
            (lambda images: nn.functional.avg_pool2d(images, 3), "shape should stay"),
            (lambda images: 9 * box_filter(images), "divide by 9"),
            (lambda images: images, "mean of the 3x3"),
        ],
    ),
    "best_weight": Row(
        best_weight_in_place,
        [
            (lambda d, c, o: 1 - best_weight(d, c, o), "weight of the *corrupted*"),
            (lambda *images: best_weight(*images, choose=torch.argmax), "the lowest"),
            (best_weights, "all images together"),
            (lambda *images: best_weights(*images).mean(), "for each image"),
            (lambda *images: best_weight(*images) + 0.3, "try many"),
        ],
    ),
}
