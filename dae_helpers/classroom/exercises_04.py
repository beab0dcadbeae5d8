"""Checks for the exercises of notebook 04: training."""

import math

import torch
from torch import Tensor

from .exercise import Wrong, close, exercise, judge, number, real, tensor, whole

SILENT = (
    "at a logit of {:.0f} the gradient is lost: no sigmoid before the loss, hand it the logits."
)


@exercise(hint="return two values: the weights after the step, and the new velocity.")
def momentum_step(answer):
    """Exercise 1 of notebook 04: one step of gradient descent with momentum."""
    weights, gradient, velocity = torch.randn(3, whole(3, 6))
    lr, keep = real(0.05, 0.3), real(0.5, 0.85)
    found = answer(weights, gradient, velocity, lr, keep)
    if not isinstance(found, tuple | list) or len(found) != 2:
        return "return two values: the weights after the step, and the new velocity."
    new = keep * velocity + gradient
    steps = {
        "that is the plain step: the velocity does not occur in it.": (gradient, gradient),
        "the gradient counts in full: do not weight it by (1 - keep).": (new - keep * gradient,)
        * 2,
        "that goes uphill: subtract lr times the new velocity.": (-new, new),
        "the step was taken with the *old* velocity: make the new one first.": (velocity, new),
        "the step is right; return the *new* velocity too, not the old one.": (new, velocity),
        "the step is lr times the new velocity, not times the gradient.": (gradient, new),
        "the old velocity fades: keep * velocity.": (velocity + gradient,) * 2,
    }
    both = torch.stack([tensor(part) for part in found])
    right = torch.stack([weights - lr * new, new])
    wrong = {words: torch.stack([weights - lr * a, b]) for words, (a, b) in steps.items()}
    return judge(
        both, right, wrong, "velocity: keep * velocity + gradient; then one step along it."
    )


@exercise
def died_at(answer):
    """Exercise 2 of notebook 04: from which step on a run is dead, by its logits."""
    early, alive = ([real(-4, 3) for _ in range(whole(4, 12))] for _ in range(2))
    dead = [real(30, 400) for _ in range(whole(4, 12))]
    black, n = [-z for z in dead], len(early)
    cases = [(early + black, n), (early + dead, n), (early + alive, None)]
    cases += [(early + black + alive, None)]
    cases += [(early + dead + alive + black, len(early + dead + alive))]
    found = [answer(run) for run, _ in cases]
    if not all(isinstance(x, int | float | Tensor) and not isinstance(x, bool) for x in found):
        return "return a number for every run, -1 for one that is alive."
    found = [number(x, "return a single number.") for x in found]
    right = [-1 if at is None else at for _, at in cases]
    first = [next((i for i, z in enumerate(run) if abs(z) > 20), -1) for run, _ in cases]
    if found == right:
        return None
    if found[2] != -1:
        return "a run whose logits stay near 0 was called dead: return -1 for it."
    if found[1] == -1 and found[0] != -1:
        return (
            "a run that went to *white* is as dead as a black one: look at the size of the logit."
        )
    if found == first:
        return "a run that comes back from a large logit is alive: it has to *stay* beyond 20."
    if any(found == [x + off if x > 0 else x for x in right] for off in (-1, 1)):
        return "one step off: steps are counted from 0, and the first dead one counts."
    i = next(i for i in range(len(cases)) if found[i] != right[i])
    shown = ", ".join(f"{z:.0f}" for z in cases[i][0])
    return f"for the logits {shown} it should be {right[i]}, but it is {found[i]:g}."


@exercise(hint="the target has the shape of the originals; torch.randn_like draws the noise.")
def second_picture(answer):
    """Exercise 3 of notebook 04: a noisy target that teaches as the original does."""
    originals, var = torch.rand(200, 1, 16, 16).round(), real(0.05, 0.15)
    noise = math.sqrt(var) * torch.randn_like(originals)
    inputs = (originals + noise).clamp(0, 1)
    target = tensor(answer(originals, inputs, var))
    if target.shape != originals.shape:
        raise Wrong(f"the target should have the shape {tuple(originals.shape)}.")
    added = target - originals
    if close(target, originals):
        return "that is the original: the task is to do without it as target."
    if close(target, inputs):
        return "that is the *same* noisy picture: a copy would be the perfect answer."
    if target.min() >= 0 and target.max() <= 1:
        return (
            "the target is clamped: where it is black its mean is not 0, and 02 says how far off."
        )
    if abs((added * noise).mean()) > 0.05 * var:
        return "the noise of the target depends on that of the input: draw it anew."
    if abs(added.mean()) > 0.01:
        return "the noise has another mean than 0: the network would learn that too."
    if abs(added.square().mean() / var - 1) < 0.1:
        return None
    if abs(added.square().mean() / var**2 - 1) < 0.1:
        return "that takes the variance as standard deviation: the root is missing."
    return f"the noise should have variance {var}, but it has {added.square().mean():.3f}."


@exercise(hint="both arguments are floats of one shape; return one number, a tensor.")
def loss_that_is_heard(answer):
    """Exercise 4 of notebook 04: a loss on logits with a gradient at every logit."""
    original = torch.rand(whole(3, 6), 1, 8, 8).round()
    for shift in (0.0, real(60, 300)):
        logits = (torch.randn_like(original) - shift).requires_grad_()
        found = answer(logits, original)
        number(found, "return one number: the mean over all pixels.")
        if not isinstance(found, Tensor) or not found.requires_grad:
            return "no gradient leads back from that: return it as a tensor."
        (slope,) = torch.autograd.grad(found, logits)
        z, n = logits.detach(), original.numel()
        p = z.sigmoid()
        scaled, otherwise = slope * n, "the gradient at a pixel should be (p - original) / N."
        mistakes = {
            "that is the sum: take the mean over all pixels.": (p - original) * n,
            "that is the squared error behind a sigmoid: far from 0 its gradient is lost.": (
                2 * (p - original) * p * (1 - p)
            ),
            "that compares the logits: they are not brightness, their sigmoid is.": (
                2 * (z - original)
            ),
            "the loss takes the sigmoid itself: hand it the logits.": (p.sigmoid() - original)
            * p
            * (1 - p),
        }
        problem = judge(scaled, p - original, mistakes, otherwise, 1e-3)
        if problem:
            lost = shift and not scaled.abs().gt(1e-3).any()
            return SILENT.format(-shift) if lost else problem
    return None
