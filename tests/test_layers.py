"""The networks: shapes, parameters, initialisation, gradients, and the same thing written anew."""

import math
import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dae_helpers import (
    Decoder,
    DenoisingAutoencoder,
    Encoder,
    SkipDenoiser,
    dark_start,
    load_pretrained,
)

STAGES = {  # where a stage ends -> its shape for one 28x28 image
    "encoder": [
        (16, 28, 28),
        (16, 28, 28),
        (16, 14, 14),
        (32, 14, 14),
        (32, 14, 14),
        (32, 7, 7),
        (64, 7, 7),
        (64, 3, 3),
    ],
    "decoder": [(32, 7, 7), (32, 7, 7), (16, 14, 14), (16, 14, 14), (1, 28, 28), (1, 28, 28)],
}
SHAPES = {
    "encoder.encoder.0.weight": (16, 1, 3, 3),
    "encoder.encoder.0.bias": (16,),
    "encoder.encoder.3.weight": (32, 16, 3, 3),
    "encoder.encoder.3.bias": (32,),
    "encoder.encoder.6.weight": (64, 32, 3, 3),
    "encoder.encoder.6.bias": (64,),
    "decoder.decoder.0.weight": (64, 32, 3, 3),
    "decoder.decoder.0.bias": (32,),
    "decoder.decoder.2.weight": (32, 16, 2, 2),
    "decoder.decoder.2.bias": (16,),
    "decoder.decoder.4.weight": (16, 1, 4, 4),
    "decoder.decoder.4.bias": (1,),
}


@pytest.fixture
def model():
    torch.manual_seed(0)
    return DenoisingAutoencoder()


@pytest.fixture
def images():
    return torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(1))


def test_shape_after_every_stage(model, images):
    x = images
    for layer, shape in zip(model.encoder.encoder, STAGES["encoder"], strict=True):
        x = layer(x)
        assert x.shape[1:] == shape
    assert torch.equal(x, model.encoder(images))
    assert x[0].numel() == 576
    for layer, shape in zip(model.decoder.decoder, STAGES["decoder"], strict=True):
        x = layer(x)
        assert x.shape[1:] == shape
    assert torch.equal(x, model(images))


@pytest.mark.parametrize("n", [1, 2, 7])
def test_any_number_of_images(model, n):
    assert model(torch.zeros(n, 1, 28, 28)).shape == (n, 1, 28, 28)


def test_other_sizes_have_the_documented_latents(model):
    assert model.encoder(torch.zeros(2, 1, 40, 61)).shape == (2, 64, 5, 7)


def test_wrong_number_of_channels(model):
    with pytest.raises(ValueError, match=r"\(N, 1, H, W\)"):
        model(torch.zeros(1, 3, 28, 28))


def test_parameters_and_keys(model):
    state = model.state_dict()
    assert {name: tuple(value.shape) for name, value in state.items()} == SHAPES
    assert list(state) == list(SHAPES)
    assert sum(math.prod(shape) for shape in SHAPES.values()) == 44_081
    assert sum(p.numel() for p in model.parameters()) == 44_081
    assert all(p.requires_grad for p in model.parameters())


def assert_normal(weight, std):
    n = weight.numel()
    assert abs(weight.mean().item()) < 5 * std / math.sqrt(n)
    assert abs(weight.std().item() / std - 1) < 5 / math.sqrt(2 * n)


def test_encoder_starts_from_kaiming_normal():
    torch.manual_seed(2)
    models = [Encoder() for _ in range(20)]
    for i, fan_in in ((0, 9), (3, 16 * 9), (6, 32 * 9)):
        weight = torch.stack([model.encoder[i].weight.detach() for model in models])
        assert_normal(weight, math.sqrt(2 / fan_in))


def test_decoder_starts_from_xavier_normal():
    torch.manual_seed(3)
    models = [Decoder() for _ in range(20)]
    for i, ins, outs, area in ((0, 64, 32, 9), (2, 32, 16, 4), (4, 16, 1, 16)):
        weight = torch.stack([model.decoder[i].weight.detach() for model in models])
        assert_normal(weight, math.sqrt(2 / (ins * area + outs * area)))


def test_biases_start_at_zero(model):
    biases = [value for name, value in model.named_parameters() if name.endswith("bias")]
    assert len(biases) == 6
    assert all((bias == 0).all() for bias in biases)


def test_seed_decides_the_weights():
    def weights(seed):
        torch.manual_seed(seed)
        return torch.cat([p.detach().flatten() for p in DenoisingAutoencoder().parameters()])

    assert torch.equal(weights(4), weights(4))
    assert not torch.equal(weights(4), weights(5))


def test_output_is_strictly_between_0_and_1(model, images):
    output = model(images)
    assert output.min() > 0 and output.max() < 1


def test_latent_is_unbounded(model, images):
    latent = model.encoder(images)
    assert latent.min() < 0 < 1 < latent.max(), "neither a ReLU nor a sigmoid comes last"


def test_gradient_reaches_every_parameter(model, images):
    model(images).square().mean().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0, name


