"""Answers to the exercises of notebook 03: right ones, and wrong ones with words that name them."""

from exercise_row import Row
from torch import nn
from torch.nn.functional import conv_transpose2d

Up = nn.ConvTranspose2d


def decoder(*kernels, padding=(0, 0, 1), relu=nn.ReLU, end=nn.Sigmoid, out=1):
    def build(channels):
        sides = (channels, 8, 4, out)
        layers = []
        for i, kernel in enumerate(kernels):
            layers += [Up(sides[i], sides[i + 1], kernel, stride=2, padding=padding[i])]
            layers += [relu() if i < 2 else end()]
        return nn.Sequential(*layers)

    return build


class Nested(nn.Module):
    """A decoder in another style: a class, other kernels, and doubled at another place."""

    def __init__(self, channels):
        super().__init__()
        self.first = nn.Sequential(Up(channels, 10, 5), nn.LeakyReLU())
        self.second = nn.Sequential(Up(10, 6, 4, 2, 1), nn.LeakyReLU())
        self.last = Up(6, 1, 3, 2, 1, output_padding=1)

    def forward(self, latent):
        return self.last(self.second(self.first(latent))).sigmoid()


class Even(nn.Module):
    """Places kernels by hand: kernel 4, stride 2, a pixel cut at the left and at the top."""

    def __init__(self, channels_in, channels_out):
        super().__init__()
        self.weight = nn.Parameter(0.1 * next(Up(channels_in, channels_out, 4).parameters()))

    def forward(self, x):
        return conv_transpose2d(x, self.weight, stride=2)[..., 1:, 1:]


def linear_upsampling(channels_in, channels_out):
    flat = nn.Linear(9 * channels_in, 49 * channels_out)
    return nn.Sequential(nn.Flatten(), flat)


def encoder(kernels, pools=3, dilation=1):
    def build(channels):
        sides, layers = (1, 6, 8, channels), []
        for i, kernel in enumerate(kernels):
            last = dilation if i == 2 else 1
            pad = last * (kernel // 2)
            layers += [nn.Conv2d(sides[i], sides[i + 1], kernel, padding=pad, dilation=last)]
            layers += [nn.ReLU(), nn.MaxPool2d(2)] if i < pools else []
        return nn.Sequential(*layers)

    return build


def deeper(channels):
    def conv(a, b):
        return nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.ReLU())

    first = nn.Sequential(conv(1, 4), nn.MaxPool2d(2), conv(4, 6), nn.MaxPool2d(2))
    return nn.Sequential(first, conv(6, 8), conv(8, 8), conv(8, channels), nn.MaxPool2d(2))


def repair(channels, side=3, relu=False, forget=False):
    def change(encoder, decoder):
        encoder[6] = nn.Conv2d(32, channels, 3, padding=1)
        if not forget:
            decoder[0] = Up(channels, 32, 3, stride=2, padding=side - 3)
        if side == 4:
            encoder[7] = nn.MaxPool2d(2, ceil_mode=True)
        if relu:
            encoder.insert(7, nn.ReLU())
        return encoder, decoder

    return change


def padded(encoder, decoder):
    """The row kept in another way: padding before the pooling; new networks, in a list."""
    conv = nn.Conv2d(32, 36, 3, padding=1)
    encoder = nn.Sequential(encoder[:6], conv, nn.ZeroPad2d((0, 1, 0, 1)), nn.MaxPool2d(2))
    return [encoder, nn.Sequential(Up(36, 32, 1, stride=2), *decoder[1:])]


def without_third_pooling(encoder, decoder):
    encoder[6] = nn.Conv2d(32, 20, 3, padding=1)
    decoder[0] = Up(20, 32, 3, padding=1)
    return encoder[:7], decoder


ROWS = {
    "design_decoder": Row(
        decoder(3, 2, 4),
        [
            (decoder(2, 2, 2, padding=(0, 0, 0)), "the sides are 3, 6, 12, 24"),
            (decoder(3, 3, 3, padding=(0, 0, 0)), "the sides are 3, 7, 15, 31"),
            (decoder(3, 2, 4, end=nn.Identity), "a sigmoid is missing"),
            (decoder(3, 2, 4, relu=nn.Identity), "without a ReLU"),
            (decoder(3, 2, 4, out=3), "1 x 28 x 28 should come out, not 3 x 28 x 28"),
            (lambda c: nn.Sequential(Up(c, 1, 28), nn.MaxPool2d(2), nn.Sigmoid()), "not 1 x 15"),
            (
                lambda c: nn.Sequential(Up(c, 1, 1), nn.Upsample(28), nn.Sigmoid()),
                "three transposed convolutions; there are 1",
            ),
            (lambda c: decoder(3, 2, 4)(64 + c), "channels as the one before"),
            (lambda c: Nested, "returns a class"),
        ],
        also=(Nested, decoder(3, 4, 2, padding=(0, 1, 0), relu=nn.ELU)),
    ),
    "even_upsampling": Row(
        lambda i, o: Up(i, o, 4, stride=2, padding=1, output_padding=1),
        [
            (lambda i, o: Up(i, o, 3, stride=2), "a checkerboard"),
            (lambda i, o: Up(i, o, 5, stride=2, padding=1), "a checkerboard"),
            (lambda i, o: Up(i, o, 2, stride=2), "x 7 x 7 should come out"),
            (lambda i, o: Up(i, o, 2, stride=2, output_padding=1), "no copy of the kernel at all"),
            (lambda i, o: Up(o, i, 4, stride=2, padding=1, output_padding=1), "first number of"),
            (linear_upsampling, "should return images"),
        ],
        also=(
            lambda i, o: Up(i, o, 5),
            lambda i, o: nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(i, o, 4, padding=2)),
            Even,
        ),
    ),
    "wide_encoder": Row(
        encoder((5, 5, 5)),
        [
            (encoder((3, 3, 3)), "sees rows 1 to 22, not 0 to 27"),
            (encoder((3, 3, 3), dilation=2), "sees rows 0 to 26"),
            (encoder((5, 5, 5), pools=2), "x 3 x 3, but it is"),
            (lambda c: encoder((5, 5, 5))(c + 1), "the latent should be"),
            (lambda c: nn.Sequential(nn.Conv2d(2, c, 5), nn.MaxPool2d(8)), "channels as the one"),
        ],
        also=(deeper, lambda c: nn.Sequential(nn.Conv2d(1, c, 28, stride=9, padding=9))),
    ),
    "repair_one": Row(
        repair(128),
        [
            (lambda encoder, decoder: (encoder, decoder), "as before"),
            (repair(64, side=4), "two repairs at once"),
            (repair(64, relu=True), "what section 7 tried"),
            (repair(128, forget=True), "channels that the decoder takes"),
            (repair(20, side=4), "keep about 576"),
            (without_third_pooling, "two repairs at once"),
            (lambda encoder, decoder: encoder, "return both"),
            (lambda encoder, decoder: (encoder, decoder[:4]), "not to 1 x 28 x 28"),
        ],
        also=(repair(36, side=4), padded, repair(88)),
    ),
}
