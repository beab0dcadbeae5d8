"""Checks for the exercises of notebook 05: evaluation."""

import functools

import torch
from torch import nn

from ..checkpoints import load_pretrained
from ..evaluation import denoise, psnr
from ..noise import gaussian_noise
from .exercise import Wrong, close, exercise, judge, tensor, whole

_ours = functools.cache(functools.partial(load_pretrained, "fast"))


@exercise(hint="`psnr` of each output first, one number an image; then subtract.")
def paired_interval(answer):
    """Exercise 1 of notebook 05: the mean difference in PSNR and its interval, in pairs."""
    n = whole(40, 90)
    original = 0.5 + torch.zeros(n, 1, 8, 8)
    hard = torch.linspace(0.05, 0.4, n).reshape(n, 1, 1, 1)  # some images are hard for both
    first, second = (
        (original + s * hard * torch.randn(n, 1, 8, 8)).clamp(0, 1) for s in (0.7, 1.0)
    )
    a, b = psnr(first, original), psnr(second, original)
    gap, root = a - b, n**0.5
    errors = [(x - original).square().mean() for x in (first, second)]
    pooled = 10 * torch.log10(errors[1] / errors[0])
    found = answer(first, second, original)
    if not isinstance(found, tuple | list) or len(found) != 2:
        return "return two numbers: the mean difference and the half width."
    mean, width = map(tensor, found)
    if mean.numel() != 1 or width.numel() != 1:
        return "two single numbers: average over the images, then one half width."
    mistakes = {
        "the sign: where `first` is better, the difference is positive.": -gap.mean(),
        "that is from the mean MSE: first the PSNR of each image, then the mean.": pooled,
    }
    otherwise = "the mean of the PSNR of `first` minus that of `second`, image by image."
    if problem := judge(mean.reshape(()), gap.mean(), mistakes, otherwise):
        return problem
    error = gap.std().item() / root
    apart = 1.96 * (a.var() + b.var()).sqrt() / root / error
    mistakes = {  # in standard errors
        "that is for two *unpaired* sets: take the spread of the differences.": apart,
        "that is the standard error; an interval of 95 % takes 1.96 of them.": 1,
        "that is the whole width: the half of it stands behind the ±.": 3.92,
        "that is for single images: divide by the root of their number.": 1.96 * root,
        "divide by the *root* of the number of images.": 1.96 / root,
    }
    otherwise = "1.96 times the standard deviation of the differences, divided by the root of n."
    return judge(width.reshape(()) / error, 1.96, mistakes, otherwise, tolerance=0.015)


@exercise(hint="return a module that takes images (N, 1, 28, 28), such as an nn.Sequential.")
def network_on_a_budget(answer):
    """Exercise 2 of notebook 05: a network of few parameters that sees 9x9 pixels."""
    most = whole(260, 400)
    network = answer(most)
    if not isinstance(network, nn.Module):
        return "return the network itself, an nn.Module."
    size = sum(parameter.numel() for parameter in network.parameters())
    if size > most:
        return f"it has {size} parameters, at most {most} are allowed: fewer feature maps."
    images = torch.rand(8, 1, 28, 28, requires_grad=True)
    output = network(images)
    if output.shape != images.shape:
        return f"images should stay 28x28, but the output is {tuple(output.shape)}: padding?"
    with torch.no_grad():
        bright = network(100 * torch.randn(8, 1, 28, 28))
    if bright.min() < 0 or bright.max() > 1:
        return "the output should lie between 0 and 1: end with a sigmoid."
    output[:, 0, 14, 14].sum().backward()
    if images.grad is None or not (seen := images.grad.abs().sum(dim=(0, 1)) > 0).any():
        return "the output does not depend on the input."
    sides = [int(seen.any(dim=side).sum()) for side in (0, 1)]
    if min(sides) < 9:
        return f"an output pixel sees only {sides[0]}x{sides[1]} pixels: larger or more kernels."
    return None


@exercise(hint="`method` takes and gives images (N, 1, H, W); the mean of nine has that shape too.")
def nine_views(answer):
    """Exercise 3 of notebook 05: denoise nine shifted copies, shift back, average."""
    shape = whole(2, 4), 1, whole(8, 12), whole(8, 12)
    images, weights = torch.rand(shape), torch.rand(shape[2:])
    places = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]

    def method(x):
        return x * weights + 0.1 * x.roll(1, 3)

    def mean(shifts, back=-1):
        moved = [method(images.roll(s, (2, 3))).roll([back * x for x in s], (2, 3)) for s in shifts]
        return torch.stack(moved).mean(dim=0)

    right = mean(places)
    eight = mean([s for s in places if any(s)])
    mistakes = {
        "shift each result *back* before you average.": mean(places, back=0),
        "each result was shifted further, not back: the other sign.": mean(places, back=1),
        "that is the *sum* of the nine results: divide by 9.": 9 * right,
        "eight shifts: the image that is not moved belongs to the nine.": eight,
        "five shifts: the diagonal ones are missing.": mean([s for s in places if 0 in s]),
    }
    found = tensor(answer(method, images))
    if found.shape != images.shape:
        return f"the shape should stay {shape}, but it is {tuple(found.shape)}: average the nine."
    otherwise = "the mean of nine results, each from a shifted copy and shifted back."
    return judge(found, right, mistakes, otherwise)


@exercise(hint="change single pixels, as in page[0, row, column] = 1, and return the page.")
def fool_ours(answer):
    """Exercise 4 of notebook 05: a nearly black picture that `ours` makes worse."""
    lit = whole(50, 70)
    page = tensor(answer(torch.zeros(1, 28, 28), lit)).float()
    if page.shape != (1, 28, 28):
        raise Wrong(f"the page is (1, 28, 28); yours is {tuple(page.shape)}.")
    if not close(page, page.round().clamp(0, 1)):
        return "pixels are black or white, 0 or 1."
    if (count := int(page.sum())) > lit:
        return f"{count} pixels are white, at most {lit} are allowed."
    if count == 0:
        return "the page is still black: set some pixels to white."
    pages = page.expand(20, 1, 28, 28)
    corrupted = gaussian_noise(pages)
    gain = (psnr(denoise(_ours(), corrupted), pages) - psnr(corrupted, pages)).mean().item()
    if gain > -0.5:
        return f"`ours` changes it by {gain:+.1f} dB, it should lose 0.5: keep away from strokes."
    return None
