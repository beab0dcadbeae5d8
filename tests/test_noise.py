"""The six corruptions: closed forms, seeds, shapes, types and clear errors."""

import math

import numpy as np
import pytest
import torch
from refused import refused
from scipy import stats

from dae_helpers import (
    gaussian_noise,
    masking_noise,
    occlusion_noise,
    poisson_noise,
    psnr,
    salt_and_pepper_noise,
    speckle_noise,
)

NOISES = [
    gaussian_noise,
    masking_noise,
    salt_and_pepper_noise,
    speckle_noise,
    poisson_noise,
    occlusion_noise,
]
SIDE = 400  # a flat image of 160,000 pixels


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def flat(grey, channels=1, dtype=torch.float64):
    return torch.full((channels, SIDE, SIDE), grey, dtype=dtype)


def assert_moments(values, mean, variance, fourth_central_moment):
    """Sample mean and variance lie within 5 standard errors of what they should be."""
    n = values.numel()
    assert abs(values.mean().item() - mean) < 5 * math.sqrt(variance / n)
    error_of_variance = math.sqrt((fourth_central_moment - variance**2) / n)
    assert abs(values.var().item() - variance) < 5 * error_of_variance


def clamped_moments(grey, mean, s):
    """Mean, variance and fourth central moment of a clamped Gaussian pixel, by integration."""
    normal = stats.norm(loc=grey + mean, scale=s)
    at_white = normal.sf(1)

    def moment(power, centre):
        inside = normal.expect(lambda x: (x - centre) ** power, lb=0, ub=1)
        return inside + normal.cdf(0) * (0 - centre) ** power + at_white * (1 - centre) ** power

    first = moment(1, 0.0)
    return first, moment(2, first), moment(4, first)


# Gaussian noise against closed forms


def test_gaussian_at_black_has_the_closed_form():
    for var in (0.01, 0.1):
        s = math.sqrt(var)
        found = gaussian_noise(flat(0.0), var=var, generator=seeded())
        mean = s / math.sqrt(2 * math.pi)
        variance = var * (1 / 2 - 1 / (2 * math.pi))
        by_integration = clamped_moments(0.0, 0.0, s)  # white is at least 3 s away
        assert mean == pytest.approx(by_integration[0], rel=5e-3)
        assert variance == pytest.approx(by_integration[1], rel=2e-2)
        assert found.mean().item() == pytest.approx(mean, rel=1e-2)
        assert found.var().item() == pytest.approx(variance, rel=2e-2)


def test_gaussian_at_any_grey_has_the_moments_of_a_clamped_normal():
    for grey, mean, var in ((0.2, 0.0, 0.1), (0.5, 0.0, 0.3), (0.9, 0.0, 0.1), (0.4, 0.2, 0.05)):
        found = gaussian_noise(flat(grey), mean=mean, var=var, generator=seeded(1))
        assert_moments(found, *clamped_moments(grey, mean, math.sqrt(var)))


def test_gaussian_far_from_the_limits_is_a_normal_distribution():
    found = gaussian_noise(flat(0.5), mean=0.1, var=0.0025, generator=seeded(2))
    assert found.min() > 0 and found.max() < 1
    assert stats.kstest(found.flatten().numpy(), stats.norm(0.6, 0.05).cdf).pvalue > 1e-4
    torch.testing.assert_close(gaussian_noise(flat(0.5), mean=0.25, var=0), flat(0.75))


def test_defaults_are_those_of_the_course():
    """Variance 0.1 at pure black: half of the noise is left, which costs 13 dB."""
    black = torch.zeros(1, 1, SIDE, SIDE, dtype=torch.float64)
    found = psnr(gaussian_noise(black, generator=seeded(3)), black).item()
    assert found == pytest.approx(-10 * math.log10(0.1 / 2), abs=0.05)


def test_gaussian_noise_of_channels_and_images_is_independent():
    found = gaussian_noise(
        torch.full((2, 3, 200, 200), 0.5, dtype=torch.float64), var=0.01, generator=seeded(4)
    )
    correlation = np.corrcoef(found.reshape(6, -1).numpy()) - np.eye(6)
    assert abs(correlation).max() < 5 / 200


# What all six share


@pytest.mark.parametrize("noise", NOISES)
def test_shape_type_range_and_input(noise):
    for shape in ((1, 12, 17), (3, 12, 17), (4, 1, 12, 17), (4, 3, 17, 12)):
        for dtype in (torch.float32, torch.float64):
            image = torch.rand(shape, dtype=dtype, generator=seeded(5))
            before, case = image.clone(), (shape, dtype)
            found = noise(image, generator=seeded(6))
            assert (found.shape, found.dtype, found.device) == (shape, dtype, image.device), case
            assert found.min() >= 0 and found.max() <= 1, case
            assert torch.equal(image, before) and found.data_ptr() != image.data_ptr(), case
            assert not torch.equal(found, image), case
    images = torch.rand(3, 2, 9, 11, generator=seeded(11)).to(memory_format=torch.channels_last)
    found = noise(images[::2], generator=seeded(12))  # not contiguous
    assert found.shape == (2, 2, 9, 11) and found.min() >= 0 and found.max() <= 1


