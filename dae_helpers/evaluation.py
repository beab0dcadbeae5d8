"""How good is a denoised image? PSNR, SSIM, and the classical denoisers to compare with."""

from collections.abc import Callable, Iterable

import numpy as np
import torch
from scipy import ndimage, signal
from skimage import restoration
from skimage.metrics import structural_similarity
from torch import Tensor, nn

from . import checks
from .placing import placed


def _check_images(output: Tensor, original: Tensor) -> None:
    checks.check_batch("output", output)
    checks.check_batch("original", original)
    checks.check_pair(output, original)


def _check_grey(images: Tensor) -> None:
    checks.check_batch("images", images)
    what = f"images should have the shape (N, 1, H, W), but their shape is {checks.shape(images)}"
    checks.need(images.shape[1] == 1, what)


def psnr(output: Tensor, original: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each image, in decibels; higher is better.

    ``-10 * log10(MSE)`` for values in [0, 1]. Both (N, C, H, W); returns (N,), infinite where the
    images are equal. The mean of these is the mean *per-image* PSNR: it is not the PSNR of the
    mean MSE. Raises ``TypeError`` or ``ValueError`` for bad images or different shapes.
    Source: Huynh-Thu and Ghanbari 2008, Electronics Letters 44:800-801.
    """
    _check_images(output, original)
    return -10 * torch.log10((output - original).square().mean(dim=(1, 2, 3)))


def ssim(output: Tensor, original: Tensor) -> Tensor:
    """Structural similarity of each image, from -1 to 1; 1 only for equal images.

    Both (N, C, H, W) in [0, 1], at least 11 pixels high and wide; returns (N,). A Gaussian window
    of standard deviation 1.5 (11x11), averaged over the windows that lie inside the image.
    Raises ``TypeError`` or ``ValueError`` for bad images, different shapes or images too small.
    Source: Wang, Bovik, Sheikh, Simoncelli 2004, IEEE TIP 13:600-612; computed by scikit-image.
    """
    _check_images(output, original)
    n, channels, height, width = output.shape
    what = f"images should be at least 11x11, but they are {height}x{width}"
    checks.need(min(height, width) >= 11, what)
    if n > 1000:  # in parts, which takes a tenth of the memory for 10,000 digits
        parts = zip(output.split(1000), original.split(1000), strict=True)
        return torch.cat([ssim(*part) for part in parts])
    # All images stacked into one tall one: a call an image would take twenty times as long. The
    # windows that would see two images are those that are left out below.
    tall = [x.detach().cpu().double().reshape(-1, width).numpy() for x in (output, original)]
    window = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    _, every_window = structural_similarity(*tall, data_range=1.0, full=True, **window)
    inside = every_window.reshape(n, channels, height, width)[..., 5:-5, 5:-5]
    return torch.from_numpy(inside.mean(axis=(1, 2, 3))).to(output)


def mean_ci(values: Tensor) -> tuple[float, float]:
    """Mean of ``values`` (N,) and the half width of its 95 % confidence interval.

    Normal approximation, ``1.96 * s / sqrt(N)``; of use from about 30 values on. Raises
    ``TypeError`` or ``ValueError`` unless there are at least two numbers.
    """
    checks.check_floats("values", values)
    what = f"values should have the shape (N,), N >= 2, not {checks.shape(values)}"
    checks.need(values.ndim == 1 and len(values) >= 2, what)
    values = values.double()
    return values.mean().item(), 1.96 * values.std().item() / len(values) ** 0.5


def denoise(model: nn.Module, images: Tensor, batch_size: int = 500) -> Tensor:
    """The model's output for ``images`` (N, C, H, W), in eval mode, without gradients.

    Images come back as (N, C, H, W); another output, such as scores (N, 10), as it is. Computed on
    ``course.device()``; the result is where ``images`` are. Raises ``TypeError`` or ``ValueError``
    for what is no model or no batch of images in [0, 1], for a model that does not return one
    tensor, and for one that changes the shape of images.
    """
    checks.check_model(model)
    checks.check_batch("images", images)
    checks.check_number("batch_size", batch_size, 1, whole=True)
    checks.check_type("images", images, model)
    outputs, was_training = [], model.training
    try:
        with placed(model.eval()) as device, torch.no_grad():
            for part in images.split(batch_size):
                output = model(part.to(device))
                checks.check_output(output, part if getattr(output, "ndim", 4) == 4 else output)
                outputs.append(output.to(images.device))
    finally:
        model.train(was_training)
    return torch.cat(outputs)


def _wiener(image: np.ndarray, size: int) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):  # flat windows: SciPy takes their mean
        return np.nan_to_num(signal.wiener(image, size))


def _wavelet(image: np.ndarray, sigma: float) -> np.ndarray:
    return restoration.denoise_wavelet(image, sigma=sigma, rescale_sigma=True)


def _non_local_means(image: np.ndarray, h: float) -> np.ndarray:
    return restoration.denoise_nl_means(image, patch_size=5, patch_distance=7, h=h, sigma=0.2)


# name: (function of an image (H, W) and a setting, settings worth trying)
CLASSICAL: dict[str, tuple[Callable[..., np.ndarray], tuple]] = {
    "Gaussian": (ndimage.gaussian_filter, (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)),
    "median": (ndimage.median_filter, (2, 3, 4, 5)),
    "Wiener": (_wiener, (3, 5, 7)),
    "total variation": (restoration.denoise_tv_chambolle, (0.03, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3)),
    "wavelet": (_wavelet, (0.1, 0.15, 0.2, 0.25, 0.3, 0.4)),
    "non-local means": (_non_local_means, (0.03, 0.05, 0.08, 0.1, 0.15, 0.2)),
}


def _check_name(name: str) -> None:
    what = f"name should be one of {', '.join(CLASSICAL)}, but it is {name!r}"
    checks.need(isinstance(name, str) and name in CLASSICAL, what)


def classical(name: str, images: Tensor, setting: float) -> Tensor:
    """Denoise ``images`` (N, 1, H, W) one by one by a classical method; the result is clamped.

    ``name``: a key of ``CLASSICAL``; ``setting``: its one parameter (standard deviation of the
    Gaussian in pixels, width of the median's and Wiener's window in pixels, weight of the total
    variation, noise level of the wavelets in brightness, strength of the non-local means).
    Raises ``TypeError`` or ``ValueError`` for an unknown name, bad images or a bad setting.
    Computed by SciPy and scikit-image.
    """
    _check_name(name)
    _check_grey(images)
    window = name in ("median", "Wiener")
    checks.check_number("setting", setting, 1 if window else 1e-3, 100, whole=window)
    function = CLASSICAL[name][0]
    done = np.stack([function(image, setting) for image in images[:, 0].double().numpy()])
    return torch.from_numpy(done).float().unsqueeze(1).clamp_(0, 1)


def best_setting(
    name: str, corrupted: Tensor, original: Tensor, settings: Iterable[float] | None = None
) -> float:
    """The setting of a classical method with the lowest MSE on these images (N, 1, H, W).

    Give it *training* digits, so that the comparison on test digits is fair. ``settings``: those
    to try, by default the ones in ``CLASSICAL``.
    """
    _check_name(name)
    settings = CLASSICAL[name][1] if settings is None else settings
    return min(
        settings,
        key=lambda setting: (classical(name, corrupted, setting) - original).square().mean().item(),
    )
