"""The helper package of the course on denoising autoencoders: thin, plain, and read in class."""

from .checkpoints import load_pretrained
from .data import CorruptedDigits, Digits, load_mnist
from .evaluation import psnr, ssim
from .layers import Decoder, DenoisingAutoencoder, Encoder
from .noise import (
    gaussian_noise,
    masking_noise,
    occlusion_noise,
    poisson_noise,
    salt_and_pepper_noise,
    speckle_noise,
)
from .skip import SkipDenoiser
from .training import History, denoise_loss, minibatch_gd, minibatch_loss

__all__ = [
    "CorruptedDigits",
    "Decoder",
    "DenoisingAutoencoder",
    "Digits",
    "Encoder",
    "History",
    "SkipDenoiser",
    "denoise_loss",
    "gaussian_noise",
    "load_mnist",
    "load_pretrained",
    "masking_noise",
    "minibatch_gd",
    "minibatch_loss",
    "occlusion_noise",
    "poisson_noise",
    "psnr",
    "salt_and_pepper_noise",
    "speckle_noise",
    "ssim",
]
