"""Input that can be read in two ways, and messages that say how to make it right."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import Subset, random_split
from torchvision.transforms import v2

from dae_helpers import (
    CorruptedDigits,
    DenoisingAutoencoder,
    Digits,
    SkipDenoiser,
    gaussian_noise,
    masking_noise,
    minibatch_gd,
    noise,
    psnr,
)
from dae_helpers.evaluation import denoise
from dae_helpers.plotting import show_images

NOISES = [getattr(noise, name) for name in dir(noise) if name.endswith("_noise")]


def digits(n=40):
    images = torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    return Digits(images, torch.zeros(n).long(), "a test")


def message(error, call, *args, **kwargs):
    with pytest.raises(error) as caught:
        call(*args, **kwargs)
    return str(caught.value)


# Shapes and ranges


@pytest.mark.parametrize("n", [2, 6, 60])
def test_batch_of_grey_images_is_not_one_of_many_channels(n, quoted):
    """``dataset.data / 255`` is (N, 28, 28): all its digits would get the same mask."""
    images = torch.ones(n, 28, 28)
    assert len(NOISES) == 6
    for corrupt in NOISES:
        quoted(message(ValueError, corrupt, images))
    assert "unsqueeze(1)" in message(ValueError, Digits, images, torch.zeros(n), "a test")
    masks = masking_noise(images.unsqueeze(1), 0.5)
    assert not torch.equal(masks[0], masks[1]), "the advice gives each its own"


def test_images_of_one_or_three_or_four_channels_are_images():
    for channels in (1, 3, 4):
        assert masking_noise(torch.ones(channels, 9, 9)).shape == (channels, 9, 9)


def test_three_digits_are_no_picture_in_colour(quoted):
    quoted(message(ValueError, Digits, torch.ones(3, 28, 28), torch.zeros(3), "a test"))
    assert "unsqueeze" in message(ValueError, psnr, torch.ones(3, 28, 28), torch.ones(3, 28, 28))


@pytest.mark.parametrize("side", [32, 64, 30])
def test_size_that_the_network_would_change(side, quoted):
    images = torch.rand(4, 1, side, side)
    said = message(ValueError, denoise, DenoisingAutoencoder(), images)
    quoted(said)
    assert f"{side}, {side}" in said
    pairs = [(image, image) for image in images]
    for_training = message(ValueError, minibatch_gd, DenoisingAutoencoder(), 1, pairs, pairs)
    assert for_training == said
    named = int(said.partition("such as ")[2].partition("x")[0])
    cropped = nn.functional.interpolate(images, named)
    assert denoise(DenoisingAutoencoder(), cropped).shape == cropped.shape, "it works at that size"
    whole = images[..., : side // 4 * 4, : side // 4 * 4]
    assert denoise(SkipDenoiser(), whole).shape == whole.shape, "and so does the other advice"


def test_any_network_that_changes_the_size():
    shrinking = nn.Conv2d(1, 1, 3)
    said = message(ValueError, denoise, shrinking, torch.rand(2, 1, 32, 40))
    assert "(2, 1, 32, 40)" in said and "(2, 1, 30, 38)" in said and "pad" in said


def test_eight_bit_values(quoted):
    images = torch.rand(2, 1, 28, 28)
    floats, whole = 255 * images, (255 * images).byte()
    for wrong in (floats, whole, whole.numpy(), floats.numpy().astype(np.float64)):
        said = message(ValueError, show_images, {"a": images, "b": wrong})
        quoted(said)
        assert "'b'" in said
    for call in (gaussian_noise, lambda x: denoise(SkipDenoiser(), x)):
        assert "by 255" in message(ValueError, call, floats)
        assert "by 255" in message(TypeError, call, whole)
    pairs = [(a, a) for a in floats]
    assert "by 255" in message(ValueError, minibatch_gd, SkipDenoiser(), 1, pairs, pairs)


# Digits, noise and models of other kinds


def test_part_of_the_digits(quoted):
    whole = digits()
    for part in (random_split(whole, [30, 10])[0], Subset(whole, [3, 1]), [whole[0]], whole.images):
        quoted(message(TypeError, CorruptedDigits, part))
    part = random_split(whole, [30, 10])[0]
    advised = Digits(*part.dataset[part.indices], whole.source)
    assert torch.equal(CorruptedDigits(advised).original, whole.images[part.indices])


def test_noise_that_takes_no_generator(quoted):
    def plain(images):
        return images

    for wrong in (plain, lambda im: im, v2.GaussianNoise(), nn.Dropout(0.5), torch.randn_like):
        said = message(TypeError, CorruptedDigits, digits(), wrong)
        quoted(said)
    wrapped = CorruptedDigits(digits(), lambda images, generator=None: plain(images), fresh=True)
    assert torch.equal(wrapped[3][0], wrapped[3][1])


class Several(nn.Conv2d):
    """Like a variational autoencoder: an image, and two things more."""

    def forward(self, images):
        output = super().forward(images)
        return output, output.mean(), output.std()


def test_model_that_returns_several_things(quoted):
    model = Several(1, 1, 3, padding=1)
    quoted(message(TypeError, denoise, model, torch.rand(2, 1, 28, 28)))


def test_three_channels_are_denoised():
    model = nn.Conv2d(3, 3, 3, padding=1)
    images = torch.rand(2, 3, 9, 12)
    torch.testing.assert_close(denoise(model, images), model(images).detach())
