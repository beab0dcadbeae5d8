"""A denoiser with skip connections: fine detail goes around the bottleneck."""

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from .checks import check_input

__all__ = ["SkipDenoiser"]


def _conv(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels_in, channels_out, 3, padding=1), nn.ReLU())


class SkipDenoiser(nn.Module):
    """A small U-Net: two poolings, two skip connections, 56,817 parameters.

    Takes corrupted images (N, 1, H, W) in [0, 1], H and W multiples of 4, returns denoised ones of
    the same shape in (0, 1). ``channels``: feature maps at full size; twice and four times as many
    after each pooling. Raises ``ValueError`` for another shape, ``TypeError`` for another type.
    Source: Ronneberger, Fischer, Brox 2015, "U-Net", arXiv 1505.04597 (there far larger).
    """

    def __init__(self, channels: int = 16) -> None:
        super().__init__()
        c = channels
        self.down1 = _conv(1, c)  # (N, 1, 28, 28) -> (N, 16, 28, 28)
        self.down2 = _conv(c, 2 * c)  # after a pooling -> (N, 32, 14, 14)
        self.down3 = _conv(2 * c, 4 * c)  # after another -> (N, 64, 7, 7)
        self.up2 = nn.ConvTranspose2d(4 * c, 2 * c, 2, stride=2)  # -> (N, 32, 14, 14)
        self.mix2 = _conv(4 * c, 2 * c)
        self.up1 = nn.ConvTranspose2d(2 * c, c, 2, stride=2)  # -> (N, 16, 28, 28)
        self.mix1 = _conv(2 * c, c)
        self.out = nn.Sequential(nn.Conv2d(c, 1, 3, padding=1), nn.Sigmoid())

    def forward(self, images: Tensor) -> Tensor:
        """Return the denoised images: (N, 1, 28, 28) -> (N, 1, 28, 28)."""
        shape = "(N, 1, H, W), H and W multiples of 4"
        check_input("images", images, self.out[0], shape, channels=1, side=4)
        if images.shape[2] % 4 or images.shape[3] % 4:
            raise ValueError(
                f"images should have the shape {shape}, but it is {tuple(images.shape)}"
            )
        large = self.down1(images)
        middle = self.down2(max_pool2d(large, 2))
        small = self.down3(max_pool2d(middle, 2))
        middle = self.mix2(torch.cat([middle, self.up2(small)], dim=1))  # a skip connection
        return self.out(self.mix1(torch.cat([large, self.up1(middle)], dim=1)))  # another one
