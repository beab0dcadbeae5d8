"""Corruptions: each takes an image or a batch with values in [0, 1] and returns a corrupted copy.

They share a form: the first argument is a float tensor (C, H, W) or (N, C, H, W), the result has
the same shape, type and device and lies in [0, 1], the input is left as it was, and a
``torch.Generator`` makes the result reproducible. The random numbers are drawn on the generator's
own device, so a CPU generator gives the same noise whatever device the images are on.
"""

import math

import torch
from torch import Tensor

from .checks import check_images, check_number, drawing_device


def _draw(sampler, shape, like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Random numbers of ``like``'s type on its device, drawn on the generator's device."""
    device = drawing_device(like, generator)
    return sampler(shape, generator=generator, device=device, dtype=like.dtype).to(like.device)


def _one_channel(image: Tensor) -> tuple[int, ...]:
    """The shape of ``image`` with a single channel: (N, 1, H, W) or (1, H, W)."""
    return (*image.shape[:-3], 1, *image.shape[-2:])


def gaussian_noise(
    image: Tensor, mean: float = 0.0, var: float = 0.1, generator: torch.Generator | None = None
) -> Tensor:
    """Add Gaussian noise of the given mean and *variance*, then clamp to [0, 1].

    ``image``: (C, H, W) or (N, C, H, W), float in [0, 1]; every pixel and channel gets noise of
    its own. ``var`` is the variance, in squared units of brightness (standard deviation
    ``var ** 0.5``). Clamping makes the noise non-zero-mean near black and white: at a black pixel
    the mean of what is left is ``sqrt(var / (2 * pi))``.

    Raises ``TypeError`` or ``ValueError`` for a bad image, mean or variance.
    Source: Vincent et al. 2010, JMLR 11:3371-3408, section 3 (additive isotropic Gaussian noise;
    the clamping makes the result an image again).
    """
    check_images(image)
    check_number("mean", mean, -1e6, 1e6)
    check_number("var", var, 0, 1e6)
    noise = _draw(torch.randn, image.shape, image, generator)
    return noise.mul_(math.sqrt(var)).add_(mean).add_(image).clamp_(0, 1)


def masking_noise(
    image: Tensor, fraction: float = 0.25, generator: torch.Generator | None = None
) -> Tensor:
    """Set each pixel to 0 with probability ``fraction``, in all its channels at once.

    ``image``: (C, H, W) or (N, C, H, W), float in [0, 1]. ``fraction``: a probability in [0, 1].
    Raises ``TypeError`` or ``ValueError`` for a bad image or fraction.
    Source: Vincent et al. 2010, JMLR 11:3371-3408, section 3 (masking noise).
    """
    check_images(image)
    check_number("fraction", fraction, 0, 1)
    return image * (_draw(torch.rand, _one_channel(image), image, generator) >= fraction)


def salt_and_pepper_noise(
    image: Tensor, fraction: float = 0.2, generator: torch.Generator | None = None
) -> Tensor:
    """Set each pixel, with probability ``fraction``, to black or white, each equally likely.

    ``image``: (C, H, W) or (N, C, H, W), float in [0, 1]. ``fraction``: a probability in [0, 1].
    All channels of a pixel change together. Raises ``TypeError`` or ``ValueError`` for a bad
    image or fraction. Source: Vincent et al. 2010, JMLR 11:3371-3408, section 3.
    """
    check_images(image)
    check_number("fraction", fraction, 0, 1)
    draw = _draw(torch.rand, _one_channel(image), image, generator)
    pepper, salt = draw < fraction / 2, draw >= 1 - fraction / 2
    return image.masked_fill(pepper, 0.0).masked_fill_(salt, 1.0)


def speckle_noise(
    image: Tensor, var: float = 0.1, generator: torch.Generator | None = None
) -> Tensor:
    """Multiply each pixel by ``1 + n``, n Gaussian of variance ``var``, then clamp to [0, 1].

    ``image``: (C, H, W) or (N, C, H, W), float in [0, 1]. Black stays black. ``var`` has no unit.
    Raises ``TypeError`` or ``ValueError`` for a bad image or variance.
    Source: Goodman 1976, "Some fundamental properties of speckle", JOSA 66:1145-1150 (speckle is
    multiplicative; the Gaussian model is the usual simplification).
    """
    check_images(image)
    check_number("var", var, 0, 1e6)
    noise = _draw(torch.randn, image.shape, image, generator)
    return noise.mul_(math.sqrt(var)).add_(1).mul_(image).clamp_(0, 1)


def poisson_noise(
    image: Tensor, peak: float = 10.0, generator: torch.Generator | None = None
) -> Tensor:
    """Count photons: a Poisson number of mean ``image * peak``, divided by ``peak`` and clamped.

    ``image``: (C, H, W) or (N, C, H, W), float in [0, 1]. ``peak``: the mean count at white, above
    0; the fewer, the noisier. Before clamping the variance is ``image / peak``; black stays black.
    Raises ``TypeError`` or ``ValueError`` for a bad image or peak.
    Source: Hasinoff 2014, "Photon, Poisson noise", Computer Vision: A Reference Guide.
    """
    check_images(image)
    check_number("peak", peak, 1e-3, 1e6)
    rate = (image * peak).to(drawing_device(image, generator))
    return torch.poisson(rate, generator=generator).to(image.device).div_(peak).clamp_(0, 1)


def occlusion_noise(
    image: Tensor, size: int = 8, generator: torch.Generator | None = None
) -> Tensor:
    """Black out one square of ``size`` x ``size`` pixels at a random place in each image.

    ``image``: (C, H, W) or (N, C, H, W), float in [0, 1]. ``size``: in pixels, from 0 to the
    shorter side; the square lies wholly inside. Raises ``TypeError`` or ``ValueError`` for a bad
    image or size. Source: DeVries and Taylor 2017, "Cutout", arXiv 1708.04552 (there the square
    may stick out of the image).
    """
    check_images(image)
    height, width = image.shape[-2:]
    check_number("size", size, 0, min(height, width), whole=True)
    corner = _draw(torch.rand, (*image.shape[:-3], 2, 1), image, generator)
    top = (corner[..., 0, :] * (height - size + 1)).floor()
    left = (corner[..., 1, :] * (width - size + 1)).floor()
    row = torch.arange(height, device=image.device)
    column = torch.arange(width, device=image.device)
    hidden_rows = (row >= top) & (row < top + size)
    hidden_columns = (column >= left) & (column < left + size)
    hidden = hidden_rows[..., :, None] & hidden_columns[..., None, :]
    return image.masked_fill(hidden.unsqueeze(-3), 0.0)
