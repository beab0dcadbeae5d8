"""Checks for the exercises of notebook 05: evaluation."""

import torch
from torch.nn.functional import conv2d

from .exercise import close, exercise, judge, number, real, tensor, whole


@exercise
def decibels_gained(answer):
    """Exercise 1 of notebook 05: the mean gain in PSNR, image by image."""
    n = whole(5, 9)
    original, scale = torch.rand(n, 1, 8, 8), torch.linspace(0.05, 0.4, n).reshape(n, 1, 1, 1)
    corrupted = (original + scale * torch.randn(n, 1, 8, 8)).clamp(0, 1)
    denoised = (original + scale.flip(0) * 0.5 * torch.randn(n, 1, 8, 8)).clamp(0, 1)
    errors = torch.stack([(x - original).square().mean((1, 2, 3)) for x in (corrupted, denoised)])
    before, after = -10 * errors.log10()
    pooled = -10 * errors.mean(dim=1).log10()
    gain = (after - before).mean()
    mistakes = {
        "the sign: a better image has a higher PSNR, and that counts as a gain.": -gain,
        "that is the PSNR of the mean MSE: first the PSNR, then the mean.": pooled[1] - pooled[0],
        "subtract the PSNR of the corrupted images, which is there for nothing.": after.mean(),
    }
    found = answer(denoised, corrupted, original)
    otherwise = "the PSNR of each denoised image minus that of the corrupted one, averaged."
    return judge(number(found, "average over the images."), gain, mistakes, otherwise)


@exercise
def half_width(answer):
    """Exercise 2 of notebook 05: the half width of a 95 % confidence interval."""
    values = torch.randn(whole(100, 400)) * real(1, 2)
    root, error = len(values) ** 0.5, values.std() / len(values) ** 0.5
    found = number(answer(values), "return one number, the half width, not one for each end.")
    mistakes = {  # in standard errors
        "that is the standard error; an interval of 95 % takes 1.96 of them.": 1,
        "that is the whole width: the half of it stands behind the ±.": 3.92,
        "that is how far *images* spread: divide by the root of their number.": root,
        "that is for single images: divide by the root of their number.": 1.96 * root,
    }
    otherwise = "1.96 times the standard deviation, divided by the root of the number of values."
    return judge(found / error, 1.96, mistakes, otherwise, tolerance=0.015)  # 2 will do as well


@exercise(hint="a kernel of conv2d is (1, 1, 3, 3): channels out, channels in, height, width.")
def box_filter(answer):
    """Exercise 3 of notebook 05: a 3x3 mean filter written as a convolution."""
    images = torch.rand(whole(2, 4), 1, whole(8, 12), whole(8, 12))
    found = tensor(answer(images))
    right = conv2d(images, torch.full((1, 1, 3, 3), 1 / 9), padding=1)
    inside = right[..., 1:-1, 1:-1]
    if found.shape == inside.shape:
        return "the image has shrunk: a padding of 1 keeps its size."
    if found.shape != images.shape:
        return f"the shape should stay {tuple(images.shape)}, but it is {tuple(found.shape)}."
    if not close(found, right) and close(found[..., 1:-1, 1:-1], inside):
        return "right but for the rim: pixels outside the image count as 0, and always divide by 9."
    mistakes = {"that is the *sum* of the nine pixels: divide by 9.": 9 * right}
    otherwise = "each pixel should become the mean of the 3x3 pixels around it."
    return judge(found, right, mistakes, otherwise)


@exercise
def best_weight(answer):
    """Exercise 4 of notebook 05: the best blend of the denoised and the corrupted image."""
    n, ratio = whole(4, 7), real(1.3, 1.9)
    scale = 0.1 * ratio * torch.linspace(0.2, 1.5, n).reshape(n, 1, 1, 1)  # the images differ
    original = torch.rand(n, 1, 8, 8)
    denoised = original + 0.1 * torch.randn(n, 1, 8, 8)
    corrupted = original + scale * torch.randn(n, 1, 8, 8)
    step = denoised - corrupted
    products, squares = ((x * step).sum((1, 2, 3)) for x in (original - corrupted, step))
    best, found = (products.sum() / squares.sum()).item(), answer(denoised, corrupted, original)
    found = number(found, "find one weight for all images together.")

    def mse(weight):
        return (corrupted + weight * step - original).square().mean()

    if abs(found - best) > 0.1 and mse(found) >= max(mse(0), mse(1)):
        return f"with a weight of {found:.2f} the MSE is at its *highest*: look for the lowest."
    mistakes = {
        "that is the weight of the *corrupted* image.": 1 - best,
        "that is the mean of a weight for each image: find one for all.": (
            products / squares
        ).mean(),
    }
    otherwise = f"here {best:.2f} has the lowest MSE, not {found:.2f}: try many, or derive it."
    return judge(found, best, mistakes, otherwise, tolerance=0.012)
