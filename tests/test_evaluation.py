"""Measures against scikit-image and SciPy, and the classical denoisers at their best setting."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import nn

from dae_helpers import DenoisingAutoencoder, gaussian_noise, load_mnist, psnr, ssim
from dae_helpers.evaluation import CLASSICAL, best_setting, classical, denoise, mean_ci


def some(n=4, channels=1, height=28, width=28, seed=0, dtype=torch.float32):
    """Images and noisy copies of them."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(n, channels, height, width, generator=generator, dtype=dtype)
    smooth = nn.functional.avg_pool2d(images, 3, stride=1, padding=1)
    return gaussian_noise(smooth, var=0.02, generator=generator), smooth


@pytest.fixture(scope="module")
def digits():
    """Eight embedded digits, corrupted and original."""
    original = load_mnist(train=False, download=False).images[:8]
    corrupted = gaussian_noise(original, generator=torch.Generator().manual_seed(0))
    return corrupted, original


# PSNR and SSIM


@pytest.mark.parametrize("channels", [1, 3])
def test_psnr_is_that_of_scikit_image(channels):
    output, original = some(5, channels, 9, 14)
    found = psnr(output, original)
    expected = [
        peak_signal_noise_ratio(b, a, data_range=1)
        for a, b in zip(output.double().numpy(), original.double().numpy(), strict=True)
    ]
    assert found.shape == (5,)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)


def test_psnr_of_a_known_error():
    black = torch.zeros(3, 1, 4, 4)
    output = black + torch.tensor([1.0, 0.1, 0.01]).reshape(3, 1, 1, 1)
    assert psnr(output, black).tolist() == pytest.approx([0, 20, 40], abs=1e-4)


def test_psnr_of_equal_images_is_infinite():
    images = torch.rand(3, 1, 5, 5)
    other = images.clone()
    other[1] = 1 - other[1]
    assert torch.isinf(psnr(images, other)).tolist() == [True, False, True]
    assert psnr(images, images).min() == math.inf


@pytest.mark.parametrize("n", [1, 4])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("height", "width"), [(28, 28), (11, 11), (13, 30)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_ssim_is_that_of_scikit_image_one_by_one(n, channels, height, width, dtype):
    output, original = some(n, channels, height, width, dtype=dtype)
    found = ssim(output, original)
    options = {
        "gaussian_weights": True,
        "sigma": 1.5,
        "use_sample_covariance": False,
        "data_range": 1,
    }
    expected = [
        np.mean([structural_similarity(x, y, **options) for x, y in zip(a, b, strict=True)])
        for a, b in zip(output.double().numpy(), original.double().numpy(), strict=True)
    ]
    assert found.shape == (n,) and found.dtype == dtype
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)


def test_ssim_of_colour_is_scikit_images_channel_axis():
    output, original = some(1, 3)
    expected = structural_similarity(
        output[0].double().numpy(),
        original[0].double().numpy(),
        channel_axis=0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=1,
    )
    assert ssim(output, original).item() == pytest.approx(expected, rel=1e-5)


def test_ssim_knows_no_neighbouring_image():
    output, original = some(3)
    middle = ssim(output, original)[1]
    output[0], output[2] = 0, 1
    assert torch.equal(ssim(output, original)[1], middle)


def test_ssim_of_equal_images_is_one():
    images = some(3)[1]
    np.testing.assert_allclose(ssim(images, images).numpy(), 1, rtol=1e-6)
    assert (ssim(1 - images, images) < 0.5).all()


@pytest.mark.parametrize("size", [(10, 28), (28, 10), (5, 5)])
def test_ssim_of_small_images(size):
    images = torch.zeros(40, 1, *size)
    with pytest.raises(ValueError, match=f"at least 11x11, but they are {size[0]}x{size[1]}"):
        ssim(images, images)


@pytest.mark.parametrize("measure", [psnr, ssim])
@pytest.mark.parametrize(
    ("output", "original", "error", "words"),
    [
        (torch.zeros(2, 1, 28, 28), torch.zeros(3, 1, 28, 28), ValueError, ["(2, 1", "(3, 1"]),
        (torch.zeros(2, 1, 28, 28), torch.zeros(2, 3, 28, 28), ValueError, ["(2, 1", "(2, 3"]),
        (torch.zeros(1, 28, 28), torch.zeros(1, 28, 28), ValueError, ["(N, C, H, W)", "(1, 28"]),
        (torch.full((1, 1, 28, 28), 1.01), torch.zeros(1, 1, 28, 28), ValueError, ["output", "1"]),
        (torch.zeros(1, 1, 28, 28), torch.full((1, 1, 28, 28), -1.0), ValueError, ["original"]),
        (torch.full((1, 1, 28, 28), math.nan), torch.zeros(1, 1, 28, 28), ValueError, ["nan"]),
        (np.zeros((1, 1, 28, 28)), torch.zeros(1, 1, 28, 28), TypeError, ["output", "ndarray"]),
        (
            torch.zeros(1, 1, 28, 28),
            torch.zeros(1, 1, 28, 28, dtype=torch.uint8),
            TypeError,
            ["original", "uint8"],
        ),
        (torch.zeros(0, 1, 28, 28), torch.zeros(0, 1, 28, 28), ValueError, ["none of them 0"]),
    ],
)
def test_bad_pairs(measure, output, original, error, words):
    with pytest.raises(error) as caught:
        measure(output, original)
    for word in words:
        assert word in str(caught.value)


