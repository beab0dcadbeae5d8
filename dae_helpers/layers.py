"""The networks of this course: the denoising autoencoder, and one with skip connections."""

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from .checks import check_input, check_sides


class Encoder(nn.Module):
    """Three 3x3 convolutions, each followed by a 2x2 max-pooling.

    Takes images (N, 1, 28, 28) with values in [0, 1], returns latents (N, 64, 3, 3), unbounded.
    Other heights and widths give (N, 64, H // 8, W // 8), from 8 pixels on. Another shape raises
    ``ValueError``, another type than the weights' ``TypeError``.

    Convolution weights start from Kaiming's normal initialisation (fan-in, ReLU), biases at 0.
    Source: He et al. 2015, "Delving Deep into Rectifiers", section 2.2.
    """

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=3, padding=1),  # (N, 1, 28, 28) -> (N, 16, 28, 28)
            nn.ReLU(),
            nn.MaxPool2d(2),  # -> (N, 16, 14, 14)
            nn.Conv2d(16, 32, kernel_size=3, padding=1),  # -> (N, 32, 14, 14)
            nn.ReLU(),
            nn.MaxPool2d(2),  # -> (N, 32, 7, 7)
            nn.Conv2d(32, 64, kernel_size=3, padding=1),  # -> (N, 64, 7, 7), no ReLU follows
            nn.MaxPool2d(2),  # -> (N, 64, 3, 3): the seventh row and column are dropped
        )
        for layer in self.encoder:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
                nn.init.zeros_(layer.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Return the latents of ``images``: (N, 1, 28, 28) -> (N, 64, 3, 3)."""
        shape = "(N, 1, H, W), H and W at least 8"
        check_input("images", images, self.encoder[0], shape, channels=1, side=8)
        return self.encoder(images)


class Decoder(nn.Module):
    """Three transposed convolutions that double the size back to 28x28, and a sigmoid.

    Takes latents (N, 64, 3, 3), returns images (N, 1, 28, 28) with values in (0, 1). A latent of
    another number of channels raises ``ValueError``.
    Transposed-convolution weights start from Xavier's normal initialisation, biases at 0.
    Source: Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward
    neural networks", section 4.2.
    """

    def __init__(self) -> None:
        super().__init__()
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(64, 32, kernel_size=3, stride=2),  # (N, 64, 3, 3) -> (N, 32, 7, 7)
            nn.ReLU(),
            nn.ConvTranspose2d(32, 16, kernel_size=2, stride=2),  # -> (N, 16, 14, 14)
            nn.ReLU(),
            nn.ConvTranspose2d(16, 1, kernel_size=4, stride=2, padding=1),  # -> (N, 1, 28, 28)
            nn.Sigmoid(),
        )
        for layer in self.decoder:
            if isinstance(layer, nn.ConvTranspose2d):
                nn.init.xavier_normal_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(self, latent: Tensor) -> Tensor:
        """Return the images of ``latent``: (N, 64, 3, 3) -> (N, 1, 28, 28)."""
        check_input("latents", latent, self.decoder[0], "(N, 64, 3, 3)", channels=64)
        return self.decoder(latent)


class DenoisingAutoencoder(nn.Module):
    """``Decoder()(Encoder()(images))``: 44,081 parameters, 576 latent numbers an image.

    Takes corrupted images (N, 1, 28, 28) in [0, 1], returns denoised ones of the same shape in
    (0, 1). Other heights and widths give images of the same shape if they are 4 more than a
    multiple of 8: 12, 20, 28, 36 ...; for any other ``ValueError`` is raised.
    Source of the principle: Vincent et al. 2010, JMLR 11:3371-3408, section 3.
    """

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder()

    def forward(self, images: Tensor) -> Tensor:
        """Return the denoised images: (N, 1, 28, 28) -> (N, 1, 28, 28)."""
        check_sides(images, 8, 4)
        return self.decoder(self.encoder(images))


def _conv(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels_in, channels_out, 3, padding=1), nn.ReLU())


class SkipDenoiser(nn.Module):
    """A small U-Net: two poolings, two skip connections, 56,817 parameters.

    Takes corrupted images (N, 1, H, W) in [0, 1], H and W multiples of 4, returns denoised ones of
    the same shape in (0, 1). ``channels``: feature maps at full size; twice and four times as many
    after each pooling. ``fine``, ``coarse``: whether the skip connection at full and at half size
    is open; a closed one hands on zeros, so the weights have the same shapes either way.
    Raises ``ValueError`` for another shape, ``TypeError`` for another type.
    Source: Ronneberger, Fischer, Brox 2015, "U-Net", arXiv 1505.04597 (there far larger).
    """

    def __init__(self, channels: int = 16, fine: bool = True, coarse: bool = True) -> None:
        super().__init__()
        c, self.fine, self.coarse = channels, fine, coarse
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
        check_sides(images, 4, 0)
        large = self.down1(images)
        middle = self.down2(max_pool2d(large, 2))
        small = self.down3(max_pool2d(middle, 2))
        middle = torch.cat([self.coarse * middle, self.up2(small)], dim=1)  # a skip connection
        large = torch.cat([self.fine * large, self.up1(self.mix2(middle))], dim=1)  # another one
        return self.out(self.mix1(large))
