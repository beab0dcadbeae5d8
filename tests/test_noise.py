"""The six corruptions: closed forms, seeds, shapes, types and clear errors."""

import math

import numpy as np
import pytest
import torch
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


@pytest.mark.parametrize("var", [0.01, 0.1])
def test_gaussian_at_black_has_the_closed_form(var):
    s = math.sqrt(var)
    found = gaussian_noise(flat(0.0), var=var, generator=seeded())
    mean = s / math.sqrt(2 * math.pi)
    variance = var * (1 / 2 - 1 / (2 * math.pi))
    by_integration = clamped_moments(0.0, 0.0, s)  # white is at least 3 s away
    assert mean == pytest.approx(by_integration[0], rel=5e-3)
    assert variance == pytest.approx(by_integration[1], rel=2e-2)
    assert found.mean().item() == pytest.approx(mean, rel=1e-2)
    assert found.var().item() == pytest.approx(variance, rel=2e-2)


@pytest.mark.parametrize(
    ("grey", "mean", "var"),
    [(0.0, 0.0, 0.1), (0.2, 0.0, 0.1), (0.5, 0.0, 0.3), (0.9, 0.0, 0.1), (0.4, 0.2, 0.05)],
)
def test_gaussian_at_any_grey_has_the_moments_of_a_clamped_normal(grey, mean, var):
    found = gaussian_noise(flat(grey), mean=mean, var=var, generator=seeded(1))
    assert_moments(found, *clamped_moments(grey, mean, math.sqrt(var)))


def test_gaussian_far_from_the_limits_is_a_normal_distribution():
    found = gaussian_noise(flat(0.5), mean=0.1, var=0.0025, generator=seeded(2))
    assert found.min() > 0 and found.max() < 1
    assert stats.kstest(found.flatten().numpy(), stats.norm(0.6, 0.05).cdf).pvalue > 1e-4


def test_gaussian_at_pure_black_costs_13_decibels():
    black = torch.zeros(1, 1, SIDE, SIDE, dtype=torch.float64)
    found = psnr(gaussian_noise(black, var=0.1, generator=seeded(3)), black).item()
    assert -10 * math.log10(0.1 / 2) == pytest.approx(13.0, abs=0.02)  # half of the noise is left
    assert found == pytest.approx(-10 * math.log10(0.1 / 2), abs=0.05)


def test_gaussian_with_variance_zero_adds_the_mean():
    found = gaussian_noise(flat(0.5), mean=0.25, var=0)
    torch.testing.assert_close(found, flat(0.75))


def test_gaussian_noise_of_channels_and_images_is_independent():
    found = gaussian_noise(
        torch.full((2, 3, 200, 200), 0.5, dtype=torch.float64), var=0.01, generator=seeded(4)
    )
    correlation = np.corrcoef(found.reshape(6, -1).numpy()) - np.eye(6)
    assert abs(correlation).max() < 5 / 200


# What all six share


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(1, 12, 17), (3, 12, 17), (4, 1, 12, 17), (4, 3, 17, 12)])
def test_shape_type_range_and_input(noise, shape, dtype):
    image = torch.rand(shape, dtype=dtype, generator=seeded(5))
    before = image.clone()
    found = noise(image, generator=seeded(6))
    assert found.shape == image.shape
    assert found.dtype == dtype
    assert found.device == image.device
    assert found.min() >= 0 and found.max() <= 1
    assert torch.equal(image, before)
    assert found.data_ptr() != image.data_ptr()
    assert not torch.equal(found, image)


@pytest.mark.parametrize("noise", NOISES)
def test_seed_decides(noise):
    images = torch.full((8, 1, 20, 20), 0.6)
    first = noise(images, generator=seeded(7))
    assert torch.equal(first, noise(images, generator=seeded(7)))
    assert not torch.equal(first, noise(images, generator=seeded(8)))
    generator = seeded(7)
    assert torch.equal(first, noise(images, generator=generator))
    assert not torch.equal(first, noise(images, generator=generator)), "the generator goes on"
    torch.manual_seed(9)
    without = noise(images)
    torch.manual_seed(9)
    assert torch.equal(without, noise(images))
    assert not torch.equal(without, noise(images)), "without a generator, PyTorch's own goes on"