# Mean and confidence interval


def test_mean_ci_is_the_normal_interval():
    values = torch.rand(200, generator=torch.Generator().manual_seed(0))
    mean, half = mean_ci(values)
    x = values.double().numpy()
    low, high = stats.norm.interval(0.95, loc=x.mean(), scale=stats.sem(x))
    assert mean == pytest.approx(x.mean(), rel=1e-9)
    assert half == pytest.approx((high - low) / 2, rel=1e-4)
    assert type(mean) is type(half) is float


def test_mean_ci_covers_the_truth_in_19_of_20_cases():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(1000):
        mean, half = mean_ci(torch.from_numpy(rng.normal(3, 2, 50)))
        hits += abs(mean - 3) < half
    assert abs(hits / 1000 - 0.95) < 5 * math.sqrt(0.95 * 0.05 / 1000)


# A model's output


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("batch_size", [1, 3, 500])
def test_denoise_is_the_model_and_leaves_its_mode(training, batch_size):
    torch.manual_seed(0)
    model = DenoisingAutoencoder().train(training)
    images = torch.rand(7, 1, 28, 28)
    found = denoise(model, images, batch_size=batch_size)
    torch.testing.assert_close(found, model(images).detach())
    assert model.training is training
    assert not found.requires_grad


def test_denoise_switches_dropout_off():
    model = nn.Sequential(nn.Conv2d(1, 1, 1), nn.Dropout(0.5)).train()
    images = torch.rand(4, 1, 8, 8)
    torch.testing.assert_close(denoise(model, images), model[0](images).detach())
    assert model[1].training


# Classical denoisers


def test_unknown_method():
    images = torch.zeros(1, 1, 12, 12)
    with pytest.raises(ValueError) as caught:
        classical("magic", images, 1.0)
    assert "'magic'" in str(caught.value)
    assert all(name in str(caught.value) for name in CLASSICAL)
    with pytest.raises(ValueError, match="'magic'"):
        best_setting("magic", images, images)


def test_the_methods_of_the_lesson_are_there():
    expected = {"Gaussian", "median", "Wiener", "total variation", "wavelet", "non-local means"}
    assert expected <= set(CLASSICAL)


@pytest.mark.filterwarnings("error")  # a warning would stand in the notebook's output
@pytest.mark.parametrize("name", CLASSICAL)
def test_method_improves_at_its_best_setting(name, digits):
    corrupted, original = digits
    before = corrupted.clone()
    setting = best_setting(name, corrupted, original)
    found = classical(name, corrupted, setting)
    assert setting in CLASSICAL[name][1]
    assert found.shape == original.shape and found.dtype == torch.float32
    assert found.min() >= 0 and found.max() <= 1
    assert torch.equal(corrupted, before)
    assert psnr(found, original).mean() > psnr(corrupted, original).mean() + 0.5


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
@pytest.mark.parametrize("name", CLASSICAL)
def test_methods_treat_images_one_by_one(name, digits):
    corrupted, _ = digits
    setting = CLASSICAL[name][1][1]
    alone = torch.cat([classical(name, image[None], setting) for image in corrupted[:3]])
    assert torch.equal(classical(name, corrupted[:3], setting), alone)


@pytest.mark.parametrize("name", ["Gaussian", "median", "total variation"])
def test_best_setting_is_the_one_of_least_error(name, digits):
    corrupted, original = digits
    settings = CLASSICAL[name][1]
    errors = [
        np.mean((classical(name, corrupted, s).numpy() - original.numpy()) ** 2) for s in settings
    ]
    assert best_setting(name, corrupted, original) == settings[int(np.argmin(errors))]
    worst = settings[int(np.argmax(errors))]
    assert best_setting(name, corrupted, original, settings=[worst]) == worst


def test_settings_may_be_a_generator(digits):
    corrupted, original = digits
    found = best_setting("Gaussian", corrupted, original, settings=(s for s in (5.0, 0.7, 9.0)))
    assert found == 0.7
