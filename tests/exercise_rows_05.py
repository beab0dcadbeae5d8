"""Answers to the exercises of notebook 05: right ones, and wrong ones with words that name them."""

import torch
from exercise_row import Row
from scipy import stats
from torch import nn

from dae_helpers import psnr
from dae_helpers.evaluation import mean_ci


def difference(first, second, original):
    return psnr(first, original) - psnr(second, original)


def paired(first, second, original, factor=1.96, power=0.5, sign=1):
    gap = difference(first, second, original)
    return sign * gap.mean(), factor * gap.std() / len(gap) ** power


def paired_in_place(first, second, original):
    for x in (first, second):
        x -= original
    errors = [x.square_().mean(dim=(1, 2, 3)) for x in (first, second)]
    gap = (10 * (errors[1] / errors[0]).log10_()).numpy()
    return float(gap.mean()), 1.96 * float(stats.sem(gap))


def unpaired(first, second, original, add=lambda a, b: (a**2 + b**2) ** 0.5):
    (a, width_a), (b, width_b) = (mean_ci(psnr(x, original)) for x in (first, second))
    return a - b, add(width_a, width_b)


def pooled(first, second, original):
    errors = [nn.functional.mse_loss(x, original) for x in (first, second)]
    return 10 * torch.log10(errors[1] / errors[0]), paired(first, second, original)[1]


def spread(first, second, original, factor):
    gap = difference(first, second, original)
    return gap.mean(), factor * gap.std()


def two_layers(channels, kernel=5, padding=None, last=nn.Sigmoid):
    padding = kernel // 2 if padding is None else padding
    return nn.Sequential(
        nn.Conv2d(1, channels, kernel, padding=padding),
        nn.ReLU(),
        nn.Conv2d(channels, 1, kernel, padding=padding),
        last(),
    )


def one_layer(most):
    return nn.Sequential(nn.Conv2d(1, 1, 9, padding=4), nn.Sigmoid())


class Small(nn.Module):
    def __init__(self, most):
        super().__init__()
        sizes = [1, 3, 3, 3, 1]
        self.layers = nn.ModuleList(
            nn.Conv2d(a, b, 3, padding=1) for a, b in zip(sizes, sizes[1:], strict=False)
        )

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = nn.functional.leaky_relu(layer(x))
        return 1 / (1 + self.layers[-1](x).neg().exp())


PLACES = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]


def over_shifts(method, images, places=PLACES, back=-1):
    views = [
        method(images.roll((d, r), (2, 3))).roll((back * d, back * r), (2, 3)) for d, r in places
    ]
    return torch.stack(views).mean(dim=0)


def over_shifts_one_by_one(method, images):
    total = 0
    for down in range(3):
        for right in range(3):
            moved = torch.roll(torch.roll(images, down - 1, 2), right - 1, 3)
            total = total + torch.roll(torch.roll(method(moved), 1 - down, 2), 1 - right, 3) / 9
    return total.numpy()


def dots(page, lit):
    for place in range(lit):
        page[0, 2 + 3 * (place // 8), 2 + 3 * (place % 8)] = 1
    return page


def scattered(page, lit):
    places = [(y, x) for y in range(1, 27, 2) for x in range(1 + y % 4 // 2 * 2, 27, 4)]
    new = torch.zeros_like(page)
    for y, x in places[:lit]:
        new[:, y, x] = 1.0
    return new.numpy()


def filled(value=1.0, rows=slice(13, 15), columns=slice(4, 24)):
    def answer(page, lit):
        page[:, rows, columns] = value
        return page

    return answer


ROWS = {
    "paired_interval": Row(
        paired_in_place,
        [
            (unpaired, "two *unpaired* sets"),
            (lambda *x: unpaired(*x, add=lambda a, b: a + b), "differences, divided by"),
            (lambda *x: paired(*x, sign=-1), "the sign"),
            (pooled, "mean MSE"),
            (lambda *x: paired(*x)[0], "return two numbers"),
            (lambda *x: paired(*x, factor=1), "standard error"),
            (lambda *x: paired(*x, factor=3.92), "whole width"),
            (lambda *x: spread(*x, 1.96), "for single images"),
            (lambda *x: spread(*x, 1), "divided by the root"),
            (lambda *x: paired(*x, power=1), "divide by the *root*"),
            (lambda f, s, o: (psnr(f, o).mean(), 0.1), "minus that of `second`"),
            (lambda *x: (difference(*x), 0.1), "two single numbers"),
        ],
        also=(paired, lambda *x: list(mean_ci(difference(*x)))),
    ),
    "network_on_a_budget": Row(
        lambda most: two_layers((most - 1) // 51),
        [
            (lambda most: two_layers(16), "817 parameters, at most"),
            (lambda most: two_layers(5, kernel=3), "sees only 5x5"),
            (lambda most: two_layers(5, padding=0), "padding?"),
            (lambda most: two_layers(5, last=nn.Identity), "between 0 and 1"),
            (lambda most: two_layers(5, last=nn.ReLU), "between 0 and 1"),
            (lambda most: list(two_layers(5)), "an nn.Module"),
            (lambda most: two_layers, "an nn.Module"),
        ],
        also=(one_layer, Small),
    ),
    "nine_views": Row(
        over_shifts,
        [
            (lambda *x: over_shifts(*x, back=0), "shift each result *back*"),
            (lambda *x: over_shifts(*x, back=1), "further, not back"),
            (lambda *x: 9 * over_shifts(*x), "divide by 9"),
            (lambda *x: over_shifts(*x, [p for p in PLACES if p != (0, 0)]), "eight shifts"),
            (lambda *x: over_shifts(*x, [p for p in PLACES if 0 in p]), "five shifts"),
            (lambda method, images: method(images), "the mean of nine"),
            (lambda *x: over_shifts(*x).mean(dim=0), "average the nine"),
        ],
        also=(over_shifts_one_by_one,),
    ),
    "fool_ours": Row(
        dots,
        [
            (filled(), "keep away from strokes"),
            (filled(rows=slice(8, 15), columns=slice(8, 15)), "keep away from strokes"),
            (filled(0.5), "black or white"),
            (filled(rows=slice(0, 28)), "at most"),
            (lambda page, lit: page, "still black"),
            (lambda page, lit: dots(page, lit)[0], "the page is"),
            (lambda page, lit: dots(page, 8), "`ours` changes it by"),
        ],
        also=(scattered,),
    ),
}
