"""Checks for the exercises of notebook 02: noise."""

from statistics import NormalDist

import torch

from .exercise import close, exercise, formula, judge, real, tensor, whole


@exercise
def standard_deviation(answer):
    """Exercise 1 of notebook 02: from the variance of noise to its standard deviation."""

    def values(variance):
        return variance**0.5, {
            "that is the variance itself, in *squared* units of brightness.": variance,
            "the other way round: the variance is the square.": variance**2,
        }

    return formula(answer, [(real(0.05, 0.55),) for _ in range(8)], values)


@exercise(
    hint="`math` takes single numbers; of a tensor, torch.log10 takes all logarithms at once."
)
def psnr_from_mse(answer):
    """Exercise 2 of notebook 02: from the mean squared error to decibels."""
    mse = torch.rand(whole(3, 8)) / 5 + 0.001
    psnr = -10 * mse.log10()
    mistakes = {
        "the sign: a *smaller* error has to give a *larger* PSNR.": -psnr,
        "that is the natural logarithm: decibels use base 10.": -10 * mse.log(),
        "20 goes with the root of the MSE, 10 with the MSE itself.": 2 * psnr,
        "that is in bels: a decibel is a tenth of one.": psnr / 10,
        "one PSNR for each error: do not take the mean.": psnr.mean(),
    }
    return judge(answer(mse), psnr, mistakes, "the PSNR of images in [0, 1] is -10 * log10(mse).")


@exercise(copies=False)  # whether the images stay as they were is part of the question
def dead_rows(answer):
    """Exercise 3 of notebook 02: a corruption of one's own, whole rows set to black."""
    images = torch.rand(whole(400, 500), 1, whole(18, 24), whole(6, 9)) * 0.5 + 0.5
    before, fraction = images.clone(), real(0.1, 0.45)

    def rows_of(seed):
        return tensor(answer(images, fraction, torch.Generator().manual_seed(seed))).clone()

    found = rows_of(1)
    if not torch.equal(images, before):
        return "it changed the images that it was given: work on a copy."
    if found.shape != images.shape:
        return f"the shape should stay {tuple(images.shape)}, but it is {tuple(found.shape)}."
    dead = (found == 0).all(dim=3)
    if not close(found, images.masked_fill(dead[..., None], 0)):
        return "a row should be all black or as it was: draw one number a row, (N, 1, H, 1)."
    if (dead == dead[:1]).all():
        return "every image loses the same rows: draw a number for each row of *each* image."
    counts, share = dead.sum(dim=2), dead.double().mean()
    if (counts == counts[0]).all():
        return "every image loses equally many rows: `fraction` is a probability, for each row."
    if not close(share, fraction, 0.025):
        problem = f"{share:.0%} of the rows are dead, it should be about {fraction:.0%}"
        living = close(share, 1 - fraction, 0.025)
        return f"{problem}: is it the living ones that you draw?" if living else f"{problem}."
    if not torch.equal(found, rows_of(1)) or torch.equal(found, rows_of(2)):
        return "the rows should depend on the generator alone: hand it on to torch.rand."
    return None


@exercise
def clamped_mean(answer):
    """Exercise 4 of notebook 02: the mean of a clamped noisy pixel of any grey."""

    def parts(grey, variance):
        noisy = NormalDist(grey, variance**0.5)
        inside = grey * (noisy.cdf(1) - noisy.cdf(0)) + variance * (noisy.pdf(0) - noisy.pdf(1))
        return inside, 1 - noisy.cdf(1)

    def values(grey, variance):
        return sum(parts(grey, variance)), {
            "that is the mean *without* clamping.": grey,
            "the pixels that were clamped to 1 are missing.": parts(grey, variance)[0],
            "that takes the variance for the standard deviation.": sum(parts(grey, variance**2)),
        }

    sides = 3 * [(0, 0.3), (0.7, 1)]  # in the middle, clamping hardly moves the mean
    cases = [(real(*side), real(0.05, 0.3)) for side in sides]
    return formula(answer, cases, values, tolerance=0.005)
