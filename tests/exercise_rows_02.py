"""Answers to the exercises of notebook 02: right ones, and wrong ones with words that name them."""

import math

import numpy as np
import torch
from exercise_row import Row
from scipy import stats


def decibels(errors):
    return errors.log10_().mul_(-10)


def dead_rows(images, fraction, generator, shape=None, alive=False, on=None):
    n, _, height, _ = images.shape
    draw = torch.rand(shape or (n, 1, height, 1), generator=generator if on is None else on)
    dead = draw >= fraction if alive else draw < fraction
    return torch.where(dead, torch.zeros_like(images), images)


def dead_rows_always_the_same(images, fraction, generator):
    return dead_rows(images, fraction, generator, on=torch.Generator().manual_seed(7))


def dead_rows_by_number(images, fraction, generator):
    n, _, height, _ = images.shape
    order = torch.rand((n, 1, height, 1), generator=generator).argsort(dim=2)
    return images * (order >= round(fraction * height))


def dead_rows_in_place(images, fraction, generator):
    images *= torch.rand((len(images), 1, images.shape[2], 1), generator=generator) >= fraction
    return images


def clamped_mean(grey, var):
    x = np.linspace(-6, 7, 20_001)
    density = stats.norm(grey, math.sqrt(var)).pdf(x)
    return float((np.clip(x, 0, 1) * density).sum() * (x[1] - x[0]))


def clamped_mean_without_white(grey, var):
    return clamped_mean(grey, var) - stats.norm(grey, math.sqrt(var)).sf(1)


ROWS = {
    "standard_deviation": Row(
        math.sqrt,
        [
            (lambda var: var, "variance itself"),
            (lambda var: var**2, "the other way round"),
            (lambda var: var / 2, "it should be"),
        ],
    ),
    "psnr_from_mse": Row(
        decibels,
        [
            (lambda mse: -10 * math.log10(mse), "torch.log10"),
            (lambda mse: -10 * torch.log10(mse).mean(), "one PSNR for each error"),
            (lambda mse: 10 * torch.log10(mse), "sign"),
            (lambda mse: -10 * torch.log(mse), "natural logarithm"),
            (lambda mse: -20 * torch.log10(mse), "20 goes with"),
            (lambda mse: -torch.log10(mse), "bels"),
            (lambda mse: 1 / mse, "-10 * log10(mse)"),
        ],
    ),
    "dead_rows": Row(
        dead_rows,
        [
            (dead_rows_in_place, "work on a copy"),
            (lambda x, f, g: dead_rows(x, f, g)[:, :, :-1], "the shape should stay"),
            (lambda x, f, g: dead_rows(x, f, g, shape=x.shape), "one number a row"),
            (lambda x, f, g: dead_rows(x, f, g, shape=(x.shape[2], 1)), "same rows"),
            (lambda x, f, g: dead_rows(x, f, g, alive=True), "the living ones"),
            (lambda x, f, g: dead_rows(x, f / 2, g), "it should be about"),
            (lambda x, f, g: dead_rows(x, f, g, on=torch.default_generator), "the generator"),
            (dead_rows_always_the_same, "the generator"),
            (dead_rows_by_number, "a probability"),
        ],
    ),
    "clamped_mean": Row(
        clamped_mean,
        [
            (lambda grey, var: grey, "*without* clamping"),
            (clamped_mean_without_white, "clamped to 1"),
            (lambda grey, var: clamped_mean(grey, var**2), "the standard deviation"),
            (lambda grey, var: math.sqrt(var / (2 * math.pi)), "it should be"),
        ],
    ),
}