@pytest.mark.parametrize("noise", NOISES)
def test_images_of_a_batch_get_noise_of_their_own(noise):
    found = noise(torch.full((2, 1, 20, 20), 0.6), generator=seeded(10))
    assert not torch.equal(found[0], found[1])


@pytest.mark.parametrize("noise", NOISES)
def test_batches_that_are_not_contiguous(noise):
    images = torch.rand(3, 2, 9, 11, generator=seeded(11)).to(memory_format=torch.channels_last)
    found = noise(images[::2], generator=seeded(12))
    assert found.shape == (2, 2, 9, 11)
    assert found.min() >= 0 and found.max() <= 1


# Masking, and salt and pepper


def assert_share(found, probability, n):
    assert abs(found - probability) < 5 * math.sqrt(probability * (1 - probability) / n)


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.8])
def test_masking_blackens_that_fraction_and_leaves_the_rest(fraction):
    image = torch.rand(3, SIDE, SIDE, generator=seeded()) * 0.9 + 0.05
    found = masking_noise(image, fraction=fraction, generator=seeded(1))
    changed = found != image
    assert (found[changed] == 0).all()
    assert_share(changed[0].double().mean().item(), fraction, SIDE**2)
    assert torch.equal(changed.all(dim=0), changed.any(dim=0)), "channels of a pixel go together"


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.9])
def test_salt_and_pepper_are_half_of_that_fraction_each(fraction):
    image = torch.rand(3, SIDE, SIDE, generator=seeded()) * 0.9 + 0.05
    found = salt_and_pepper_noise(image, fraction=fraction, generator=seeded(1))
    pepper, salt = found == 0, found == 1
    assert torch.equal(found != image, pepper | salt)
    assert_share(pepper[0].double().mean().item(), fraction / 2, SIDE**2)
    assert_share(salt[0].double().mean().item(), fraction / 2, SIDE**2)
    for kind in (pepper, salt):
        assert torch.equal(kind.all(dim=0), kind.any(dim=0)), "channels of a pixel go together"


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


def test_speckle_before_clamping_is_proportional_to_the_image():
    for grey in (0.1, 0.4):
        found = speckle_noise(flat(grey), var=0.04, generator=seeded(1))  # 5 s below black
        variance = 0.04 * grey**2
        assert_moments(found, grey, variance, 3 * variance**2)


def test_speckle_clamps_at_white():
    found = speckle_noise(flat(1.0), var=0.04, generator=seeded(2))
    assert_moments(found, *clamped_moments(1.0, 0.0, 0.2))


@pytest.mark.parametrize("peak", [50, 100.0])
def test_poisson_counts_photons(peak):
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


@pytest.mark.parametrize("channels", [1, 3])
def test_occlusion_is_one_square_an_image(channels):
    found = occlusion_noise(torch.ones(200, channels, 12, 17), size=5, generator=seeded())
    assert ((found == 0) | (found == 1)).all()
    for top, left, height, width in squares(found):
        assert (height, width) == (5, 5)
        assert 0 <= top <= 12 - 5 and 0 <= left <= 17 - 5


def test_occlusion_reaches_every_place_equally_often():
    found = occlusion_noise(torch.ones(4000, 1, 6, 5), size=3, generator=seeded(1))
    places = [(top, left) for top, left, _, _ in squares(found)]
    expected = {(top, left) for top in range(4) for left in range(3)}
    assert set(places) == expected, "all corners are reached, and nothing beyond"
    counts = [places.count(place) for place in sorted(expected)]
    assert stats.chisquare(counts).pvalue > 1e-4


def test_occlusion_of_a_single_image():
    (corner,) = squares(occlusion_noise(torch.ones(3, 9, 9), size=4, generator=seeded())[None])
    assert corner[2:] == (4, 4)


def test_occlusion_sizes_at_the_limits():
    image = torch.full((2, 1, 8, 8), 0.5)
    assert torch.equal(occlusion_noise(image, size=0), image)
    assert torch.equal(occlusion_noise(image, size=8), torch.zeros_like(image))
    wide = occlusion_noise(torch.ones(20, 1, 4, 9), size=4, generator=seeded())
    assert all(corner[0] == 0 and corner[2:] == (4, 4) for corner in squares(wide))


