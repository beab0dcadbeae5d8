"""Whatever goes in: a result of the promised shape and range, or a ValueError or TypeError.

Inputs are drawn by hypothesis, the same at every run. The quick run draws a few for each function,
the slow run hundreds, and counts the bad ones.
"""

import collections
import math
import tempfile

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

import dae_helpers
from dae_helpers import (
    CorruptedDigits,
    Decoder,
    DenoisingAutoencoder,
    Digits,
    Encoder,
    History,
    SkipDenoiser,
    course,
    dark_start,
    denoise_loss,
    load_mnist,
    load_pretrained,
    minibatch_gd,
    minibatch_loss,
    noise,
    one_cycle,
    psnr,
    ssim,
)
from dae_helpers.evaluation import CLASSICAL, best_setting, classical, denoise, mean_ci

QUICK, SLOW, AT_LEAST = 15, 250, 1000
TRIED = collections.defaultdict(collections.Counter)


def attempt(function, *args, **kwargs):
    """The result, or None where the input was refused, which is counted."""
    name = getattr(function, "__name__", type(function).__name__)
    try:
        result = function(*args, **kwargs)
    except (ValueError, TypeError) as error:
        assert len(str(error)) > 10, "an error says what was expected"
        TRIED[name]["refused"] += 1
        return None
    TRIED[name]["answered"] += 1
    return result


def over(**strategies):
    """Make a property a test: a few examples, or many in the slow run."""

    def wrap(function):
        @pytest.mark.parametrize("n", [QUICK, pytest.param(SLOW, marks=pytest.mark.slow)])
        def test(n):
            options = {"deadline": None, "database": None, "derandomize": True}
            run = settings(max_examples=n, suppress_health_check=list(HealthCheck), **options)
            run(given(**strategies)(function))()

        return test

    return wrap


# What goes in


WORDS = st.text("ab0 ä", max_size=3)  # of a few letters: to know all takes hypothesis seconds
JUNK = st.one_of(st.none(), st.booleans(), st.integers(), WORDS, st.just([0.5]), st.just(object()))


@st.composite
def mostly(draw, good, bad=JUNK):
    """Nine times out of ten a draw that the function should take, else one that it should not."""
    return draw(bad if draw(st.integers(0, 9)) == 9 else good)


NUMBERS = mostly(st.one_of(st.floats(0.01, 1), st.integers(1, 8)), st.one_of(st.floats(), JUNK))
SEEDS = st.integers(0, 1000)
FILLS = {
    "good": lambda x: x,
    "binary": lambda x: x.round(),
    "constant": lambda x: torch.full_like(x, 0.5),
    "too bright": lambda x: x * 255,
    "negative": lambda x: x - 0.5,
    "NaN": lambda x: x.masked_fill(x > 0.5, math.nan),
    "infinite": lambda x: x.masked_fill(x > 0.5, math.inf),
}


@st.composite
def tensors(draw, good_shape=None):
    """Tensors of any shape, type and content; most of them are good images."""
    usual = st.tuples(st.integers(1, 3), st.just(1), st.integers(11, 14), st.integers(8, 14))
    three = st.tuples(st.integers(1, 3), st.integers(1, 14), st.integers(1, 14))
    odd = st.lists(st.integers(0, 5), max_size=5).map(tuple)
    good = st.one_of(usual, usual, three) if good_shape is None else st.just(good_shape)
    shape = draw(mostly(good, odd))
    x = torch.rand(shape, generator=torch.Generator().manual_seed(draw(SEEDS)))
    x = FILLS[draw(mostly(st.just("good"), st.sampled_from(list(FILLS))))](x)
    odd_kinds = [torch.float64, torch.float16, torch.uint8, torch.bool]
    kind = draw(mostly(st.just(torch.float32), st.sampled_from(odd_kinds)))
    x = (x if kind.is_floating_point else x.nan_to_num()).to(kind)
    return x.transpose(-1, -2) if x.ndim > 1 and draw(st.booleans()) else x


def images(**options):
    """Tensors, or something else altogether."""
    return mostly(tensors(**options), st.one_of(JUNK, st.just(np.zeros((1, 4, 4)))))


GENERATORS = mostly(st.one_of(st.none(), SEEDS.map(lambda n: torch.Generator().manual_seed(n))))


def same_kind(result, like):
    return result.shape == like.shape and result.dtype == like.dtype


def in_unit_range(x):
    return bool(((x >= 0) & (x <= 1)).all())


# The corruptions


NOISES = {noise.gaussian_noise: "var", noise.speckle_noise: "var", noise.poisson_noise: "peak"}
NOISES |= {noise.masking_noise: "fraction", noise.salt_and_pepper_noise: "fraction"}
NOISES |= {noise.occlusion_noise: "size"}


