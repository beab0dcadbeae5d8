"""The denoising autoencoder of this course: an encoder, a decoder, and the two joined."""

from torch import Tensor, nn

from .checks import check_input

__all__ = ["Decoder", "DenoisingAutoencoder", "Encoder"]


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
    (0, 1). Source of the principle: Vincent et al. 2010, JMLR 11:3371-3408, section 3.
    """

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder()

    def forward(self, images: Tensor) -> Tensor:
        """Return the denoised images: (N, 1, 28, 28) -> (N, 1, 28, 28)."""
        return self.decoder(self.encoder(images))
