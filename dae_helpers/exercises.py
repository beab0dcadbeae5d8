"""Instant checks for the exercises: each says what is wrong and which way to look.

A check takes the reader's answer, prints one line and returns True or False. It tests what the
answer *does*, on inputs drawn anew at every call, so no constant passes.
"""

import functools
import math
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

__all__: list[str] = []

DRAWS = 4  # so that a lucky constant does not pass


class _Unanswered(Exception):
    """The stub is still a stub."""


def _exercise(check: Callable) -> Callable:
    """Make a check of a function that returns what is wrong, or None."""

    @functools.wraps(check)
    def ask(answer) -> bool:
        def answered(*args, **kwargs):
            result = answer(*args, **kwargs)
            if result is None or result is ...:
                raise _Unanswered
            return result

        try:
            with torch.random.fork_rng(devices=[]):  # the reader's random numbers stay the same
                torch.seed()
                problem = next(filter(None, (check(answered) for _ in range(DRAWS))), None)
        except _Unanswered:
            print("Not yet: write your answer in place of the ..., then run both cells again.")
            return False
        except Exception as error:
            problem = f"your code stopped with {type(error).__name__}: {error}"
        print("Right." if problem is None else f"Not quite: {problem}")
        return problem is None

    __all__.append(check.__name__)
    return ask


def _close(found, expected, tolerance: float = 1e-4) -> bool:
    """Whether two tensors, arrays or numbers have the same shape and nearly the same values."""
    found, expected = torch.as_tensor(found), torch.as_tensor(expected)
    return found.shape == expected.shape and torch.allclose(
        found.double(), expected.double(), rtol=tolerance, atol=tolerance
    )


# 01: what is an autoencoder?


@_exercise
def compression_factor(answer):
    """Exercise 1 of notebook 01: how many input numbers there are for one latent number."""
    side, latent = int(torch.randint(20, 40, ())), int(torch.randint(2, 50, ()))
    found = answer(side, side + 1, latent)
    if _close(found, side * (side + 1) / latent):
        return None
    if _close(found, latent / (side * (side + 1))):
        return "that is upside down: input numbers divided by latent numbers."
    return "an image of height x width has height * width numbers: divide these by the latent's."


@_exercise
def error_per_image(answer):
    """Exercise 2 of notebook 01: the mean squared error of each image."""
    a, b = torch.rand(5, 1, 6, 7), torch.rand(5, 1, 6, 7)
    found, expected = answer(a, b), (a - b).square().mean(dim=(1, 2, 3))
    if _close(found, expected):
        return None
    if torch.as_tensor(found).ndim == 0:
        return "that is one number for the whole batch: average over dimensions 1, 2 and 3 only."
    if _close(found, (a - b).square().sum(dim=(1, 2, 3))):
        return "that is the sum over the pixels: the *mean* squared error divides by their number."
    if _close(found, (a - b).abs().mean(dim=(1, 2, 3))):
        return "that is the mean absolute error: square the differences."
    shape = tuple(torch.as_tensor(found).shape)
    return f"the result should be means of squared differences, of shape (5,); it has {shape}."


@_exercise
def pca_by_hand(answer):
    """Exercise 3 of notebook 01: reconstruction from principal components."""
    data = np.random.default_rng().normal(3.0, 1.0, (40, 6))
    mean = data.mean(axis=0)
    components = np.linalg.svd(data - mean, full_matrices=False)[2][:2]
    found = np.asarray(answer(data, mean, components))
    if _close(found, mean + (data - mean) @ components.T @ components):
        return None
    if _close(found, data @ components.T @ components):
        return "the mean is missing: PCA describes the *differences* from the mean."
    if _close(found, (data - mean) @ components.T @ components):
        return "nearly: the mean has to be added again at the end."
    if found.shape == (40, 2):
        return "these are the latents: go back with `@ components`, and add the mean."
    return "encode with `(images - mean) @ components.T`, decode with `@ components`, add the mean."


