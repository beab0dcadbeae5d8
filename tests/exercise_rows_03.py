"""Answers to the exercises of notebook 03: right ones, and wrong ones with words that name them."""

import numpy as np
import torch
from exercise_row import Row


def receptive_field(layers, strides=True):
    first = last = 0  # of the inputs that the one output in the middle depends on
    while layers:
        kernel, stride = layers.pop()
        stride = stride if strides else 1
        first, last = first * stride, last * stride + kernel - 1
    return last - first + 1


def receptive_field_too_early(layers):
    kernels, strides = zip(*layers, strict=True)
    return 1 + np.dot(np.array(kernels) - 1, np.cumprod(strides))


ROWS = {
    "convolution_size": Row(
        lambda n, k, s, p: len(range(0, n + 2 * p - k + 1, s)),
        [
            (lambda n, k, s, p: (n + 2 * p - k) // s, "one too small"),
            (lambda n, k, s, p: (n + p - k) // s + 1, "*both* sides"),
            (lambda n, k, s, p: (n + 2 * p - k) / s + 1, "round down"),
            (lambda n, k, s, p: (n - k) // s + 1, "is missing"),
            (lambda n, k, s, p: n // s + 7, "it should be"),
        ],
    ),
    "transposed_size": Row(
        lambda n, k, s, p: max(i * s + j for i in range(n) for j in range(k)) + 1 - 2 * p,
        [
            (lambda n, k, s, p: n * s - 2 * p + k, " - 1 steps"),
            (lambda n, k, s, p: (n - 1) * s + 2 * p + k, "*cuts*"),
            (lambda n, k, s, p: (n - 1) * s - p + k, "*both* sides"),
            (lambda n, k, s, p: (n - 1) * s + k, "is missing"),
            (lambda n, k, s, p: n * s, "it should be"),
            (lambda n, k, s, p: torch.ones(n), "a single number"),
        ],
    ),
    "parameters_of_convolution": Row(
        lambda i, o, k: sum(k * k * i + 1 for _ in range(o)),
        [
            (lambda i, o, k: i * o * k * k, "biases are missing"),
            (lambda i, o, k: i * o * k + o, "kernel * kernel"),
            (lambda i, o, k: i * o * k * k + i, "*output* channel"),
            (lambda i, o, k: i * o * k * k + 1, "*each* output channel"),
            (lambda i, o, k: o * k * k + o, "it should be"),
        ],
    ),
    "receptive_field": Row(
        receptive_field,
        [
            (receptive_field_too_early, "*behind* it"),
            (lambda layers: receptive_field(layers, strides=False), "strides are missing"),
            (lambda layers: receptive_field(layers) - 1, "the 1 pixel"),
            (lambda layers: sum(kernel for kernel, _ in layers) + 50_000, "it should be"),
        ],
    ),
}
