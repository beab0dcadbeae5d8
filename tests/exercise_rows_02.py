"""Answers to the exercises of notebook 02: right ones, and wrong ones with words that name them."""

import math

import numpy as np
import torch
from exercise_row import Row
from scipy import stats

from dae_helpers import gaussian_noise, psnr


def clamped_mean(grey, var):
    x = np.linspace(-6, 7, 20_001)
    density = stats.norm(grey, math.sqrt(var)).pdf(x)
    return float((np.clip(x, 0, 1) * density).sum() * (x[1] - x[0]))


def clamped_mean_without_white(grey, var):
    return clamped_mean(grey, var) - stats.norm(grey, math.sqrt(var)).sf(1)


def clamped_mean_by_integral(grey, var):
    """The mean of what lies in [0, 1] is the integral of the chance to lie above t."""
    t = (torch.arange(2000) + 0.5) / 2000
    return torch.special.ndtr((grey - t) / math.sqrt(var)).mean()


def coin(images, generator):
    return torch.bernoulli(images, generator=generator)


def within_reach(images, generator):
    reach = torch.minimum(images, 1 - images)
    return images.add_((2 * torch.rand(images.shape, generator=generator) - 1) * reach)


def darker(images, generator):
    return (gaussian_noise(images, generator=generator) - 0.126).clamp(0, 1)


def squared_coin(images, generator):
    return torch.bernoulli(images**2, generator=generator)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def pair_by_arithmetic(images, index, visit, seed):
    key = (seed * 1000 + visit) * len(images) + index
    return [gaussian_noise(images[index], generator=seeded(key)), images[index]]


def pair_with(key):
    def answer(images, index, visit, seed):
        original = images[index]
        return gaussian_noise(original, generator=seeded(key(index, visit, seed))), original

    return answer


def squares(image, size):
    for top in range(image.shape[1] - size + 1):
        for left in range(image.shape[2] - size + 1):
            hidden = image.clone()
            hidden[:, top : top + size, left : left + size] = 0
            yield hidden


def fooling(image, label, size, read):
    return [x for x in squares(image, size) if read(x.unsqueeze(0)).item() != label]


def cheapest(image, label, size, read):
    return max(fooling(image, label, size, read), key=lambda x: psnr(x[None], image[None]).item())


def cheapest_at_once(image, label, size, read):
    tried = torch.stack(list(squares(image, size)))
    cost = (tried - image).square().sum(dim=(1, 2, 3))
    cost[read(tried) == label] = math.inf
    return tried[cost.argmin()]


def cheapest_that_does_not_fool(image, label, size, read):
    return min(squares(image, size), key=lambda x: (x - image).square().sum().item())


def dearest(image, label, size, read):
    return min(squares(image, size), key=lambda x: psnr(x[None], image[None]).item())


def all_in_one(image, label, size, read):
    for left in range(0, image.shape[2] - size + 1, size):
        image[:, :size, left : left + size] = 0
    return image


ROWS = {
    "clamped_mean": Row(
        clamped_mean,
        [
            (lambda grey, var: grey, "*without* clamping"),
            (clamped_mean_without_white, "clamped to 1"),
            (lambda grey, var: clamped_mean(grey, var**2), "the standard deviation"),
            (lambda grey, var: math.sqrt(var / (2 * math.pi)), "it should be"),
        ],
        also=(clamped_mean_by_integral,),
    ),
    "keeps_the_mean": Row(
        coin,
        [
            (lambda x, g: gaussian_noise(x, generator=g), "black becomes"),
            (darker, "black becomes"),
            (lambda x, g: x + 0.3 * torch.randn(x.shape, generator=g), "is all there is"),
            (lambda x, g: x, "hardly changes"),
            (lambda x, g: x * (torch.rand(x.shape, generator=g) < 0.5), "white becomes"),
            (squared_coin, "the mean should stay"),
            (lambda x, g: torch.bernoulli(x), "the generator alone"),
            (lambda x, g: coin(x, seeded(1)), "the generator alone"),
            (lambda x, g: coin(x, g)[0], "the shape should stay"),
        ],
        also=(
            within_reach,
            lambda x, g: (torch.rand(x.shape, generator=g) < x).double().numpy(),
        ),
    ),
    "fresh_pair": Row(
        pair_with(lambda index, visit, seed: hash((seed, index, visit))),
        [
            (pair_with(lambda index, visit, seed: seed + index + visit), "a sum meets"),
            (pair_with(lambda index, visit, seed: 1000 * seed + index * visit), "a sum meets"),
            (pair_with(lambda index, visit, seed: 1000 * seed + index), "drawn once"),
            (pair_with(lambda index, visit, seed: 1000 * seed + visit), "all pictures"),
            (pair_with(lambda index, visit, seed: 1000 * index + visit), "on the seed too"),
            (lambda x, i, visit, seed: (gaussian_noise(x[i]), x[i]), "inside"),
            (lambda x, i, visit, seed: (x[i], x[i]), "no noise"),
            (lambda x, *rest: pair_by_arithmetic(x, *rest)[::-1], "the other way round"),
            (lambda x, *rest: pair_by_arithmetic(x, *rest)[0], "two tensors"),
            (lambda x, *rest: (x[rest[0]] * 0, x[rest[0]] * 0), "the original, images"),
        ],
        also=(pair_by_arithmetic,),
    ),
    "cheapest_square": Row(
        cheapest,
        [
            (lambda *args: fooling(*args)[-1] * 0, "more than one square"),
            (cheapest_that_does_not_fool, "still reads it right"),
            (all_in_one, "more than one square"),
            (lambda image, *args: image, "one black square"),
            (lambda image, *args: image[:, 1:], "the shape (1, H, W)"),
        ],
        also=(cheapest_at_once,),
    ),
}