@_exercise
def neighbour_agreement(answer):
    """Exercise 4 of notebook 01: how often neighbours share a label."""
    rng = np.random.default_rng()
    points, labels, k = rng.normal(size=(60, 2)), rng.integers(0, 3, 60), 5
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    order = np.argsort(distance, axis=1)
    found = float(answer(points, labels, k))
    if _close(found, (labels[order[:, 1 : k + 1]] == labels[:, None]).mean()):
        return None
    if _close(found, (labels[order[:, :k]] == labels[:, None]).mean()):
        return "each point is its own nearest neighbour: ask for k + 1 and leave out the first."
    if not 0 <= found <= 1:
        return "the result is a share, from 0 to 1: take a mean."
    return "compare the labels of each point's k nearest *other* points with its own, and average."


# 02: noise


@_exercise
def standard_deviation(answer):
    """Exercise 1 of notebook 02: from the variance of noise to its standard deviation."""
    var = 0.05 + torch.rand(()).item() / 2
    found = answer(var)
    if _close(found, math.sqrt(var)):
        return None
    if _close(found, var):
        return "that is the variance itself, in *squared* units of brightness."
    if _close(found, var**2):
        return "the other way round: the variance is the square of the standard deviation."
    return f"for a variance of {var:.4f} it should be {math.sqrt(var):.4f}."


@_exercise
def psnr_from_mse(answer):
    """Exercise 2 of notebook 02: from the mean squared error to decibels."""
    mse = torch.rand(4) / 5 + 0.001
    found, expected = torch.as_tensor(answer(mse)), -10 * torch.log10(mse)
    if _close(found, expected):
        return None
    if _close(found, -expected):
        return "the sign: a *smaller* error has to give a *larger* PSNR."
    if _close(found, -10 * torch.log(mse)):
        return "that is the natural logarithm: decibels use base 10."
    if _close(found, 2 * expected):
        return "20 goes with the root of the MSE, 10 with the MSE itself."
    if _close(found, expected / 10):
        return "that is in bels: a decibel is a tenth of one."
    return "the PSNR of images in [0, 1] is -10 * log10(mse)."


@_exercise
def dead_rows(answer):
    """Exercise 3 of notebook 02: a corruption of one's own, whole rows set to black."""
    images = torch.rand(50, 1, 20, 12) * 0.5 + 0.5
    before = images.clone()
    found = answer(images, 0.3, torch.Generator().manual_seed(1))
    if not torch.equal(images, before):
        return "it changed the image that it was given: work on a copy."
    if found.shape != images.shape:
        return f"the shape should stay {tuple(images.shape)}, but it is {tuple(found.shape)}."
    dead = (found == 0).all(dim=3)
    if not torch.equal(found, images.masked_fill(dead[..., None], 0)):
        return "a row should be all black or as it was: draw one number a row, (N, 1, H, 1)."
    if (dead == dead[:1]).all():
        return "every image lost the same rows: draw a number for each row of *each* image."
    if not _close(dead.double().mean(), 0.3, 0.06):
        return (
            f"{dead.double().mean():.0%} of the rows are dead, it should be about 30 %: is it "
            "the dead or the living ones that you draw?"
        )
    if not torch.equal(found, answer(images, 0.3, torch.Generator().manual_seed(1))):
        return "the same seed gives other rows: hand the generator on to torch.rand."
    return None


@_exercise
def clamped_mean(answer):
    """Exercise 4 of notebook 02: the mean of a clamped noisy pixel of any grey."""
    grey, var = torch.rand(()).item(), 0.05 + torch.rand(()).item() / 4
    s = math.sqrt(var)

    def pdf(x):
        return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)

    def cdf(x):
        return (1 + math.erf(x / math.sqrt(2))) / 2

    a, b = -grey / s, (1 - grey) / s
    expected = grey * (cdf(b) - cdf(a)) + s * (pdf(a) - pdf(b)) + 1 - cdf(b)
    found = float(answer(grey, var))
    if abs(found - expected) < 0.005:
        return None
    if abs(found - grey) < 0.005:
        return "that is the mean *without* clamping."
    if abs(found - (expected - (1 - cdf(b)))) < 0.005:
        return "the pixels that were clamped to 1 are missing: they count as 1."
    return f"for grey {grey:.3f} and variance {var:.3f} it should be about {expected:.3f}."


# 03: the model