# Bad input


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize(
    ("image", "error", "words"),
    [
        (np.zeros((1, 5, 5)), TypeError, ["torch.Tensor", "ndarray"]),
        (None, TypeError, ["torch.Tensor", "NoneType"]),
        (torch.zeros(1, 5, 5, dtype=torch.uint8), TypeError, ["float", "uint8", "255"]),
        (torch.zeros(1, 5, 5, dtype=torch.bool), TypeError, ["float", "bool"]),
        (torch.zeros(5, 5), ValueError, ["(C, H, W)", "(5, 5)"]),
        (torch.zeros(1, 1, 1, 5, 5), ValueError, ["(N, C, H, W)", "(1, 1, 1, 5, 5)"]),
        (torch.zeros(0, 1, 5, 5), ValueError, ["none of them 0", "(0, 1, 5, 5)"]),
        (torch.full((1, 5, 5), torch.nan), ValueError, ["[0, 1]", "nan"]),
        (torch.full((1, 5, 5), torch.inf), ValueError, ["[0, 1]", "inf"]),
        (torch.full((1, 5, 5), 1.5), ValueError, ["[0, 1]", "1.5"]),
        (torch.full((1, 5, 5), -0.25), ValueError, ["[0, 1]", "-0.25"]),
    ],
)
def test_bad_image(noise, image, error, words):
    with pytest.raises(error) as caught:
        noise(image)
    for word in ["image", *words]:
        assert word in str(caught.value)


def test_one_nan_among_good_pixels():
    image = torch.full((1, 5, 5), 0.5)
    image[0, 2, 2] = torch.nan
    with pytest.raises(ValueError, match="nan"):
        gaussian_noise(image)


@pytest.mark.parametrize(
    ("noise", "parameter"),
    [
        (gaussian_noise, "var"),
        (gaussian_noise, "mean"),
        (masking_noise, "fraction"),
        (salt_and_pepper_noise, "fraction"),
        (speckle_noise, "var"),
        (poisson_noise, "peak"),
        (occlusion_noise, "size"),
    ],
)
@pytest.mark.parametrize(
    ("value", "error"),
    [
        (True, TypeError),
        ("0.1", TypeError),
        (None, TypeError),
        (math.inf, ValueError),
        (math.nan, ValueError),
    ],
)
def test_parameter_that_is_no_finite_number(noise, parameter, value, error):
    whole = parameter == "size"
    with pytest.raises(TypeError if whole else error) as caught:  # inf is no whole number
        noise(torch.zeros(1, 5, 5), **{parameter: value})
    assert f"{parameter} should be a {'whole ' * whole}number" in str(caught.value)
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize(
    ("noise", "parameter", "value", "limits"),
    [
        (gaussian_noise, "var", -0.1, ["0", "1e+06"]),
        (speckle_noise, "var", 2e6, ["0", "1e+06"]),
        (gaussian_noise, "mean", 2e6, ["-1e+06", "1e+06"]),
        (gaussian_noise, "mean", -2e6, ["-1e+06", "1e+06"]),
        (speckle_noise, "var", -0.1, ["0", "1e+06"]),
        (masking_noise, "fraction", 1.1, ["0", "1"]),
        (masking_noise, "fraction", -0.1, ["0", "1"]),
        (salt_and_pepper_noise, "fraction", 1.1, ["0", "1"]),
        (salt_and_pepper_noise, "fraction", -0.1, ["0", "1"]),
        (poisson_noise, "peak", 0, ["0.001"]),
        (poisson_noise, "peak", -10, ["0.001"]),
        (occlusion_noise, "size", -1, ["0", "5"]),
        (occlusion_noise, "size", 6, ["0", "5"]),
    ],
)
def test_parameter_out_of_range(noise, parameter, value, limits):
    with pytest.raises(ValueError) as caught:
        noise(torch.zeros(1, 5, 7), **{parameter: value})
    kind = "whole number" if parameter == "size" else "number"
    assert f"{parameter} should be a {kind} from {limits[0]} to" in str(caught.value)
    assert f"it is {value!r}" in str(caught.value)
    assert limits[-1] in str(caught.value)


@pytest.mark.parametrize("size", [3.0, 2.5])
def test_occlusion_size_is_a_whole_number(size):
    with pytest.raises(TypeError, match=f"a whole number, but it is {size}"):
        occlusion_noise(torch.zeros(1, 5, 5), size=size)
