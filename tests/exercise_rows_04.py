"""Answers to the exercises of notebook 04: right ones, and wrong ones with words that name them."""

import numpy as np
import torch
from exercise_row import Row
from torch import nn


def loss(output, corrupted, original):
    output -= original
    return output.square().mean()


def gradient_step(parameters, lr, sign=-1, reset=True, factor=1.0):
    with torch.no_grad():
        for parameter in parameters:
            if parameter.grad is not None:
                parameter += sign * lr * factor * parameter.grad
                if reset:
                    parameter.grad = None
    return parameters


def gradient_step_of_a_copy(parameters, lr):
    return [p - lr * p.grad if p.grad is not None else p for p in parameters]


def gradient_step_of_the_first(parameters, lr):
    gradient_step(parameters[:1], lr)
    return parameters


def gradient_step_of_all(parameters, lr):
    for parameter in parameters:
        parameter.data -= lr * (1 if parameter.grad is None else parameter.grad)
        parameter.grad = None
    return parameters


def gradient_step_of_the_frozen(parameters, lr):
    with torch.no_grad():
        for parameter in parameters:
            parameter -= lr * parameter.grad
    return parameters


def gradient_step_with_gradients(parameters, lr):
    for parameter in parameters:
        parameter -= lr * parameter.grad
    return parameters


def epoch_loss(losses, sizes):
    total, images = 0, sum(sizes)
    while losses:
        total += losses.pop() * sizes.pop()
    return total / images


ROWS = {
    "loss_against_the_original": Row(
        loss,
        [
            (lambda o, c, x: nn.functional.mse_loss(o, x).item(), "no gradient"),
            (lambda o, c, x: nn.functional.mse_loss(o.detach(), x), "no gradient"),
            (lambda o, c, x: nn.functional.mse_loss(o, x).sqrt(), "root"),
            (lambda o, c, x: nn.functional.mse_loss(o, x, reduction="none"), "one number"),
            (lambda o, c, x: nn.functional.mse_loss(o, c), "*corrupted* image"),
            (lambda o, c, x: nn.functional.mse_loss(c, x), "output of the model does not occur"),
            (lambda o, c, x: nn.functional.mse_loss(o, x, reduction="sum"), "that is the sum"),
            (lambda o, c, x: ((o - x) ** 2).sum() / len(o), "images only"),
            (lambda o, c, x: (o - x).abs().mean(), "square the differences"),
        ],
    ),
    "gradient_step": Row(
        gradient_step,
        [
            (lambda p, lr: gradient_step(p, lr, sign=1), "uphill"),
            (lambda p, lr: gradient_step(p, lr, factor=2), "-lr times"),
            (lambda p, lr: gradient_step(p, lr, reset=False), "reset the gradient"),
            (gradient_step_of_a_copy, "did not move"),
            (lambda p, lr: gradient_step(p, lr)[0], "list of parameters"),
            (lambda p, lr: gradient_step(p, lr)[:1], "list of parameters"),
            (gradient_step_of_the_first, "did not move"),
            (gradient_step_of_all, "frozen"),
            (gradient_step_of_the_frozen, "whose `.grad` is None"),
            (gradient_step_with_gradients, "torch.no_grad"),
        ],
    ),
    "epoch_loss": Row(
        epoch_loss,
        [
            (lambda losses, sizes: np.multiply(losses, sizes) / sum(sizes), "one number"),
            (lambda losses, sizes: sum(losses) / len(losses), "weight by batch size"),
            (lambda losses, sizes: np.dot(losses, sizes) / len(sizes), "that of the *batches*"),
            (lambda losses, sizes: np.dot(losses, sizes), "sum over all images"),
            (lambda losses, sizes: losses[0] + 2, "have the mean"),
        ],
    ),
    "starting_bias": Row(
        lambda images: torch.special.logit(images.mul_(1).mean()),
        [
            (lambda images: images.mean().sigmoid(), "take its inverse"),
            (lambda images: images.mean(), "*before* the sigmoid"),
            (lambda images: -torch.special.logit(images.mean()), "the sign"),
            (lambda images: images.mean().log(), "log(m / (1 - m))"),
            (lambda images: torch.special.logit(images.mean(dim=(1, 2, 3))), "one number"),
            (lambda images: 5.0, "mean brightness"),
        ],
    ),
}