@_exercise
def convolution_size(answer):
    """Exercise 1 of notebook 03: the height of a convolution's output."""
    for draw in range(8):
        size, kernel = int(torch.randint(12, 40, ())), int(torch.randint(2, 6, ()))
        stride, padding = int(torch.randint(1, 4, ())), int(torch.randint(0, 3, ()))
        if draw == 0:
            stride, padding = 1, 2  # where padding on one side only shows best
        layer = nn.Conv2d(1, 1, kernel, stride=stride, padding=padding)
        expected = layer(torch.zeros(1, 1, size, size)).shape[-1]
        found = answer(size, kernel, stride, padding)
        if found == expected:
            continue
        case = f"size {size}, kernel {kernel}, stride {stride}, padding {padding}"
        if found == expected - 1:
            return f"one too small for {case}: count the first position of the kernel too."
        if found == (size + padding - kernel) // stride + 1:
            return "the padding is added on *both* sides."
        if isinstance(found, float):
            return "a size is a whole number: round down, with //."
        return f"for {case} it should be {expected}, but it is {found}."
    return None


@_exercise
def transposed_size(answer):
    """Exercise 2 of notebook 03: the height of a transposed convolution's output."""
    for _ in range(8):
        size, kernel, stride = (int(torch.randint(*r, ())) for r in ((3, 20), (2, 6), (1, 4)))
        padding = int(torch.randint(0, (kernel + 1) // 2, ()))
        layer = nn.ConvTranspose2d(1, 1, kernel, stride=stride, padding=padding)
        expected = layer(torch.zeros(1, 1, size, size)).shape[-1]
        found = answer(size, kernel, stride, padding)
        if found == expected:
            continue
        case = f"size {size}, kernel {kernel}, stride {stride}, padding {padding}"
        if found == size * stride - 2 * padding + kernel:
            return f"too large for {case}: between n copies of the kernel there are n - 1 steps."
        if found == (size - 1) * stride + 2 * padding + kernel:
            return "padding cuts the output of a *transposed* convolution: subtract it."
        return f"for {case} it should be {expected}, but it is {found}."
    return None


@_exercise
def parameters_of_convolution(answer):
    """Exercise 3 of notebook 03: the parameters of a convolution."""
    channels_in, channels_out, kernel = (int(torch.randint(2, 9, ())) for _ in range(3))
    channels_out += 9
    layer = nn.Conv2d(channels_in, channels_out, kernel)
    expected = sum(p.numel() for p in layer.parameters())
    found = answer(channels_in, channels_out, kernel)
    if found == expected:
        return None
    if found == expected - channels_out:
        return "the biases are missing: one for each output channel."
    if found == channels_in * channels_out * kernel + channels_out:
        return "a kernel has kernel * kernel weights, in each input channel."
    if found == expected - channels_out + channels_in:
        return "there is one bias for each *output* channel."
    return f"{channels_in} to {channels_out} channels, kernel {kernel}: {expected}, not {found}."


@_exercise
def receptive_field(answer):
    """Exercise 4 of notebook 03: the receptive field of a stack of layers."""
    for _ in range(4):
        layers = [
            (int(k), int(s))
            for k, s in zip(torch.randint(1, 6, (4,)), torch.randint(1, 4, (4,)), strict=True)
        ]
        field, jump, wrong = 1, 1, 1
        for kernel, stride in layers:
            field += (kernel - 1) * jump
            wrong += kernel - 1
            jump *= stride
        found = answer(layers)
        if found == field:
            continue
        if found == wrong and wrong != field:
            return "the strides are missing: behind a stride of 2 a kernel reaches twice as far."
        return f"for the (kernel, stride) pairs {layers} it should be {field}, but it is {found}."
    return None


# 04: training


@_exercise
def loss_against_the_original(answer):
    """Exercise 1 of notebook 04: the loss of a denoising autoencoder."""
    output, corrupted, original = (torch.rand(5, 1, 6, 6) for _ in range(3))
    found, expected = answer(output, corrupted, original), (output - original).square().mean()
    if _close(found, expected):
        return None
    if _close(found, (output - corrupted).square().mean()):
        return "that compares with the *corrupted* image: it would reward keeping the noise."
    if _close(found, (corrupted - original).square().mean()):
        return "the output of the model does not occur in that."
    if _close(found, (output - original).square().sum()):
        return "that is the sum: take the mean, so that the loss does not depend on the batch size."
    if _close(found, (output - original).square().sum() / 5):
        return "that divides by the images only: take the mean over the pixels too."
    return "square the differences between output and original, and take the mean over everything."


@_exercise
def gradient_step(answer):
    """Exercise 2 of notebook 04: one step of gradient descent, in place."""
    start = torch.randn(6)
    weight = start.clone().requires_grad_()
    weight.square().sum().backward()  # the gradient is twice the weight
    frozen = nn.Parameter(torch.ones(2), requires_grad=False)
    result = answer([weight, frozen], 0.1)
    if not isinstance(result, list):
        return "return the list of parameters at the end."
    if torch.equal(weight, start):
        return "the parameter did not move: change it in place, `parameter -= ...`."
    if _close(weight.detach(), 1.2 * start):
        return "that goes uphill: subtract the gradient."
    if not _close(weight.detach(), 0.8 * start):
        return "each parameter should move by -lr times its gradient."
    if weight.grad is not None and weight.grad.abs().sum() > 0:
        return "reset the gradient to None: otherwise the next backward pass adds to it."
    return None


@_exercise
def epoch_loss(answer):
    """Exercise 3 of notebook 04: the mean loss of an epoch with a short last batch."""
    sizes = [32, 32, int(torch.randint(1, 12, ()))]
    losses = torch.rand(3).tolist()
    total = sum(loss * size for loss, size in zip(losses, sizes, strict=True))
    found = float(answer(losses, sizes))
    if _close(found, total / sum(sizes)):
        return None
    if _close(found, sum(losses) / 3):
        return "the short last batch counts as much as a full one there: weight by batch size."
    if _close(found, total / 3):
        return "a sum over images was divided by the number of *batches*: divide by the images."
    if _close(found, total):
        return "that is the sum over all images: divide by their number."
    return f"losses {losses} of batches of {sizes} have the mean {total / sum(sizes):.4f}."


@_exercise
def starting_bias(answer):
    """Exercise 4 of notebook 04: the output bias whose sigmoid is the mean brightness."""
    images = torch.rand(20, 1, 8, 8) * (0.2 + 0.7 * torch.rand(()))
    mean = images.mean()
    found = torch.as_tensor(answer(images)).double()
    if found.ndim == 0 and _close(torch.sigmoid(found), mean.double()):
        return None
    if found.ndim > 0:
        return "the layer has a single output channel: give one number for all images."
    if _close(found, mean.double()):
        return "that is the brightness itself; the bias stands *before* the sigmoid: invert that."
    if _close(torch.sigmoid(-found), mean.double()):
        return "the sign: dark images need a negative bias."
    if _close(found, mean.double().log()):
        return "nearly: the inverse of the sigmoid is log(m / (1 - m))."
    return "sigmoid(bias) should be the mean brightness of the images."


# 05: evaluation


@_exercise
def decibels_gained(answer):
    """Exercise 1 of notebook 05: the mean gain in PSNR, image by image."""
    original = torch.rand(6, 1, 8, 8)
    scale = torch.linspace(0.05, 0.4, 6).reshape(6, 1, 1, 1)
    corrupted = (original + scale * torch.randn(6, 1, 8, 8)).clamp(0, 1)
    denoised = (original + scale.flip(0) * 0.5 * torch.randn(6, 1, 8, 8)).clamp(0, 1)

    def decibels(x):
        return -10 * (x - original).square().mean(dim=(1, 2, 3)).log10()

    def pooled(x):
        return -10 * (x - original).square().mean().log10()

    found = float(answer(denoised, corrupted, original))
    expected = (decibels(denoised) - decibels(corrupted)).mean().item()
    if _close(found, expected):
        return None
    if _close(found, -expected):
        return "the sign: a better image has a higher PSNR, and that should count as a gain."
    if _close(found, (pooled(denoised) - pooled(corrupted)).item()):
        return "that is the PSNR of the mean MSE: take the PSNR of each image first, then the mean."
    if _close(found, decibels(denoised).mean().item()):
        return "subtract the PSNR of the corrupted images, which is there for nothing."
    return "the PSNR of each denoised image minus that of the corrupted one, averaged."


@_exercise
def half_width(answer):
    """Exercise 2 of notebook 05: the half width of a 95 % confidence interval."""
    values = torch.randn(200) * (1 + torch.rand(()))
    s, n = values.std().item(), len(values)
    found = float(answer(values))
    if abs(found - 1.96 * s / n**0.5) < 0.05 * s / n**0.5:
        return None
    if abs(found - s) < 0.01 * s or abs(found - 1.96 * s) < 0.1 * s:
        return "that is how far *images* spread; for the mean, divide by the root of their number."
    if abs(found - s / n**0.5) < 0.01 * s / n**0.5:
        return "that is the standard error; an interval of 95 % takes 1.96 of them."
    if abs(found - 3.92 * s / n**0.5) < 0.1 * s / n**0.5:
        return "that is the whole width: the half of it stands behind the ±."
    return "1.96 times the standard deviation, divided by the root of the number of values."


@_exercise
def box_filter(answer):
    """Exercise 3 of notebook 05: a 3x3 mean filter written as a convolution."""
    images = torch.rand(3, 1, 9, 11)
    found = torch.as_tensor(answer(images))
    kernel = torch.full((1, 1, 3, 3), 1 / 9)
    inside = nn.functional.conv2d(images, kernel)
    if found.shape == inside.shape:
        return "the image has shrunk: a padding of 1 keeps its size."
    if found.shape != images.shape:
        return f"the shape should stay {tuple(images.shape)}, but it is {tuple(found.shape)}."
    middle = found[..., 1:-1, 1:-1]
    if _close(middle, inside):
        return None
    if _close(middle, 9 * inside):
        return "that is the *sum* of the nine pixels: divide by 9."
    return "each pixel should become the mean of the 3x3 pixels around it."


@_exercise
def best_weight(answer):
    """Exercise 4 of notebook 05: the best blend of the denoised and the corrupted image."""
    original = torch.rand(4, 1, 8, 8)
    denoised = original + (0.05 + 0.15 * torch.rand(())) * torch.randn(4, 1, 8, 8)
    corrupted = original + (0.05 + 0.25 * torch.rand(())) * torch.randn(4, 1, 8, 8)
    difference = denoised - corrupted
    expected = ((original - corrupted) * difference).sum() / difference.square().sum()
    found = float(answer(denoised, corrupted, original))
    if abs(found - expected) < 0.02:
        return None
    if abs(1 - found - expected) < 0.02:
        return "that is the weight of the *corrupted* image."
    return f"here {expected:.2f} has the lowest MSE, not {found:.2f}: try many, or derive it."


# 06: the family


@_exercise
def hoyer_sparsity(answer):
    """Exercise 1 of notebook 06: Hoyer's sparsity of each latent."""
    n = int(torch.randint(10, 40, ()))
    latents = torch.randn(6, n) * (torch.rand(6, n) > 0.5)
    latents[:, 0] = 1 + torch.rand(6)
    root, l1, l2 = n**0.5, latents.abs().sum(dim=1), latents.norm(dim=1)
    found, expected = torch.as_tensor(answer(latents)), (root - l1 / l2) / (root - 1)
    if _close(found, expected):
        return None
    if found.ndim == 0:
        return "that is one number for all latents: sum over dimension 1 only."
    if _close(found, 1 - expected):
        return "upside down: 1 stands for the sparsest latent."
    if _close(found, (root - latents.sum(dim=1) / l2) / (root - 1)):
        return "the sum is over *absolute* values: otherwise plus and minus cancel."
    if _close(found, (root - l1 / l2.square()) / (root - 1)):
        return "divide by the root of the sum of squares, not by the sum itself."
    if _close(found, (n - l1 / l2) / (n - 1)):
        return "the *root* of n stands in the formula, twice."
    return f"(root of n - L1 / L2) / (root of n - 1), one number a row; shape {tuple(found.shape)}."


@_exercise
def latent_path(answer):
    """Exercise 2 of notebook 06: images on the way between two latents."""
    mix, count = torch.randn(3, 36), int(torch.randint(4, 8, ()))
    first, second = torch.rand(1, 1, 6, 6), torch.rand(1, 1, 6, 6)

    def encode(x):
        return torch.tanh(x.flatten(1) @ mix.T).reshape(-1, 3, 1, 1)

    def decode(z):
        return torch.sigmoid(z.flatten(1) @ mix).reshape(-1, 1, 6, 6)

    shares = torch.linspace(0, 1, count).reshape(-1, 1, 1, 1)

    def line(a, b, t=shares):
        return (1 - t) * a + t * b

    expected = decode(line(encode(first), encode(second)))
    found = torch.as_tensor(answer(encode, decode, first, second, count))
    if _close(found, expected):
        return None
    if _close(found, expected.flip(0)):
        return "the other way round: start at the first image."
    if _close(found, decode(encode(line(first, second)))) or _close(found, line(first, second)):
        return "that blends the *pixels*: encode both images first, and blend their latents."
    if _close(found, line(decode(encode(first)), decode(encode(second)))):
        return "that blends the two outputs: blend the latents, then decode each blend."
    inner = torch.linspace(0, 1, count + 2)[1:-1].reshape(-1, 1, 1, 1)
    open_end = (torch.arange(count) / count).reshape(-1, 1, 1, 1)
    for t in (inner, open_end):
        if _close(found, decode(line(encode(first), encode(second), t))):
            return "both ends belong to the path: the shares run from 0 to 1, both included."
    if found.shape != expected.shape:
        return f"the shape should be {tuple(expected.shape)}, but it is {tuple(found.shape)}."
    return "decode (1 - t) * a + t * b for shares t from 0 to 1; a and b are the two latents."


@_exercise
def jacobian_norm(answer):
    """Exercise 3 of notebook 06: the squared Frobenius norm of a Jacobian."""
    d, k = int(torch.randint(5, 9, ())), int(torch.randint(10, 14, ()))
    weight, x = torch.randn(k, d), torch.randn(d)

    def function(v):
        return torch.tanh(weight @ v)

    table = (1 - torch.tanh(weight @ x).square())[:, None] * weight
    found, expected = float(answer(function, x)), table.square().sum().item()
    if abs(found - expected) < 0.1 * expected:
        return None
    if abs(found - expected**0.5) < 0.05 * expected**0.5:
        return "that is the norm itself: square it."
    if _close(found, table.sum().item(), 1e-3):
        return "that is the sum of the derivatives: square each one first."
    if _close(found, torch.linalg.matrix_norm(table, 2).square().item(), 1e-3):
        return "that is the squared *spectral* norm, the largest stretch: sum all squares."
    if abs(found - expected / d) < 0.1 * expected / d or abs(found - expected / (d * k)) < 1e-4:
        return "that is a mean of squares: the Frobenius norm takes their *sum*."
    return f"the squares of all {k} x {d} derivatives add up to {expected:.3f}, not {found:.3f}."


@_exercise
def evidence_bound(answer):
    """Exercise 4 of notebook 06: the ELBO of images, with its constant."""
    images, rebuilt = torch.rand(4, 1, 6, 7), torch.rand(4, 1, 6, 7)
    kl, s2 = 5 * torch.rand(4), 0.05 + torch.rand(()).item() / 2
    squared, size = (images - rebuilt).square().sum(dim=(1, 2, 3)), 42

    def bound(constant=1.0, price=1.0, variance=s2, per=1):
        logs = -constant * size / 2 * math.log(2 * math.pi * s2)
        return (logs - squared / (2 * variance)) / per - price * kl

    found = torch.as_tensor(answer(images, rebuilt, kl, s2))
    if _close(found, bound()):
        return None
    if found.ndim == 0:
        return "that is one number for all images: sum over dimensions 1, 2 and 3 only."
    if _close(found, -bound()):
        return "the sign: that is the loss. The ELBO is a log probability, and high is good."
    if _close(found, bound(price=-1)):
        return "the KL term is a price: subtract it."
    if _close(found, bound(price=0)):
        return "the KL term is missing."
    if _close(found, bound(constant=0)):
        return "the constant with log(2 pi s2) is missing."
    if _close(found, bound(constant=1 / size)):
        return "the constant counts once for each *pixel*: multiply it by D."
    if _close(found, bound(variance=s2**2)):
        return "s2 is the variance already: do not square it again."
    if _close(found, bound(per=size)):
        return "that is a mean over the pixels: the log probabilities of pixels *add up*."
    return "add the three terms of the formula, for each image by itself."


# 07: applications


@_exercise
def exact_match(answer):
    """Exercise 1 of notebook 07: the chance that a whole number is read without an error."""
    for _ in range(3):
        p, n = 0.5 + torch.rand(()).item() / 2.1, int(torch.randint(2, 12, ()))
        found = float(answer(p, n))
        if _close(found, p**n):
            continue
        case = f"digit accuracy {p:.3f}, {n} digits"
        if _close(found, p):
            return "that is the chance for a single digit: *all* of them have to be right."
        if _close(found, p * n):
            return "probabilities of independent events are multiplied, not added."
        if _close(found, 1 - (1 - p) ** n):
            return "that is the chance that *at least one* digit is right."
        if _close(found, 1 - p**n):
            return "that is the chance of at least one error: take the opposite."
        return f"for {case} it should be {p**n:.4f}, but it is {found:.4f}."
    return None


@_exercise
def reader_that_may_refuse(answer):
    """Exercise 2 of notebook 07: how much is read above a confidence, and how much of it is right.

    Probabilities (N, 10), labels (N,), a threshold; the answer is two shares.
    """
    probabilities = (3 * torch.randn(300, 10)).softmax(dim=1)
    confidence, read = probabilities.max(dim=1)
    labels = torch.where(torch.rand(300) < confidence, read, (read + 1) % 10)
    threshold = confidence.quantile(0.2 + 0.5 * torch.rand(())).item()
    kept, right = confidence > threshold, read == labels
    share, accuracy = kept.float().mean(), right[kept].float().mean()
    found = answer(probabilities, labels, threshold)
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        return "return two numbers: the share that is read, and the accuracy among those."
    first, second = (torch.as_tensor(x).float() for x in found)
    if _close(first, share) and _close(second, accuracy):
        return None
    if _close(first, accuracy) and _close(second, share):
        return "the other way round: first the share that is read, then the accuracy."
    if _close(first, 1 - share):
        return "that is the share that is *refused*: read where the confidence is high enough."
    if _close(second, right.float().mean()):
        return "that is the accuracy over all digits: count only those that are read."
    if _close(second, (right & kept).float().mean()):
        return "divide by the number of digits that are *read*, not by all of them."
    return f"here {share:.3f} are read and {accuracy:.3f} of these are right."


@_exercise
def best_accuracy(answer):
    """Exercise 3 of notebook 07: the accuracy of the best possible reader, from a table.

    ``joint`` (classes, observations): the probability of each pair; all of it adds up to 1.
    """
    joint = torch.rand(3, 5) ** 3
    joint = joint / joint.sum()
    best = joint.max(dim=0).values
    found = torch.as_tensor(answer(joint)).float()
    if _close(found, best.sum()):
        return None
    if found.ndim > 0:
        return "return one number: the sum over all observations."
    if _close(found, joint.max(dim=1).values.sum()):
        return "that takes the largest in each row: the reader sees the *observation*, a column."
    if _close(found, (best / joint.sum(dim=0)).mean()):
        return "observations are not equally likely: do not average, the table has their weights."
    if _close(found, joint.sum(dim=1).max()):
        return "that reader looks at nothing and always says the most frequent class."
    if _close(found, joint.max()):
        return "that counts a single observation: add up over all of them."
    return f"the largest number of each column, added up: {best.sum():.4f}, not {found:.4f}."


@_exercise
def blending_weights(answer):
    """Exercise 4 of notebook 07: a window whose overlapping copies add up to 1."""
    overlap = int(torch.randint(3, 12, ()))
    tile = 2 * overlap + int(torch.randint(1, 9, ()))
    found = torch.as_tensor(answer(tile, overlap)).double()
    if found.shape != (tile,):
        return f"the weights should have the shape ({tile},), but it is {tuple(found.shape)}."
    middle, end = found[overlap : tile - overlap], found[:overlap] + found[tile - overlap :]
    if _close(found, torch.ones(tile).double()):
        return "where two tiles overlap, equal weights of 1 add up to 2."
    if found.min() < 0 or found.max() > 1 + 1e-6:
        return "weights lie between 0 and 1."
    if not _close(middle, torch.ones_like(middle)):
        return "in the middle, where there is no other tile, the weight should be 1."
    if not _close(end, torch.ones_like(end)):
        return "the end of one tile and the start of the next should add up to 1, pixel by pixel."
    if (found[:overlap].diff() <= 0).any() or found[0] > 0.5:
        return "the weights add up, but they should *rise* over the overlap: a step is a seam."
    return None
