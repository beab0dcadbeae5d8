"""Checks for the exercises of notebook 03: the model. They judge the network that was built."""

import torch
from torch import Tensor, nn

from ..layers import Decoder, Encoder
from .exercise import Wrong, exercise, whole


class Built:
    """What the checks ask of a network that was built."""

    @staticmethod
    def sizes(x: Tensor) -> str:
        """A shape as the notebook writes it, without the number of images."""
        return " x ".join(map(str, x.shape[1:]))

    @staticmethod
    def output(network, images: Tensor, what: str) -> Tensor:
        """What ``network`` makes of ``images``; the check ends if that is no network."""
        if not isinstance(network, nn.Module):
            kind = "a class" if isinstance(network, type) else f"a {type(network).__name__}"
            raise Wrong(f"return {what}, built from layers; your function returns {kind}.")
        output = network(images)
        if not isinstance(output, Tensor) or output.ndim != 4:
            raise Wrong("the network should return images, (N, channels, height, width).")
        return output


@exercise(hint="each layer takes as many channels as the one before it gives.")
def design_decoder(answer):
    """Exercise 1 of notebook 03: a decoder that gives 28x28 back."""
    channels = 4 * whole(2, 9)
    latents = torch.randn(3, channels, 3, 3)
    network = answer(channels)
    out = Built.output(network, latents, "a decoder")
    if out.shape != (3, 1, 28, 28):
        sizes, x = ["3"], latents
        for layer in network if isinstance(network, nn.Sequential) else [network]:
            x = layer(x)
            sizes += [str(x.shape[-1])] if str(x.shape[-1]) != sizes[-1] else []
        sides = f"the sides are {', '.join(sizes)}."
        return f"1 x 28 x 28 should come out, not {Built.sizes(out)}: {sides}"
    count = sum(isinstance(layer, nn.ConvTranspose2d) for layer in network.modules())
    if count != 3:
        return f"use three transposed convolutions; there are {count}."
    if not 0 <= out.min() <= out.max() <= 1:
        return "pixels should lie between 0 and 1: a sigmoid is missing at the end."
    network = network.double()
    a, b, none = (torch.logit(network(c * latents.double()), 1e-9) for c in (1, -1, 0))
    if torch.allclose(a + b, 2 * none, atol=1e-6):
        return "without a ReLU between them, three layers do no more than one could."
    return None


@exercise(hint="the layer takes the first number of channels and gives the second.")
def even_upsampling(answer):
    """Exercise 2 of notebook 03: 3x3 to 7x7 without a checkerboard."""
    channels_in, channels_out = whole(2, 5), whole(6, 9)
    layer = answer(channels_in, channels_out)
    out = Built.output(layer, torch.rand(1, channels_in, 3, 3), "a layer")
    if out.shape[1:] != (channels_out, 7, 7):
        return f"{channels_out} x 7 x 7 should come out, not {Built.sizes(out)}."
    for name, weights in layer.named_parameters():
        nn.init.constant_(weights, 0.0 if name.endswith("bias") else 1.0)
    copies = layer(torch.ones(1, channels_in, 3, 3))[0, 0] / channels_in
    if copies.min() == 0:
        return "some pixels get no copy of the kernel at all: make the kernel wider."
    inner = layer(torch.ones(1, channels_in, 24, 24))[0, 0, 8:-8, 8:-8] / channels_in
    if inner.min() < inner.max():
        row = ", ".join(f"{x:g}" for x in inner[0, :4].tolist())
        return f"that leaves a checkerboard: copies on neighbouring pixels of a row are {row}, ..."
    return None


@exercise(hint="each layer takes as many channels as the one before it gives.")
def wide_encoder(answer):
    """Exercise 3 of notebook 03: an encoder whose latent sees the whole picture."""
    channels = 4 * whole(2, 6)
    images = torch.rand(48, 1, 28, 28, requires_grad=True)
    network = answer(channels)
    Built.output(network, images, "an encoder")
    for weights in network.parameters():
        weights.data.abs_()  # so that no ReLU hides a pixel by chance
    latent = network(images)
    if latent.shape[1:] != (channels, 3, 3):
        return f"the latent should be {channels} x 3 x 3, but it is {Built.sizes(latent)}."
    latent[:, :, 1, 1].sum().backward()
    seen = (images.grad != 0).any(dim=0)[0].any(dim=1).nonzero().flatten()
    if len(seen) == 0:
        return "the latent in the middle does not depend on the picture."
    if len(seen) < 28:
        return f"the latent in the middle sees rows {seen.min()} to {seen.max()}, not 0 to 27."
    if not any(isinstance(layer, nn.Conv2d) for layer in network.modules()):
        return "build it from convolutions and poolings."
    return None


@exercise(hint="the encoder's last channels are the channels that the decoder takes.")
def repair_one(answer):
    """Exercise 4 of notebook 03: one oddity of the network repaired, and no other."""
    encoder, decoder = Encoder().encoder, Decoder().decoder
    found = answer(encoder, decoder)
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise Wrong("return both: the encoder and the decoder.")
    latent = Built.output(found[0], torch.rand(2, 1, 28, 28), "the encoder first")
    out = Built.output(found[1], latent, "the decoder second")
    if out.shape[1:] != (1, 28, 28):
        wrong = Built.sizes(out)
        return f"a latent of {Built.sizes(latent)} is decoded to {wrong}, not to 1 x 28 x 28."
    kept, wide = latent.shape[-1] > 3, latent[0].numel() > 784
    size = f"the latent is {Built.sizes(latent)} = {latent[0].numel():,} numbers"
    if sum(isinstance(layer, nn.ReLU) for layer in found[0].modules()) > 2:
        return "a ReLU after the third convolution is what section 7 tried: repair another oddity."
    if kept and wide:
        return f"{size}: two repairs at once, so you could not tell which one matters."
    if kept and not 500 < latent[0].numel() < 700:
        return f"{size}: change only what is dropped, and keep about 576 numbers."
    if not kept and not wide:
        return f"{size}: the row is dropped and the latent is smaller than 784, as before."
    return None
