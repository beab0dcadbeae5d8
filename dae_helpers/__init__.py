"""The helper package of the course on denoising autoencoders: thin, plain, and read in class."""

from .checkpoints import load_pretrained
from .data import CorruptedDigits, Digits, load_mnist
from .evaluation import psnr, ssim
from .layers import Decoder, DenoisingAutoencoder, Encoder, SkipDenoiser
from .noise import (
    gaussian_noise,
    masking_noise,
    occlusion_noise,
    poisson_noise,
    salt_and_pepper_noise,
    speckle_noise,
)
from .training import (
    History,
    dark_start,
    denoise_loss,
    minibatch_gd,
    minibatch_loss,
    one_cycle,
)