@over(
    function=st.sampled_from(list(NOISES)), image=images(), strength=NUMBERS, generator=GENERATORS
)
def test_noise(function, image, strength, generator):
    before = image.clone() if isinstance(image, torch.Tensor) else None
    result = attempt(function, image, generator=generator, **{NOISES[function]: strength})
    if result is not None:
        assert same_kind(result, image) and in_unit_range(result)
    if before is not None:
        assert torch.equal(image.nan_to_num(), before.nan_to_num()), "the input stays as it was"


@over(image=tensors(), mean=NUMBERS, var=NUMBERS)
def test_gaussian_noise_of_any_mean(image, mean, var):
    result = attempt(noise.gaussian_noise, image, mean, var)
    if result is not None:
        assert same_kind(result, image) and in_unit_range(result)


@over(image=tensors(), value=st.floats(-1e7, 1e7), var=st.floats(-1, 1e7))
def test_extreme_gaussian_noise(image, value, var):
    result = attempt(noise.gaussian_noise, image, value, var)
    if result is not None:
        assert in_unit_range(result)


# Losses and measures


@over(a=tensors(), b=tensors(), same=st.booleans())
def test_losses(a, b, same):
    b = a if same else b
    for function, args in ((denoise_loss, (a, b)), (minibatch_loss, (nn.Identity(), a, b))):
        loss = attempt(function, *args)
        if loss is not None:
            assert loss.shape == () and not loss < 0


@over(a=images(), b=images(), same=st.booleans())
def test_measures(a, b, same):
    b = a if same else b
    for function in (psnr, ssim):
        result = attempt(function, a, b)
        if result is not None:
            assert result.shape == (len(a),) and result.is_floating_point()
            low, high = (-1e-6, math.inf) if function is psnr else (-1 - 1e-6, 1 + 1e-6)
            assert ((result >= low) & (result <= high)).all()


@over(values=mostly(st.lists(st.floats(-9, 9), min_size=2).map(torch.tensor), images()))
def test_mean_ci(values):
    result = attempt(mean_ci, values)
    if result is not None:
        assert len(result) == 2 and all(isinstance(number, float) for number in result)


# Layers


LAYERS = {layer: layer().eval() for layer in (Encoder, Decoder, DenoisingAutoencoder, SkipDenoiser)}


@over(
    layer=st.sampled_from(list(LAYERS)),
    x=st.one_of(images(good_shape=(2, 1, 28, 28)), images(good_shape=(2, 64, 3, 3))),
)
def test_layers(layer, x):
    with torch.no_grad():
        result = attempt(LAYERS[layer], x)
    if result is None:
        return
    n, _, height, width = x.shape
    if layer is Encoder:
        assert result.shape == (n, 64, height // 8, width // 8)
    else:
        assert result.shape[:2] == (n, 1) and not ((result < 0) | (result > 1)).any()


# Digits


@over(x=images(), labels=st.one_of(tensors(), JUNK), fit=mostly(st.just(True), st.just(False)))
def test_digits(x, labels, fit):
    if fit and isinstance(x, torch.Tensor) and x.ndim:
        labels = torch.arange(len(x))
    digits = attempt(Digits, x, labels, "a test")
    if digits is not None:
        assert len(digits) == len(digits.images) == len(digits.labels)
        assert in_unit_range(digits.images) and "a test" in repr(digits)


DIGITS = Digits(torch.rand(6, 1, 8, 8), torch.arange(6), "random numbers")


@over(
    digits=mostly(st.just(DIGITS)),
    kind=mostly(st.sampled_from(list(NOISES))),
    fresh=mostly(st.booleans()),
    seed=mostly(SEEDS, st.one_of(st.integers(), NUMBERS)),
    index=mostly(st.one_of(st.integers(-6, 5), st.just(slice(2, 5)), st.just([3, 1]))),
)
def test_corrupted_digits(digits, kind, fresh, seed, index):
    pairs = attempt(CorruptedDigits, digits, kind, fresh, seed)
    if pairs is None:
        return
    assert len(pairs) == 6
    try:
        pair = attempt(pairs.__getitem__, index)
    except IndexError:  # what a sequence owes its readers
        return
    if pair is not None:
        corrupted, original = pair
        assert same_kind(corrupted, original) and in_unit_range(corrupted)
        again = CorruptedDigits(digits, kind, fresh, seed)[index]
        assert torch.equal(again[0], corrupted), "the same seed gives the same noise"


@over(train=st.one_of(st.booleans(), JUNK), root=st.one_of(st.just("none"), JUNK))
def test_load_mnist(train, root):
    with tempfile.TemporaryDirectory() as folder:
        root = f"{folder}/none" if root == "none" else root
        digits = attempt(load_mnist, train, root, download=False)
    if digits is not None:
        assert digits.images.shape[1:] == (1, 28, 28) and in_unit_range(digits.images)
        assert set(digits.labels.tolist()) <= set(range(10))


# Training


def small_model():
    return nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Sigmoid())