@pytest.mark.parametrize("noise", NOISES)
def test_seed_decides(noise):
    images = torch.full((8, 1, 20, 20), 0.6)
    first = noise(images, generator=seeded(7))
    assert torch.equal(first, noise(images, generator=seeded(7)))
    assert not torch.equal(first, noise(images, generator=seeded(8)))
    assert not torch.equal(first[0], first[1]), "each image has noise of its own"
    generator = seeded(7)
    assert torch.equal(first, noise(images, generator=generator))
    assert not torch.equal(first, noise(images, generator=generator)), "the generator goes on"
    torch.manual_seed(9)
    without = noise(images)
    torch.manual_seed(9)
    assert torch.equal(without, noise(images))
    assert not torch.equal(without, noise(images)), "without a generator, PyTorch's own goes on"


# Masking, and salt and pepper


def assert_share(found, probability, n):
    assert abs(found - probability) < 5 * math.sqrt(probability * (1 - probability) / n)


def test_masking_blackens_that_fraction_and_leaves_the_rest():
    image = torch.rand(3, SIDE, SIDE, generator=seeded()) * 0.9 + 0.05
    for fraction in (0.1, 0.25, 0.8):
        found = masking_noise(image, fraction=fraction, generator=seeded(1))
        changed = found != image
        assert (found[changed] == 0).all()
        assert_share(changed[0].double().mean().item(), fraction, SIDE**2)
        assert torch.equal(changed.all(dim=0), changed.any(dim=0)), "channels go together"


def test_salt_and_pepper_are_half_of_that_fraction_each():
    image = torch.rand(3, SIDE, SIDE, generator=seeded()) * 0.9 + 0.05
    for fraction in (0.1, 0.2, 0.9):
        found = salt_and_pepper_noise(image, fraction=fraction, generator=seeded(1))
        pepper, salt = found == 0, found == 1
        assert torch.equal(found != image, pepper | salt)
        for kind in (pepper, salt):
            assert_share(kind[0].double().mean().item(), fraction / 2, SIDE**2)
            assert torch.equal(kind.all(dim=0), kind.any(dim=0)), "channels go together"


@pytest.mark.parametrize("noise", [masking_noise, salt_and_pepper_noise])
def test_fraction_zero_and_one(noise):
    image = torch.full((1, 50, 50), 0.5)
    assert torch.equal(noise(image, fraction=0), image)
    assert (noise(image, fraction=1) != image).all()


# Speckle and Poisson


@pytest.mark.parametrize("noise", [speckle_noise, poisson_noise])
def test_black_stays_black(noise):
    image = torch.zeros(2, 1, 30, 30)
    assert torch.equal(noise(image, generator=seeded()), image)


def test_speckle_is_proportional_to_the_image_and_clamps_at_white():
    for grey in (0.1, 0.4):
        found = speckle_noise(flat(grey), var=0.04, generator=seeded(1))  # 5 s below black
        variance = 0.04 * grey**2
        assert_moments(found, grey, variance, 3 * variance**2)
    found = speckle_noise(flat(1.0), var=0.04, generator=seeded(2))
    assert_moments(found, *clamped_moments(1.0, 0.0, 0.2))


def test_poisson_counts_photons():
    for peak in (50, 100.0):
        found = poisson_noise(flat(0.3), peak=peak, generator=seeded(3))
        counts = found * peak
        assert torch.allclose(counts, counts.round(), atol=1e-9)
        assert found.max() < 1, "nothing was clamped, so the closed form holds"
        rate = 0.3 * peak
        assert_moments(found, 0.3, 0.3 / peak, (rate + 3 * rate**2) / peak**4)


def test_poisson_clamps_at_white():
    found = poisson_noise(flat(1.0), peak=10, generator=seeded(4))
    counts = np.arange(11)
    weights = stats.poisson(10).pmf(counts)
    weights[10] = stats.poisson(10).sf(9)
    assert found.mean().item() == pytest.approx((weights * counts).sum() / 10, abs=2e-3)


# Occlusion


def squares(found):
    """Top and left of the black square in each image of ones (N, C, H, W), having checked it."""
    corners = []
    for image in found:
        black = image == 0
        assert torch.equal(black.all(dim=0), black.any(dim=0))
        rows, columns = torch.nonzero(black[0], as_tuple=True)
        top, left = rows.min().item(), columns.min().item()
        bottom, right = rows.max().item() + 1, columns.max().item() + 1
        assert black[0].sum() == (bottom - top) * (right - left), "a full rectangle"
        corners.append((top, left, bottom - top, right - left))
    return corners


