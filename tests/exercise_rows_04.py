"""Answers to the exercises of notebook 04: right ones, and wrong ones with words that name them."""

import math

import torch
from exercise_row import Row
from torch import nn


def momentum_step(weights, gradient, velocity, lr, keep):
    velocity *= keep
    velocity += gradient
    weights -= lr * velocity
    return weights, velocity


def momentum_by_torch(weights, gradient, velocity, lr, keep):
    parameter = nn.Parameter(weights)
    optimizer = torch.optim.SGD([parameter], lr=lr, momentum=keep)
    optimizer.state[parameter]["momentum_buffer"] = velocity
    parameter.grad = gradient
    optimizer.step()
    return [parameter.detach(), optimizer.state[parameter]["momentum_buffer"]]


def weighted(w, g, v, lr, keep):
    v = keep * v + (1 - keep) * g
    return w - lr * v, v


def died_at(logits):
    last = max((i for i, z in enumerate(logits) if abs(z) <= 20), default=-1)
    return last + 1 if last + 1 < len(logits) else -1


def died_at_backwards(logits):
    step = len(logits)
    while step and abs(logits[step - 1]) > 20:
        logits.pop()
        step -= 1
        dead = True
    return torch.tensor(step if "dead" in locals() else -1)


def died_black_only(logits):
    return died_at([min(z, 0) for z in logits])


def first_beyond(logits):
    return next((i for i, z in enumerate(logits) if abs(z) > 20), -1)


def always_dead(logits):
    return max((i for i, z in enumerate(logits) if abs(z) <= 20), default=-1) + 1


def one_late(logits):
    return died_at(logits) + 1 if died_at(logits) > 0 else died_at(logits)


def second_picture(originals, inputs, var):
    return originals.add_(math.sqrt(var) * torch.randn(originals.shape))


def second_picture_uniform(originals, inputs, var):
    return originals + (torch.rand_like(originals) - 0.5) * math.sqrt(12 * var)


def clamped(originals, inputs, var):
    return second_picture(originals, inputs, var).clamp(0, 1)


def bce(logits, original):
    return nn.functional.binary_cross_entropy_with_logits(logits, original)


def bce_by_hand(logits, original):
    return (logits.clamp(min=0) - logits * original + torch.log1p((-logits.abs()).exp())).mean()


def bce_behind_a_sigmoid(logits, original):
    return nn.functional.binary_cross_entropy(logits.sigmoid(), original)


ROWS = {
    "momentum_step": Row(
        momentum_step,
        [
            (lambda w, g, v, lr, k: (w - lr * g, g), "plain step"),
            (weighted, "(1 - keep)"),
            (lambda w, g, v, lr, k: (w + lr * (k * v + g), k * v + g), "uphill"),
            (lambda w, g, v, lr, k: (w - lr * v, k * v + g), "*old* velocity"),
            (lambda w, g, v, lr, k: (w - lr * (k * v + g), v), "*new* velocity too"),
            (lambda w, g, v, lr, k: (w - lr * (v + g), v + g), "fades"),
            (lambda w, g, v, lr, k: w - lr * (k * v + g), "two values"),
            (
                lambda w, g, v, lr, k: (w - k * (lr * v + g), lr * v + g),
                "keep * velocity + gradient",
            ),
        ],
        also=(momentum_by_torch,),
    ),
    "died_at": Row(
        died_at,
        [
            (died_black_only, "*white*"),
            (first_beyond, "*stay*"),
            (always_dead, "stay near 0"),
            (one_late, "one step off"),
            (lambda logits: None if died_at(logits) < 0 else died_at(logits), "`return` missing"),
            (lambda logits: died_at(logits) >= 0, "return a number"),
            (lambda logits: min(died_at(logits), 3), "it should be"),
        ],
        also=(died_at_backwards,),
    ),
    "second_picture": Row(
        second_picture,
        [
            (lambda x, y, var: y, "*same* noisy picture"),
            (lambda x, y, var: x, "that is the original"),
            (clamped, "clamped"),
            (lambda x, y, var: x + var * torch.randn_like(x), "standard deviation"),
            (lambda x, y, var: 2 * x - y - 1e-3, "noise of the target depends"),
            (lambda x, y, var: x + math.sqrt(var) * torch.rand_like(x), "another mean"),
            (lambda x, y, var: x[0] + torch.randn_like(x[0]), "the shape"),
            (lambda x, y, var: x + torch.randn_like(x), "noise should have variance"),
        ],
        also=(second_picture_uniform,),
    ),
    "loss_that_is_heard": Row(
        bce,
        [
            (lambda z, x: (z.sigmoid() - x).square().mean(), "squared error behind a sigmoid"),
            (lambda z, x: (z - x).square().mean(), "compares the logits"),
            (bce_behind_a_sigmoid, "gradient is lost"),
            (lambda z, x: len(z) * 64 * bce(z, x), "that is the sum"),
            (lambda z, x: bce(z.sigmoid(), x), "takes the sigmoid itself"),
            (lambda z, x: bce(z, x).item(), "no gradient"),
            (lambda z, x: (z.sigmoid() - x).abs().mean(), "(p - original) / N"),
        ],
        also=(bce_by_hand,),
    ),
}