def test_same_as_written_out_with_functions(model, images):
    with torch.no_grad():
        for parameter in model.parameters():  # biases too, so that they count
            parameter.add_(torch.randn_like(parameter) * 0.1)
    w = model.state_dict()

    def conv(x, i):
        return F.conv2d(
            x, w[f"encoder.encoder.{i}.weight"], w[f"encoder.encoder.{i}.bias"], padding=1
        )

    def up(x, i, **how):
        name = f"decoder.decoder.{i}"
        return F.conv_transpose2d(x, w[f"{name}.weight"], w[f"{name}.bias"], **how)

    x = F.max_pool2d(F.relu(conv(images, 0)), 2)
    x = F.max_pool2d(F.relu(conv(x, 3)), 2)
    x = F.max_pool2d(conv(x, 6), 2)
    torch.testing.assert_close(model.encoder(images), x)
    x = F.relu(up(x, 0, stride=2))
    x = F.relu(up(x, 2, stride=2))
    x = torch.sigmoid(up(x, 4, stride=2, padding=1))
    torch.testing.assert_close(model(images), x)


def test_mode_makes_no_difference(model, images):
    assert torch.equal(model.train()(images), model.eval()(images))


@pytest.mark.parametrize(
    "images", [torch.rand(1, 28, 28), torch.rand(2, 3, 28, 28), torch.rand(2, 1, 7, 28)]
)
def test_wrong_images_are_named(images):
    with pytest.raises(ValueError, match=r"\(N, 1, H, W\).*" + re.escape(str(tuple(images.shape)))):
        Encoder()(images)


def test_wrong_latent_is_named():
    with pytest.raises(ValueError, match=r"\(N, 64, 3, 3\).*\(2, 576\)"):
        Decoder()(torch.rand(2, 576))


# The network with skip connections


def test_skip_shapes_and_range():
    torch.manual_seed(0)
    model = SkipDenoiser()
    for shape in ((3, 1, 28, 28), (1, 1, 4, 12)):
        output = model(torch.rand(shape))
        assert output.shape == shape and 0 < output.min() and output.max() < 1


@pytest.mark.parametrize("c", [1, 8, 16])
def test_skip_parameters_by_hand(c):
    def conv(a, b, k):
        return a * b * k * k + b

    expected = (
        conv(1, c, 3) + conv(c, 2 * c, 3) + conv(2 * c, 4 * c, 3)
        + conv(4 * c, 2 * c, 2) + conv(4 * c, 2 * c, 3)
        + conv(2 * c, c, 2) + conv(2 * c, c, 3) + conv(c, 1, 3)
    )  # fmt: skip
    assert sum(p.numel() for p in SkipDenoiser(c).parameters()) == expected
    if c == 16:
        assert expected == 56_817  # what the docstring says


@pytest.mark.parametrize("cut", ["up1", "up2"])
def test_skips_carry_the_input_past_a_cut(cut):
    """With the way up from below silenced, the output still follows the input."""
    torch.manual_seed(0)
    model = SkipDenoiser()
    with torch.no_grad():
        for parameter in getattr(model, cut).parameters():
            parameter.zero_()
        a, b = model(torch.zeros(1, 1, 28, 28)), model(torch.rand(1, 1, 28, 28))
    assert (a - b).std() > 1e-3


@pytest.mark.parametrize(
    "shape", [(1, 28, 28), (1, 3, 28, 28), (1, 1, 26, 28), (1, 1, 28, 27), (1, 1, 0, 28), (28, 28)]
)
def test_skip_wrong_shapes(shape):
    with pytest.raises(ValueError) as caught:
        SkipDenoiser()(torch.zeros(shape))
    assert "multiples of 4" in str(caught.value) and str(tuple(shape)) in str(caught.value)


@pytest.mark.parametrize(("name", "side"), [("fine", 28), ("coarse", 14)])
def test_a_closed_path_carries_nothing(name, side):
    """Closed, the path's half of the mixing weights sees zeros: changing it changes nothing."""
    images = torch.rand(2, 1, 28, 28, generator=torch.Generator().manual_seed(5))
    state = load_pretrained("skip").state_dict()
    mix = {"fine": "mix1.0.weight", "coarse": "mix2.0.weight"}[name]
    changed = {key: value.clone() for key, value in state.items()}
    half = changed[mix].shape[1] // 2
    changed[mix][:, :half] += 1
    outputs = {}
    for opened in (True, False):
        for weights in (state, changed):
            model = SkipDenoiser(**{name: opened})
            model.load_state_dict(weights)
            outputs.setdefault(opened, []).append(model(images).detach())
    assert torch.equal(*outputs[False])
    assert not torch.allclose(*outputs[True])


def test_sizes_that_the_classic_network_keeps():
    model = DenoisingAutoencoder()
    for side in range(8, 40):
        images = torch.zeros(1, 1, side, 28)
        if model.decoder(model.encoder(images)).shape == images.shape:
            assert model(images).shape == images.shape
        else:
            with pytest.raises(ValueError, match="4 more than multiples of 8") as caught:
                model(images)
            assert f"(1, 1, {side}, 28)" in str(caught.value) and "SkipDenoiser" in str(
                caught.value
            )


@pytest.mark.parametrize("make", [DenoisingAutoencoder, SkipDenoiser])
def test_dark_start_is_the_mean_brightness(make):
    images = torch.full((3, 1, 28, 28), 0.13)
    model = make()
    for parameter in model.parameters():
        nn.init.zeros_(parameter)  # the output is then the sigmoid of the last bias
    assert dark_start(model, images) is model
    torch.testing.assert_close(model(torch.rand(3, 1, 28, 28)), images)


def test_dark_start_needs_a_bias():
    with pytest.raises(ValueError, match="a layer with a bias"):
        dark_start(
            nn.Sequential(nn.Conv2d(1, 1, 3, bias=False), nn.Sigmoid()), torch.full((1,), 0.1)
        )
