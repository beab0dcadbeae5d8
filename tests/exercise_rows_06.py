"""Answers to the exercises of notebook 06: right ones, and wrong ones with words that name them."""

import math

import torch
from exercise_row import Row


def hoyer(z, n=None, norm=None, absolute=True):
    root = (n or z.shape[1]) ** 0.5
    norm = (z**2).sum(1).sqrt() if norm is None else norm
    return (root - (z.abs() if absolute else z).sum(1) / norm) / (root - 1)


def hoyer_in_place(z):
    z.abs_()
    n, l1 = z.shape[1], z.sum(dim=1)
    return (n**0.5 - l1 / z.square_().sum(dim=1).sqrt()) / (n**0.5 - 1)


def path(encode, decode, a, b, count, shares=None):
    a, b = encode(a), encode(b)
    shares = torch.linspace(0, 1, count) if shares is None else shares
    return torch.cat([decode(torch.lerp(a, b, float(t))) for t in shares])


def path_of_pixels(encode, decode, a, b, count):
    return torch.cat([torch.lerp(a, b, float(t)) for t in torch.linspace(0, 1, count)])


def path_of_outputs(encode, decode, a, b, count):
    return path_of_pixels(encode, decode, decode(encode(a)), decode(encode(b)), count)


def jacobian(function, x):
    return torch.autograd.functional.jacobian(function, x)


def jacobian_by_directions(function, x, count, step=1e-2):
    moved = [function(x + step * direction) for direction in torch.randn(count, len(x))]
    return float(((torch.stack(moved) - function(x)) ** 2).sum(1).mean() / step**2)


def jacobian_in_place(function, x, step=1e-3):
    start, total = function(x), 0
    for i in range(len(x)):
        x[i] += step
        total += ((function(x) - start) / step).square().sum()
        x[i] -= step
    return total


def elbo_in_place(x, y, kl, s2):
    x -= y
    return (
        -x[0].numel() / 2 * math.log(2 * math.pi * s2) - x.square_().sum((1, 2, 3)) / (2 * s2) - kl
    )


def elbo(x, y, kl, s2):
    pixels = torch.distributions.Normal(y, s2**0.5).log_prob(x)
    return pixels.flatten(1).sum(dim=1) - kl


def squares(x, y):
    return ((x - y) ** 2).flatten(1).sum(dim=1)


ROWS = {
    "hoyer_sparsity": Row(
        hoyer_in_place,
        [
            (lambda z: hoyer(z).mean(), "one number for all latents"),
            (lambda z: 1 - hoyer(z), "upside down"),
            (lambda z: hoyer(z, absolute=False), "*absolute* values"),
            (lambda z: hoyer(z, norm=(z**2).sum(1)), "the *root* of the sum"),
            (lambda z: hoyer(z, n=z.shape[1] ** 2), "*root* of n"),
            (lambda z: (z == 0).float().mean(dim=1), "for each row"),
        ],
    ),
    "latent_path": Row(
        path,
        [
            (lambda e, d, a, b, n: path(e, d, b, a, n), "other way round"),
            (path_of_pixels, "blends the *pixels*"),
            (lambda e, d, *rest: d(e(path_of_pixels(e, d, *rest))), "blends the *pixels*"),
            (path_of_outputs, "blends the two outputs"),
            (lambda *args: path(*args, shares=torch.arange(args[-1]) / args[-1]), "both ends"),
            (lambda *args: path(*args[:4], args[-1] + 2)[1:-1], "both ends"),
            (lambda *args: path(*args)[0], "the shape should be"),
            (lambda e, d, a, b, n: d(e(a)).repeat(n, 1, 1, 1), "a and b are the two latents"),
        ],
    ),
    "jacobian_norm": Row(
        jacobian_in_place,
        [
            (lambda f, x: jacobian(f, x).square().mean(), "a mean of squares"),
            (lambda f, x: jacobian(f, x).norm(), "square it"),
            (lambda f, x: jacobian(f, x).sum(), "square each one first"),
            (lambda f, x: torch.linalg.matrix_norm(jacobian(f, x), 2) ** 2, "*spectral* norm"),
            (lambda f, x: jacobian(f, x).square().sum() / len(x), "divided by D"),
            (lambda f, x: f(x).square().sum() + 1e4, "derivatives add up to"),
        ],
        also=(lambda f, x: jacobian_by_directions(f, x, 4000),),
    ),
    "evidence_bound": Row(
        elbo_in_place,
        [
            (lambda *args: elbo(*args).mean(), "one number for all images"),
            (lambda *args: -elbo(*args), "the sign"),
            (lambda x, y, kl, s2: elbo(x, y, -kl, s2), "subtract it"),
            (lambda x, y, kl, s2: elbo(x, y, 0, s2), "KL term is missing"),
            (lambda x, y, kl, s2: -squares(x, y) / (2 * s2) - kl, "is missing"),
            (
                lambda x, y, kl, s2: (
                    elbo(x, y, kl, s2) + (x[0].numel() - 1) / 2 * math.log(2 * math.pi * s2)
                ),
                "once for each *pixel*",
            ),
            (
                lambda x, y, kl, s2: elbo(x, y, kl, s2) + squares(x, y) * (s2 - 1) / (2 * s2**2),
                "variance already",
            ),
            (lambda x, y, kl, s2: elbo(x, y, 0, s2) / x[0].numel() - kl, "*add up*"),
            (lambda x, y, kl, s2: -squares(x, y), "three terms"),
        ],
    ),
}