def test_occlusion_is_one_square_an_image():
    for channels in (1, 3):
        found = occlusion_noise(torch.ones(200, channels, 12, 17), size=5, generator=seeded())
        assert ((found == 0) | (found == 1)).all()
        for top, left, height, width in squares(found):
            assert (height, width) == (5, 5)
            assert 0 <= top <= 12 - 5 and 0 <= left <= 17 - 5
    (corner,) = squares(occlusion_noise(torch.ones(3, 9, 9), size=4, generator=seeded())[None])
    assert corner[2:] == (4, 4), "a single image"


def test_occlusion_reaches_every_place_equally_often():
    found = occlusion_noise(torch.ones(4000, 1, 6, 5), size=3, generator=seeded(1))
    places = [(top, left) for top, left, _, _ in squares(found)]
    expected = {(top, left) for top in range(4) for left in range(3)}
    assert set(places) == expected, "all corners are reached, and nothing beyond"
    counts = [places.count(place) for place in sorted(expected)]
    assert stats.chisquare(counts).pvalue > 1e-4


def test_occlusion_sizes_at_the_limits():
    image = torch.full((2, 1, 8, 8), 0.5)
    assert torch.equal(occlusion_noise(image, size=0), image)
    assert torch.equal(occlusion_noise(image, size=8), torch.zeros_like(image))
    wide = occlusion_noise(torch.ones(20, 1, 4, 9), size=4, generator=seeded())
    assert all(corner[0] == 0 and corner[2:] == (4, 4) for corner in squares(wide))


# Bad input


ONE = torch.full((1, 5, 5), 0.5)
BAD_IMAGES = [
    (np.zeros((1, 5, 5)), TypeError, ["torch.Tensor", "ndarray"]),
    (None, TypeError, ["torch.Tensor", "NoneType"]),
    (torch.zeros(1, 5, 5, dtype=torch.uint8), TypeError, ["float", "uint8", "255"]),
    (torch.zeros(1, 5, 5, dtype=torch.bool), TypeError, ["float", "bool"]),
    (torch.zeros(5, 5), ValueError, ["(C, H, W)", "(5, 5)"]),
    (torch.zeros(1, 1, 1, 5, 5), ValueError, ["(N, C, H, W)", "(1, 1, 1, 5, 5)"]),
    (torch.zeros(0, 1, 5, 5), ValueError, ["none of them 0", "(0, 1, 5, 5)"]),
    (ONE.index_fill(2, torch.tensor(3), math.nan), ValueError, ["[0, 1]", "nan"]),
    (ONE.index_fill(2, torch.tensor(3), math.inf), ValueError, ["[0, 1]", "inf"]),
    (ONE.index_fill(2, torch.tensor(3), 1.5), ValueError, ["[0, 1]", "1.5"]),
    (ONE.index_fill(2, torch.tensor(3), -0.25), ValueError, ["[0, 1]", "-0.25"]),
]


def test_bad_images():
    for image, error, words in BAD_IMAGES:
        refused(error, ["image", *words], masking_noise, image)


@pytest.mark.parametrize("noise", NOISES)
def test_each_noise_looks_at_its_image(noise):
    refused(ValueError, ["image", "(5, 5)"], noise, torch.zeros(5, 5))
    refused(ValueError, ["image", "1.5"], noise, ONE * 3)


# Noise, parameter, its lowest value and its highest; for an image of 5x7.
LIMITS = [
    (gaussian_noise, "mean", -1e6, 1e6),
    (gaussian_noise, "var", 0, 1e6),
    (masking_noise, "fraction", 0, 1),
    (salt_and_pepper_noise, "fraction", 0, 1),
    (speckle_noise, "var", 0, 1e6),
    (poisson_noise, "peak", 1e-3, 1e6),
    (occlusion_noise, "size", 0, 5),
]


def test_parameters_out_of_range():
    assert {noise for noise, *_ in LIMITS} == set(NOISES)
    for noise, parameter, low, high in LIMITS:
        for value in (low, high):  # both ends are in range
            assert noise(torch.zeros(1, 5, 7), **{parameter: value}).shape == (1, 5, 7)
        kind = "whole number" if parameter == "size" else "number"
        words = [f"{parameter} should be a {kind} from {low:g} to {high:g}, but it is "]
        for value in (low - 1, high + 1):
            refused(ValueError, [*words, repr(value)], noise, ONE, **{parameter: value})


def test_parameters_that_are_no_finite_numbers():
    for noise, parameter, *_ in LIMITS:
        whole = parameter == "size"
        words = f"{parameter} should be a {'whole ' * whole}number"
        for value in (True, "0.1", None, math.inf, math.nan):
            error = ValueError if isinstance(value, float) and not whole else TypeError
            refused(error, [words, repr(value)], noise, ONE, **{parameter: value})
    for size in (3.0, 2.5):
        refused(TypeError, [f"a whole number, but it is {size}"], occlusion_noise, ONE, size=size)
