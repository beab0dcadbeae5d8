"""Measures against scikit-image and SciPy, and the classical denoisers at their best setting."""

import math

import numpy as np
import pytest
import torch
from refused import refused
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


def test_psnr_is_that_of_scikit_image():
    for channels in (1, 3):
        output, original = some(5, channels, 9, 14)
        found = psnr(output, original)
        expected = [
            peak_signal_noise_ratio(b, a, data_range=1)
            for a, b in zip(output.double().numpy(), original.double().numpy(), strict=True)
        ]
        assert found.shape == (5,)
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)


def test_psnr_of_a_known_error():
    black = torch.zeros(4, 1, 4, 4)
    output = black + torch.tensor([1.0, 0.1, 0.01, 0.0]).reshape(4, 1, 1, 1)
    assert psnr(output, black).tolist() == pytest.approx([0, 20, 40, math.inf], abs=1e-4)


WINDOW = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1}


def test_ssim_is_that_of_scikit_image_one_by_one():
    """Of one image or several, grey or in colour, at the smallest size and at others."""
    for n, channels, height, width, dtype in (
        (4, 1, 28, 28, torch.float32),
        (1, 3, 11, 11, torch.float32),
        (3, 3, 13, 30, torch.float64),
        (1, 1, 28, 28, torch.float64),
    ):
        case = (n, channels, height, width, dtype)
        output, original = some(n, channels, height, width, dtype=dtype)
        found = ssim(output, original)
        pairs = zip(output.double().numpy(), original.double().numpy(), strict=True)
        expected = [structural_similarity(a, b, channel_axis=0, **WINDOW) for a, b in pairs]
        assert found.shape == (n,) and found.dtype == dtype, case
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5, err_msg=str(case))


def test_ssim_knows_no_neighbouring_image():
    output, original = some(3)
    middle = ssim(output, original)[1]
    output[0], output[2] = 0, 1
    assert torch.equal(ssim(output, original)[1], middle)


def test_ssim_of_equal_images_is_one():
    images = some(3)[1]
    np.testing.assert_allclose(ssim(images, images).numpy(), 1, rtol=1e-6)
    assert (ssim(1 - images, images) < 0.5).all()


BLACK = torch.zeros(2, 1, 28, 28)
BAD_PAIRS = [
    (BLACK, torch.zeros(3, 1, 28, 28), ValueError, ["(2, 1", "(3, 1"]),
    (BLACK, torch.zeros(2, 3, 28, 28), ValueError, ["(2, 1", "(2, 3"]),
    (BLACK[0], BLACK[0], ValueError, ["(N, C, H, W)", "(1, 28"]),
    (BLACK + 1.01, BLACK, ValueError, ["output", "1"]),
    (BLACK, BLACK - 1, ValueError, ["original"]),
    (BLACK * math.nan, BLACK, ValueError, ["nan"]),
    (BLACK.numpy(), BLACK, TypeError, ["output", "ndarray"]),
    (BLACK, BLACK.byte(), TypeError, ["original", "uint8"]),
    (BLACK[:0], BLACK[:0], ValueError, ["none of them 0"]),
]


def test_bad_pairs():
    for output, original, error, words in BAD_PAIRS:
        for measure in (psnr, ssim):
            refused(error, words, measure, output, original)
    for height, width in ((10, 28), (28, 10), (5, 5)):
        small, words = torch.zeros(40, 1, height, width), f"11x11, but they are {height}x{width}"
        refused(ValueError, [words], ssim, small, small)


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


def test_denoise_is_the_model_and_leaves_its_mode():
    torch.manual_seed(0)
    images = torch.rand(7, 1, 28, 28)
    for training, batch_size in ((True, 1), (False, 3), (True, 500)):
        model = DenoisingAutoencoder().train(training)
        found = denoise(model, images, batch_size=batch_size)
        torch.testing.assert_close(found, model(images).detach())
        assert model.training is training and not found.requires_grad


def test_denoise_switches_dropout_off():
    model = nn.Sequential(nn.Conv2d(1, 1, 1), nn.Dropout(0.5)).train()
    images = torch.rand(4, 1, 8, 8)
    torch.testing.assert_close(denoise(model, images), model[0](images).detach())
    assert model[1].training


# Classical denoisers


def test_unknown_method():
    images = torch.zeros(1, 1, 12, 12)
    refused(ValueError, ["'magic'", *CLASSICAL], classical, "magic", images, 1.0)
    refused(ValueError, ["'magic'", *CLASSICAL], best_setting, "magic", images, images)


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
    alone = torch.cat([classical(name, image[None], setting) for image in corrupted[:3]])
    assert torch.equal(found[:3], alone), "images are treated one by one"


def test_best_setting_is_the_one_of_least_error(digits):
    corrupted, original = digits
    for name in ("Gaussian", "median"):
        settings = CLASSICAL[name][1]
        outputs = [classical(name, corrupted, setting).numpy() for setting in settings]
        errors = [np.mean((output - original.numpy()) ** 2) for output in outputs]
        assert best_setting(name, corrupted, original) == settings[int(np.argmin(errors))], name
        worst = settings[int(np.argmax(errors))]
        assert best_setting(name, corrupted, original, settings=[worst]) == worst, name


def test_settings_may_be_a_generator(digits):
    corrupted, original = digits
    found = best_setting("Gaussian", corrupted, original, settings=(s for s in (5.0, 0.7, 9.0)))
    assert found == 0.7
