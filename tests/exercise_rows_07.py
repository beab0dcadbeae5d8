"""Answers to the exercises of notebook 07: right ones, and wrong ones with words that name them."""

import math

import numpy as np
from exercise_row import Row


def refuse(probabilities, labels, threshold):
    confidence, read = (x.numpy() for x in probabilities.max(dim=1))
    right = (read == labels.numpy())[confidence > threshold]
    return len(right) / len(read), right.sum() / len(right)


def refuse_counting_all(probabilities, labels, threshold):
    share, accuracy = refuse(probabilities, labels, threshold)
    return share, share * accuracy


def refuse_and_judge_all(probabilities, labels, threshold):
    return refuse(probabilities, labels, threshold)[0], refuse(probabilities, labels, -1)[1]


def trapezium(tile, overlap):
    rise = (np.arange(overlap) + 0.5) / overlap
    return np.concatenate([rise, np.ones(tile - 2 * overlap), rise[::-1]])


def step_window(tile, overlap):
    return np.concatenate([np.zeros(overlap), np.ones(tile - overlap)])


ROWS = {
    "exact_match": Row(
        lambda p, n: math.prod([p] * n),
        [
            (lambda p, n: p, "single digit"),
            (lambda p, n: p * n, "multiplied, not added"),
            (lambda p, n: 1 - (1 - p) ** n, "*at least one* digit"),
            (lambda p, n: 1 - p**n, "take the opposite"),
            (lambda p, n: (1 - p) ** n, "all are *wrong*"),
            (lambda p, n: p / n, "it should be"),
        ],
    ),
    "reader_that_may_refuse": Row(
        refuse,
        [
            (lambda *a: refuse(*a)[::-1], "the other way round"),
            (lambda *a: (1 - refuse(*a)[0], refuse(*a)[1]), "*refused*"),
            (refuse_and_judge_all, "accuracy over all digits"),
            (refuse_counting_all, "not by all of them"),
            (lambda *a: refuse(*a)[1], "two numbers"),
            (lambda *a: (0.5, 0.5), "of these are right"),
        ],
    ),
    "best_accuracy": Row(
        lambda joint: joint.copy_(joint.max(dim=0).values)[0].sum(),
        [
            (lambda joint: joint.max(dim=0).values.mean(), "that is a mean"),
            (lambda joint: joint.max(dim=1).values.sum(), "the *observation*, a column"),
            (lambda joint: joint.max(dim=0).values, "one number"),
            (lambda joint: (joint.max(dim=0).values / joint.sum(dim=0)).mean(), "equally likely"),
            (lambda joint: joint.sum(dim=1).max(), "looks at nothing"),
            (lambda joint: joint.max(), "a single observation"),
            (lambda joint: 1.0, "largest number of each column"),
        ],
    ),
    "blending_weights": Row(
        trapezium,
        [
            (lambda tile, overlap: np.ones(tile), "add up to 2"),
            (lambda tile, overlap: 2 * trapezium(tile, overlap), "between 0 and 1"),
            (lambda tile, overlap: trapezium(tile, overlap) / 2, "in the middle"),
            (lambda tile, overlap: trapezium(tile, overlap) ** 2, "pixel by pixel"),
            (step_window, "a step is a seam"),
            (lambda tile, overlap: trapezium(tile, overlap)[1:], "should have the shape"),
        ],
    ),
}
