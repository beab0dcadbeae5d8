"""The checks of the exercises: right answers pass, typical mistakes are named, nothing else does.

A new exercise needs a row in ``ROWS``: a right answer, and wrong ones, each with words of the
message that names the mistake.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.neighbors import NearestNeighbors
from torch import nn

from dae_helpers import exercises, psnr

TIMES = 20


class Row(NamedTuple):
    """One exercise: a right answer, and wrong answers with words that name the mistake."""

    right: Callable
    wrong: list[tuple[Callable, str]]


# 01


def neighbours(points, labels, k, itself=False):
    fitted = NearestNeighbors(n_neighbors=k + 1).fit(points)
    places = fitted.kneighbors(points)[1]
    places = places[:, :k] if itself else places[:, 1:]
    return float((labels[places] == labels[:, None]).mean())


# 02


def dead_rows(images, fraction, generator, shape=None, alive=False, on=None):
    n, _, height, _ = images.shape
    draw = torch.rand(shape or (n, 1, height, 1), generator=generator if on is None else on)
    dead = draw >= fraction if alive else draw < fraction
    return torch.where(dead, torch.zeros_like(images), images)


def dead_rows_in_place(images, fraction, generator):
    images *= torch.rand((len(images), 1, images.shape[2], 1), generator=generator) >= fraction
    return images


def clamped_mean(grey, var):
    x = np.linspace(-6, 7, 20_001)
    density = stats.norm(grey, math.sqrt(var)).pdf(x)
    return float((np.clip(x, 0, 1) * density).sum() * (x[1] - x[0]))


def clamped_mean_without_white(grey, var):
    return clamped_mean(grey, var) - stats.norm(grey, math.sqrt(var)).sf(1)


# 03


def receptive_field(layers, strides=True):
    first = last = 0  # of the inputs that the one output in the middle depends on
    for kernel, stride in reversed(layers):
        stride = stride if strides else 1
        first, last = first * stride, last * stride + kernel - 1
    return last - first + 1


# 04


def gradient_step(parameters, lr, sign=-1, reset=True, factor=1.0):
    with torch.no_grad():
        for parameter in parameters:
            if parameter.grad is not None:
                parameter += sign * lr * factor * parameter.grad
                if reset:
                    parameter.grad = None
    return parameters


def gradient_step_of_a_copy(parameters, lr):
    return [p - lr * p.grad if p.grad is not None else p for p in parameters]


# 05


def gain(denoised, corrupted, original):
    return (psnr(denoised, original) - psnr(corrupted, original)).mean()


def pooled_gain(denoised, corrupted, original):
    errors = [nn.functional.mse_loss(x, original) for x in (corrupted, denoised)]
    return 10 * math.log10(errors[0] / errors[1])


def standard_error(values):
    return float(stats.sem(values.double().numpy()))


def box_filter(images):
    return nn.functional.avg_pool2d(images, 3, stride=1, padding=1)


def best_weight(denoised, corrupted, original):
    weights = torch.linspace(0, 1.5, 301)
    errors = [((w * denoised + (1 - w) * corrupted - original) ** 2).mean() for w in weights]
    return weights[torch.stack(errors).argmin()]


# 06


def hoyer(z, n=None, norm=None, absolute=True):
    root = (n or z.shape[1]) ** 0.5
    norm = (z**2).sum(1).sqrt() if norm is None else norm
    return (root - (z.abs() if absolute else z).sum(1) / norm) / (root - 1)


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


def elbo(x, y, kl, s2):
    pixels = torch.distributions.Normal(y, s2**0.5).log_prob(x)
    return pixels.flatten(1).sum(dim=1) - kl


def squares(x, y):
    return ((x - y) ** 2).flatten(1).sum(dim=1)


# 07


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
    "compression_factor": Row(
        lambda height, width, latent: height * width / latent,
        [
            (lambda height, width, latent: latent / (height * width), "upside down"),
            (lambda height, width, latent: height / latent, "height * width"),
            (lambda height, width, latent: (height + width) / latent, "height * width"),
        ],
    ),
    "error_per_image": Row(
        lambda a, b: torch.stack([nn.functional.mse_loss(x, y) for x, y in zip(a, b, strict=True)]),
        [
            (lambda a, b: ((a - b) ** 2).mean(), "one number for the whole batch"),
            (lambda a, b: ((a - b) ** 2).sum(dim=(1, 2, 3)), "sum over the pixels"),
            (lambda a, b: (a - b).abs().mean(dim=(1, 2, 3)), "mean absolute error"),
            (lambda a, b: ((a - b) ** 2).mean(dim=0), "(5,)"),
        ],
    ),
    "pca_by_hand": Row(
        lambda x, mean, components: ((x - mean) @ components.T) @ components + mean,
        [
            (lambda x, mean, components: x @ components.T @ components, "mean is missing"),
            (lambda x, mean, components: (x - mean) @ components.T @ components, "added again"),
            (lambda x, mean, components: (x - mean) @ components.T, "latents"),
            (lambda x, mean, components: x, "encode with"),
        ],
    ),
    "neighbour_agreement": Row(
        neighbours,
        [
            (lambda *args: neighbours(*args, itself=True), "its own nearest neighbour"),
            (lambda *args: 100 * neighbours(*args), "from 0 to 1"),
            (lambda points, labels, k: float((labels == labels[0]).mean()), "compare the labels"),
        ],
    ),
    "standard_deviation": Row(
        math.sqrt,
        [
            (lambda var: var, "variance itself"),
            (lambda var: var**2, "the other way round"),
            (lambda var: var / 2, "it should be"),
        ],
    ),
    "psnr_from_mse": Row(
        lambda mse: 10 * torch.log10(1 / mse),
        [
            (lambda mse: 10 * torch.log10(mse), "sign"),
            (lambda mse: -10 * torch.log(mse), "natural logarithm"),
            (lambda mse: -20 * torch.log10(mse), "20 goes with"),
            (lambda mse: -torch.log10(mse), "bels"),
            (lambda mse: 1 / mse, "-10 * log10(mse)"),
        ],
    ),
    "dead_rows": Row(
        dead_rows,
        [
            (dead_rows_in_place, "work on a copy"),
            (lambda x, f, g: dead_rows(x, f, g)[:, :, :-1], "the shape should stay"),
            (lambda x, f, g: dead_rows(x, f, g, shape=x.shape), "one number a row"),
            (lambda x, f, g: dead_rows(x, f, g, shape=(x.shape[2], 1)), "same rows"),
            (lambda x, f, g: dead_rows(x, f, g, alive=True), "the living ones"),
            (lambda x, f, g: dead_rows(x, f, g, on=torch.default_generator), "the generator"),
        ],
    ),
    "clamped_mean": Row(
        clamped_mean,
        [
            (lambda grey, var: grey, "*without* clamping"),
            (clamped_mean_without_white, "clamped to 1"),
            (lambda grey, var: math.sqrt(var / (2 * math.pi)), "it should be about"),
        ],
    ),
    "convolution_size": Row(
        lambda n, k, s, p: len(range(0, n + 2 * p - k + 1, s)),
        [
            (lambda n, k, s, p: (n + 2 * p - k) // s, "one too small"),
            (lambda n, k, s, p: (n + p - k) // s + 1, "*both* sides"),
            (lambda n, k, s, p: (n + 2 * p - k) / s + 1, "round down"),
            (lambda n, k, s, p: n // s + 7, "it should be"),
        ],
    ),
    "transposed_size": Row(
        lambda n, k, s, p: max(i * s + j for i in range(n) for j in range(k)) + 1 - 2 * p,
        [
            (lambda n, k, s, p: n * s - 2 * p + k, " - 1 steps"),
            (lambda n, k, s, p: (n - 1) * s + 2 * p + k, "subtract it"),
            (lambda n, k, s, p: n * s, "it should be"),
        ],
    ),
    "parameters_of_convolution": Row(
        lambda i, o, k: sum(k * k * i + 1 for _ in range(o)),
        [
            (lambda i, o, k: i * o * k * k, "biases are missing"),
            (lambda i, o, k: i * o * k + o, "kernel * kernel"),
            (lambda i, o, k: i * o * k * k + i, "*output* channel"),
            (lambda i, o, k: o * k * k + o, "channels, kernel"),
        ],
    ),
    "receptive_field": Row(
        receptive_field,
        [
            (lambda layers: receptive_field(layers, strides=False), "strides are missing"),
            (lambda layers: sum(kernel for kernel, _ in layers) + 50_000, "it should be"),
        ],
    ),
    "loss_against_the_original": Row(
        lambda output, corrupted, original: nn.functional.mse_loss(output, original),
        [
            (lambda o, c, x: nn.functional.mse_loss(o, c), "*corrupted* image"),
            (lambda o, c, x: nn.functional.mse_loss(c, x), "output of the model does not occur"),
            (lambda o, c, x: nn.functional.mse_loss(o, x, reduction="sum"), "that is the sum"),
            (lambda o, c, x: ((o - x) ** 2).sum() / len(o), "images only"),
            (lambda o, c, x: (o - x).abs().mean(), "square the differences"),
        ],
    ),
    "gradient_step": Row(
        gradient_step,
        [
            (lambda p, lr: gradient_step(p, lr, sign=1), "uphill"),
            (lambda p, lr: gradient_step(p, lr, factor=2), "-lr times"),
            (lambda p, lr: gradient_step(p, lr, reset=False), "reset the gradient"),
            (gradient_step_of_a_copy, "did not move"),
            (lambda p, lr: gradient_step(p, lr)[0], "list of parameters"),
        ],
    ),
    "epoch_loss": Row(
        lambda losses, sizes: np.average(losses, weights=sizes),
        [
            (lambda losses, sizes: sum(losses) / len(losses), "weight by batch size"),
            (lambda losses, sizes: np.dot(losses, sizes) / len(sizes), "number of *batches*"),
            (lambda losses, sizes: np.dot(losses, sizes), "sum over all images"),
            (lambda losses, sizes: losses[0] + 2, "have the mean"),
        ],
    ),
    "starting_bias": Row(
        lambda images: torch.special.logit(images.mean()),
        [
            (lambda images: images.mean(), "*before* the sigmoid"),
            (lambda images: -torch.special.logit(images.mean()), "the sign"),
            (lambda images: images.mean().log(), "log(m / (1 - m))"),
            (lambda images: torch.special.logit(images.mean(dim=(1, 2, 3))), "one number"),
            (lambda images: 5.0, "mean brightness"),
        ],
    ),
    "decibels_gained": Row(
        gain,
        [
            (lambda d, c, o: gain(c, d, o), "the sign"),
            (pooled_gain, "PSNR of the mean MSE"),
            (lambda d, c, o: psnr(d, o).mean(), "subtract the PSNR"),
            (lambda d, c, o: psnr(d, c).mean(), "averaged"),
        ],
    ),
    "half_width": Row(
        lambda values: 1.96 * standard_error(values),
        [
            (lambda values: values.std(), "how far *images* spread"),
            (lambda values: 1.96 * values.std(), "how far *images* spread"),
            (standard_error, "standard error"),
            (lambda values: 2 * 1.96 * standard_error(values), "whole width"),
            (lambda values: 1.96 * values.std() / len(values), "root of the number"),
        ],
    ),
    "box_filter": Row(
        box_filter,
        [
            (lambda images: nn.functional.avg_pool2d(images, 3, stride=1), "has shrunk"),
            (lambda images: nn.functional.avg_pool2d(images, 3), "shape should stay"),
            (lambda images: 9 * box_filter(images), "divide by 9"),
            (lambda images: images, "mean of the 3x3"),
        ],
    ),
    "best_weight": Row(
        best_weight,
        [
            (lambda d, c, o: 1 - best_weight(d, c, o), "weight of the *corrupted*"),
            (lambda d, c, o: 0.5, "try many"),
        ],
    ),
    "hoyer_sparsity": Row(
        hoyer,
        [
            (lambda z: hoyer(z).mean(), "one number for all latents"),
            (lambda z: 1 - hoyer(z), "upside down"),
            (lambda z: hoyer(z, absolute=False), "*absolute* values"),
            (lambda z: hoyer(z, norm=(z**2).sum(1)), "not by the sum itself"),
            (lambda z: hoyer(z, n=z.shape[1] ** 2), "*root* of n"),
            (lambda z: (z == 0).float().mean(dim=1), "one number a row"),
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
        lambda function, x: jacobian(function, x).square().sum(),
        [
            (lambda f, x: jacobian(f, x).norm(), "square it"),
            (lambda f, x: jacobian(f, x).sum(), "square each one first"),
            (lambda f, x: torch.linalg.matrix_norm(jacobian(f, x), 2) ** 2, "*spectral* norm"),
            (lambda f, x: jacobian(f, x).square().sum() / len(x), "their *sum*"),
            (lambda f, x: f(x).square().sum() + 1e4, "derivatives add up to"),
        ],
    ),
    "evidence_bound": Row(
        elbo,
        [
            (lambda *args: elbo(*args).mean(), "one number for all images"),
            (lambda *args: -elbo(*args), "the sign"),
            (lambda x, y, kl, s2: elbo(x, y, -kl, s2), "subtract it"),
            (lambda x, y, kl, s2: elbo(x, y, 0, s2), "KL term is missing"),
            (lambda x, y, kl, s2: -squares(x, y) / (2 * s2) - kl, "is missing"),
            (
                lambda x, y, kl, s2: elbo(x, y, kl, s2) + 41 / 2 * math.log(2 * math.pi * s2),
                "once for each *pixel*",
            ),
            (
                lambda x, y, kl, s2: elbo(x, y, kl, s2) + squares(x, y) * (s2 - 1) / (2 * s2**2),
                "variance already",
            ),
            (lambda x, y, kl, s2: elbo(x, y, 0, s2) / 42 - kl, "*add up*"),
            (lambda x, y, kl, s2: -squares(x, y), "three terms"),
        ],
    ),
    "exact_match": Row(
        lambda p, n: math.prod([p] * n),
        [
            (lambda p, n: p, "single digit"),
            (lambda p, n: p * n, "multiplied, not added"),
            (lambda p, n: 1 - (1 - p) ** n, "*at least one* digit"),
            (lambda p, n: 1 - p**n, "take the opposite"),
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
        lambda joint: sum(max(column) for column in joint.T.tolist()),
        [
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

CONSTANTS = [
    *(0, 1, 2, 7, 28, 576, 44_081, -1, True, 0.0, 0.1, 1 / 3, 0.5, 0.8, 13.0),
    *("", "right", [], [1.0], (0.5,) * 4, {}),
    *(torch.zeros(()), torch.zeros(5), torch.ones(4), torch.zeros(50, 1, 20, 12)),
    *(np.zeros((40, 6)), np.zeros((40, 2))),
]
# A missing row makes one test red, and not the whole file.
NAMES = [name for name in exercises.__all__ if name in ROWS]
WRONG = [
    pytest.param(name, answer, words, id=f"{name}-{words}")
    for name in NAMES
    for answer, words in ROWS[name].wrong
]


@pytest.fixture
def ask(capsys):
    """Puts an answer to a check; gives its verdict and its one line."""

    def put(name, answer):
        capsys.readouterr()
        verdict = getattr(exercises, name)(answer)
        captured = capsys.readouterr()
        (line,) = captured.out.splitlines()
        assert captured.err == ""
        assert verdict is (line == "Right.")
        return verdict, line

    return put


def test_every_exercise_has_a_row():
    assert set(ROWS) == set(exercises.__all__)
    assert len(exercises.__all__) == len(set(exercises.__all__))
    assert all(row.wrong for row in ROWS.values())


@pytest.mark.parametrize("name", exercises.__all__)
@pytest.mark.parametrize("stub", [lambda *a: ..., lambda *a: None], ids=["...", "None"])
def test_stub_is_not_yet_an_answer(ask, name, stub):
    verdict, line = ask(name, stub)
    assert verdict is False
    assert line.startswith("Not yet")


@pytest.mark.parametrize("name", NAMES)
def test_right_answer_always_passes(ask, name):
    for _ in range(TIMES):
        assert ask(name, ROWS[name].right) == (True, "Right.")


@pytest.mark.parametrize(("name", "answer", "words"), WRONG)
def test_typical_mistake_is_named(ask, name, answer, words):
    lines = [line for verdict, line in (ask(name, answer) for _ in range(TIMES)) if not verdict]
    assert len(lines) > TIMES / 2, "it is caught"
    assert all(line.startswith("Not quite: ") for line in lines)
    named = [line for line in lines if words in line]
    assert len(named) > len(lines) / 2, f"most often the message is another one: {lines}"


def test_a_norm_estimated_from_random_directions_passes(ask):
    assert ask("jacobian_norm", lambda f, x: jacobian_by_directions(f, x, 4000))[0]


@pytest.mark.parametrize("name", exercises.__all__)
def test_no_constant_passes(ask, name):
    for constant in CONSTANTS:
        passed = sum(ask(name, lambda *a, value=constant: value)[0] for _ in range(TIMES))
        assert passed == 0, f"{constant!r} passes {passed} of {TIMES} times"


@pytest.mark.parametrize("name", exercises.__all__)
def test_answer_that_fails_is_reported(ask, name):
    def answer(*args):
        raise ZeroDivisionError("somewhere in the answer")

    verdict, line = ask(name, answer)
    assert verdict is False
    assert "ZeroDivisionError" in line and "somewhere in the answer" in line


@pytest.mark.parametrize("name", exercises.__all__)
def test_answer_with_other_parameters_is_reported(ask, name):
    verdict, line = ask(name, lambda: 0)
    assert verdict is False
    assert "TypeError" in line


@pytest.mark.parametrize("name", exercises.__all__)
def test_check_says_what_it_is_about(name):
    assert getattr(exercises, name).__doc__.startswith("Exercise ")
