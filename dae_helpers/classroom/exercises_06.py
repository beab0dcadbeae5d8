"""Checks for the exercises of notebook 06: the family of autoencoders."""

import math

import torch

from .exercise import exercise, judge, number, real, tensor, whole


@exercise
def hoyer_sparsity(answer):
    """Exercise 1 of notebook 06: Hoyer's sparsity of each latent."""
    rows, n = whole(4, 9), whole(10, 40)
    latents = torch.randn(rows, n) * (torch.rand(rows, n) > 0.5)
    latents[:, 0] = 1 + torch.rand(rows)
    l1, l2, total = latents.abs().sum(dim=1), latents.norm(dim=1), latents.sum(dim=1)
    found = tensor(answer(latents))

    def sparsity(ratio, root=n**0.5):
        return (root - ratio) / (root - 1)

    if found.ndim == 0:
        return "that is one number for all latents: sum over dimension 1 only."
    mistakes = {
        "upside down: 1 stands for the sparsest latent.": 1 - sparsity(l1 / l2),
        "the sum is over *absolute* values: plus and minus cancel.": sparsity(total / l2),
        "divide by the *root* of the sum of squares.": sparsity(l1 / l2.square()),
        "the *root* of n stands in the formula, twice.": sparsity(l1 / l2, n),
    }
    otherwise = "(root of n - L1 / L2) / (root of n - 1), for each row by itself."
    return judge(found, sparsity(l1 / l2), mistakes, otherwise)


@exercise
def latent_path(answer):
    """Exercise 2 of notebook 06: images on the way between two latents."""
    mix, count = torch.randn(3, 36), whole(4, 7)
    first, second = torch.rand(1, 1, 6, 6), torch.rand(1, 1, 6, 6)

    def encode(x):
        return torch.tanh(x.flatten(1) @ mix.T).reshape(-1, 3, 1, 1)

    def decode(z):
        return torch.sigmoid(z.flatten(1) @ mix).reshape(-1, 1, 6, 6)

    def line(a, b, shares):
        return torch.lerp(a, b, shares.reshape(-1, 1, 1, 1))

    found = tensor(answer(encode, decode, first, second, count))
    a, b, shares = encode(first), encode(second), torch.linspace(0, 1, count)
    inner, early = torch.linspace(0, 1, count + 2)[1:-1], torch.arange(count) / count
    path, pixels = decode(line(a, b, shares)), line(first, second, shares)
    if found.shape != path.shape:
        return f"the shape should be {tuple(path.shape)}, but it is {tuple(found.shape)}."
    mistakes = {
        "the other way round: start at the first image.": path.flip(0),
        "that blends the *pixels*: blend the latents.": pixels,
        "that blends the *pixels*, then encodes: encode first.": decode(encode(pixels)),
        "that blends the two outputs: blend the latents.": line(decode(a), decode(b), shares),
        "both ends belong to the path: shares from 0 to 1.": decode(line(a, b, inner)),
        "both ends belong to the path: the last share is 1.": decode(line(a, b, early)),
    }
    otherwise = "decode (1 - t) * a + t * b for shares t from 0 to 1; a and b are the two latents."
    return judge(found, path, mistakes, otherwise)


@exercise
def jacobian_norm(answer):
    """Exercise 3 of notebook 06: the squared Frobenius norm of a Jacobian."""
    d, k = whole(5, 8), whole(10, 13)
    weight, x = torch.randn(k, d), torch.randn(d)
    found = number(answer(lambda v: torch.tanh(weight @ v), x))
    jacobian = (1 - torch.tanh(weight @ x).square())[:, None] * weight
    norm, stretch = jacobian.square().sum().item(), torch.linalg.matrix_norm(jacobian, 2)
    if abs(found - norm) < 0.1 * norm:  # an estimate will do
        return None
    mistakes = {
        "that is the norm itself: square it.": norm**0.5,
        "that is the squared *spectral* norm, of the largest stretch: sum all squares.": stretch**2,
        "that is a mean of squares: the Frobenius norm takes their *sum*.": norm / (d * k),
        "that is the sum divided by D: the Frobenius norm takes the *sum*.": norm / d,
        "that is the sum of the derivatives: square each one first.": jacobian.sum(),
    }
    otherwise = f"the squares of all {k} x {d} derivatives add up to {norm:.3f}, not {found:.3f}."
    return judge(found, norm, mistakes, otherwise, tolerance=1e-3)


@exercise
def evidence_bound(answer):
    """Exercise 4 of notebook 06: the ELBO of images, with its constant."""
    shape = (whole(3, 6), 1, whole(5, 8), whole(5, 8))
    images, rebuilt, kl = torch.rand(shape), torch.rand(shape), 5 * torch.rand(shape[0])
    s2, size = real(0.05, 0.55), images[0].numel()
    squared = (images - rebuilt).square().sum(dim=(1, 2, 3))

    def bound(constant=1.0, price=1.0, variance=s2, per=1):
        logs = -constant * size / 2 * math.log(2 * math.pi * s2)
        return (logs - squared / (2 * variance)) / per - price * kl

    found = tensor(answer(images, rebuilt, kl, s2))
    if found.ndim == 0:
        return "that is one number for all images: sum over dimensions 1, 2 and 3 only."
    mistakes = {
        "the sign: that is the loss. The ELBO is a log probability: high is good.": -bound(),
        "the KL term is a price: subtract it.": bound(price=-1),
        "the KL term is missing.": bound(price=0),
        "the constant with log(2 pi s2) is missing.": bound(constant=0),
        "the constant counts once for each *pixel*: multiply it by D.": bound(1 / size),
        "s2 is the variance already: do not square it again.": bound(variance=s2**2),
        "that is a mean over the pixels: their log probabilities *add up*.": bound(per=size),
    }
    return judge(found, bound(), mistakes, "add the three terms, for each image by itself.")
