"""Checks for the exercises of notebook 07: applications."""

import torch

from .exercise import close, exercise, formula, judge, number, real, tensor, whole


@exercise
def exact_match(answer):
    """Exercise 1 of notebook 07: the chance that a whole number is read without an error."""

    def values(p, n):
        return p**n, {
            "that is the chance for a single digit: *all* of them have to be right.": p,
            "probabilities of independent events are multiplied, not added.": p * n,
            "that is the chance that *at least one* digit is right.": 1 - (1 - p) ** n,
            "that is the chance of at least one error: take the opposite.": 1 - p**n,
            "that is the chance that all are *wrong*.": (1 - p) ** n,
        }

    return formula(answer, [(real(0.5, 0.97), whole(2, 11)) for _ in range(8)], values)


@exercise
def reader_that_may_refuse(answer):
    """Exercise 2 of notebook 07: how much is read above a confidence, and how much of it is right.

    Probabilities (N, 10), labels (N,), a threshold; the answer is two shares.
    """
    n = whole(200, 400)
    probabilities = (3 * torch.randn(n, 10)).softmax(dim=1)
    confidence, read = probabilities.max(dim=1)
    labels = torch.where(torch.rand(n) < confidence, read, (read + 1) % 10)
    threshold = confidence.quantile(real(0.2, 0.7)).item()
    kept, right = confidence > threshold, read == labels
    means = (x.double().mean() for x in (kept, right[kept], right, right & kept))
    share, accuracy, of_all, both = means
    found = tensor(answer(probabilities, labels, threshold))
    if found.shape != (2,):
        return "return two numbers: the share that is read, and the accuracy among those."
    mistakes = {
        "the other way round: first the share, then the accuracy.": (accuracy, share),
        "that is the share that is *refused*, not read.": (1 - share, accuracy),
        "that is the accuracy over all digits: count only those that are read.": (share, of_all),
        "divide by the number of digits that are *read*, not by all of them.": (share, both),
    }
    otherwise = f"here {share:.3f} are read and {accuracy:.3f} of these are right."
    return judge(found, (share, accuracy), mistakes, otherwise)


@exercise
def best_accuracy(answer):
    """Exercise 3 of notebook 07: the accuracy of the best possible reader, from a table.

    ``joint`` (classes, observations): the probability of each pair; all of it adds up to 1.
    """
    joint = torch.rand(whole(3, 4), whole(5, 8)) ** 3
    joint = joint / joint.sum()
    best, rows = joint.max(dim=0).values, joint.max(dim=1).values
    found = number(answer(joint), "return one number: the sum over all observations.")
    mistakes = {
        "the reader sees the *observation*, a column, not a row.": rows.sum(),
        "observations are not equally likely: do not average.": (best / joint.sum(dim=0)).mean(),
        "that is a mean: the table holds probabilities, add them up.": best.mean(),
        "that reader looks at nothing and always says one class.": joint.sum(dim=1).max(),
        "that counts a single observation: add up over all of them.": joint.max(),
    }
    otherwise = f"the largest number of each column, added up: {best.sum():.4f}, not {found:.4f}."
    return judge(found, best.sum(), mistakes, otherwise)


@exercise
def blending_weights(answer):
    """Exercise 4 of notebook 07: a window whose overlapping copies add up to 1."""
    overlap = whole(2, 11)
    tile = 2 * overlap + whole(1, 9)
    found = tensor(answer(tile, overlap))
    if found.shape != (tile,):
        return f"the weights should have the shape ({tile},), but it is {tuple(found.shape)}."
    middle, both = found[overlap : tile - overlap], found[:overlap] + found[tile - overlap :]
    if close(found, torch.ones(tile)):
        return "where two tiles overlap, equal weights of 1 add up to 2."
    if found.min() < 0 or found.max() > 1 + 1e-6:
        return "weights lie between 0 and 1."
    if not close(middle, torch.ones_like(middle)):
        return "in the middle, where there is no other tile, the weight should be 1."
    if not close(both, torch.ones_like(both)):
        return "the end of one tile and the start of the next should add up to 1, pixel by pixel."
    if (found[:overlap].diff() <= 0).any() or found[0] > 0.5:
        return "the weights add up, but they should *rise* over the overlap: a step is a seam."
    return None
