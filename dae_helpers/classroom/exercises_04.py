"""Checks for the exercises of notebook 04: training."""

import torch
from torch import Tensor, nn

from .exercise import close, exercise, judge, number, real, whole


@exercise
def loss_against_the_original(answer):
    """Exercise 1 of notebook 04: the loss of a denoising autoencoder."""
    n, side = whole(4, 9), whole(5, 8)
    output, corrupted, original = (x * torch.rand(n, 1, side, side) for x in (0.4, 1, 0.7))
    found = answer(output.requires_grad_(), corrupted, original)

    def mse(a, b):
        return (a - b).square().mean()

    right = mse(output, original)
    mistakes = {
        "that compares with the *corrupted* image: it would keep the noise.": mse(
            output, corrupted
        ),
        "the output of the model does not occur in that.": mse(corrupted, original),
        "that is the sum: a mean does not depend on the batch size.": right * output.numel(),
        "that divides by the images only: take the mean over the pixels too.": right * side**2,
        "that is the root of the loss: leave the root out.": right.sqrt(),
    }
    otherwise = "square the differences between output and original, and take the mean of all."
    problem = judge(number(found, "return one number: " + otherwise), right, mistakes, otherwise)
    if problem is None and not (isinstance(found, Tensor) and found.requires_grad):
        return "the number is right, but no gradient leads back from it: return it as a tensor."
    return problem


@exercise(
    copies=False,  # the step is taken in place
    hint="work inside `with torch.no_grad():`, and leave out parameters whose `.grad` is None.",
)
def gradient_step(answer):
    """Exercise 2 of notebook 04: one step of gradient descent, in place."""
    start, lr = torch.randn(whole(4, 8)), real(0.05, 0.2)
    first, last = (start.clone().requires_grad_() for _ in range(2))
    (first.square().sum() + last.square().sum()).backward()  # the gradient is twice the parameter
    frozen = nn.Parameter(torch.ones(2), requires_grad=False)
    result = answer([first, frozen, last], lr)
    mistakes = {
        "a parameter did not move: change each in place, `parameter -= ...`.": start,
        "that goes uphill: subtract the gradient.": start + 2 * lr * start,
    }
    otherwise = "each parameter should move by -lr times its gradient."
    for moved in (first, last):
        problem = judge(moved, start - 2 * lr * start, mistakes, otherwise)
        if problem:
            return problem
        if moved.grad is not None and moved.grad.any():
            return "reset the gradient to None: otherwise the next backward pass adds to it."
    if not close(frozen, torch.ones(2)):
        return "a frozen parameter, whose gradient is None, has to stay as it is."
    if not isinstance(result, list) or [*map(id, result)] != [*map(id, [first, frozen, last])]:
        return "return the list of parameters at the end."
    return None


@exercise
def epoch_loss(answer):
    """Exercise 3 of notebook 04: the mean loss of an epoch with a short last batch."""
    sizes = [whole(20, 40)] * whole(2, 5) + [whole(1, 11)]
    losses, n = torch.rand(len(sizes)).tolist(), len(sizes)
    total = sum(loss * size for loss, size in zip(losses, sizes, strict=True))
    mistakes = {
        "the short last batch counts as much as a full one: weight by batch size.": sum(losses) / n,
        "divide the sum over images by their number, not by that of the *batches*.": total / n,
        "that is the sum over all images: divide by their number.": total,
    }
    found = number(answer(losses, sizes), "return one number: add up over the batches.")
    otherwise = f"losses {losses} of batches of {sizes} have the mean {total / sum(sizes):.4f}."
    return judge(found, total / sum(sizes), mistakes, otherwise)


@exercise
def starting_bias(answer):
    """Exercise 4 of notebook 04: the output bias whose sigmoid is the mean brightness."""
    images = torch.rand(whole(15, 25), 1, 8, 8) * real(0.2, 0.9)
    mean, one = images.mean(), "the layer has a single output channel: return one number."
    mistakes = {
        "that is the brightness; the bias stands *before* the sigmoid: invert that.": mean,
        "that is the sigmoid of the brightness: take its inverse.": mean.sigmoid(),
        "the sign: dark images need a negative bias.": -mean.logit(),
        "nearly: the inverse of the sigmoid is log(m / (1 - m)).": mean.log(),
    }
    otherwise = "sigmoid(bias) should be the mean brightness of the images."
    return judge(number(answer(images), one), mean.logit(), mistakes, otherwise)