PAIRS = CorruptedDigits(DIGITS)
SETS = mostly(st.just(PAIRS), st.one_of(st.sampled_from([DIGITS, [], [1]]), JUNK))
FEW = JUNK.filter(lambda x: not isinstance(x, int) or x < 20)  # no runs of a million steps
COUNTS = mostly(st.integers(1, 3), st.one_of(st.integers(-1, 0), FEW))
MODELS = mostly(st.builds(small_model), st.one_of(st.builds(nn.Identity), JUNK))
DEVICES = mostly(st.just("cpu"), st.sampled_from(["cuda", "cuda:99", "meta", "gpu", "", 3.5]))
HISTORIES = mostly(st.builds(History), st.one_of(st.builds(lambda: History([0.1], [])), JUNK))


def is_history(history):
    losses = history.train_loss + history.test_loss
    return len(history.train_loss) == len(history.test_loss) and all(
        math.isfinite(loss) and loss >= 0 for loss in losses
    )


@over(
    model=MODELS,
    num_epochs=COUNTS,
    train_set=SETS,
    test_set=SETS,
    options=st.fixed_dictionaries(
        {},
        optional={
            "lr": NUMBERS,
            "batch_size": COUNTS,
            "steps_per_epoch": COUNTS,
            "seed": mostly(SEEDS, NUMBERS),
            "device": DEVICES,
            "history": HISTORIES,
            "optimizer": mostly(st.none()),
            "scheduler": mostly(st.none()),
            "on_epoch_end": mostly(st.none()),
        },
    ),
)
def test_minibatch_gd(model, num_epochs, train_set, test_set, options):
    sets = [train_set, test_set]
    try:
        history = attempt(minibatch_gd, model, num_epochs, *sets, progress=False, **options)
    except FloatingPointError as error:  # promised where the learning rate is far too large
        assert "learning rate" in str(error) and options.get("lr", 0) > 1
        return
    if history is not None:
        assert is_history(history)


@over(model=MODELS, train_set=SETS, steps=COUNTS, lr=NUMBERS, batch_size=COUNTS, parts=COUNTS)
def test_one_cycle(model, train_set, steps, lr, batch_size, parts):
    sets, quiet = (train_set, PAIRS), {"parts": parts, "progress": False}
    try:
        history = attempt(one_cycle, model, *sets, steps, lr, batch_size, **quiet)
    except FloatingPointError:
        return
    assert history is None or is_history(history) and len(history.test_loss) == parts


@over(model=MODELS, x=images())
def test_dark_start(model, x):
    if attempt(dark_start, model, x) is not None:
        brightness = torch.sigmoid(model[0].bias)
        assert torch.allclose(brightness, x.float().mean(), atol=1e-3)


# Evaluation, weights, the size of the run


@over(model=MODELS, x=images(), batch_size=COUNTS)
def test_denoise(model, x, batch_size):
    result = attempt(denoise, model, x, batch_size)
    if result is not None:
        assert result.shape == x.shape


@over(
    name=mostly(st.sampled_from(sorted(CLASSICAL))),
    x=images(good_shape=(2, 1, 14, 14)),
    setting=NUMBERS,
    settings_=mostly(st.sampled_from([[0.5], [3], [3, 5]]), st.one_of(st.just([]), JUNK)),
)
def test_classical(name, x, setting, settings_):
    result = attempt(classical, name, x, setting)
    if result is not None:
        assert result.shape == x.shape and in_unit_range(result)
    best = attempt(best_setting, name, x, x, settings_)
    assert best is None or best in settings_


@over(epochs=st.one_of(st.sampled_from([1, 400, "fast", "skip"]), NUMBERS))
def test_load_pretrained(epochs):
    model = attempt(load_pretrained, epochs)
    if model is not None:
        expected = SkipDenoiser if epochs == "skip" else DenoisingAutoencoder
        assert isinstance(model, expected) and not model.training


@over(smoke=JUNK, lesson=JUNK)
def test_pick(smoke, lesson):
    assert course.pick(smoke, lesson) in (smoke, lesson)


def test_every_public_name_has_a_property():
    with open(__file__, encoding="utf-8") as file:
        source = file.read()
    names = [name for name, value in vars(dae_helpers).items() if callable(value)]
    assert len(names) > 15
    once = {function.__name__ for function in NOISES}  # they are not imported, but listed
    assert [name for name in names if source.count(name) < 2 - (name in once)] == []


@pytest.mark.slow
def test_enough_bad_input_was_tried():
    """The last test here: what the slow run has counted."""
    print(f"\n\n{'function':<26}{'refused':>9}{'answered':>10}")
    for name, tried in sorted(TRIED.items()):
        print(f"{name:<26}{tried['refused']:>9}{tried['answered']:>10}")
    refused = sum(tried["refused"] for tried in TRIED.values())
    print(f"{'all':<26}{refused:>9}{sum(tried['answered'] for tried in TRIED.values()):>10}")
    assert refused >= AT_LEAST, f"{refused} bad inputs, at least {AT_LEAST} expected"
