"""The network with skip connections: shapes, parameters, and that its skips carry something."""

import pytest
import torch
from torch import nn

from dae_helpers import SkipDenoiser


def test_shapes_and_range():
    torch.manual_seed(0)
    model = SkipDenoiser()
    for shape in ((3, 1, 28, 28), (1, 1, 4, 12)):
        output = model(torch.rand(shape))
        assert output.shape == shape and 0 < output.min() and output.max() < 1


@pytest.mark.parametrize("c", [1, 8, 16])
def test_parameters_by_hand(c):
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


def test_last_parameter_is_the_output_bias():
    """The recipes set it."""
    model = SkipDenoiser()
    *_, last = model.named_parameters()
    assert last[0] == "out.0.bias" and last[1].shape == (1,)
    assert isinstance(model.out[1], nn.Sigmoid)


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
def test_wrong_shapes(shape):
    with pytest.raises(ValueError) as caught:
        SkipDenoiser()(torch.zeros(shape))
    assert "multiples of 4" in str(caught.value) and str(tuple(shape)) in str(caught.value)
