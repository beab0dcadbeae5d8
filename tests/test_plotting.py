"""The pictures: one grey scale, labels where they belong, drawings with a text alternative."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from dae_helpers import plotting
from dae_helpers.plotting import DRAWINGS, plot_losses, show_drawing, show_images


@pytest.fixture(autouse=True)
def agg(monkeypatch):
    """Draws without a screen, and really draws when a notebook would show."""
    backend = matplotlib.get_backend()
    plt.switch_backend("agg")
    plt.close("all")
    monkeypatch.setattr(plotting.plt, "show", lambda: plt.gcf().canvas.draw())
    yield
    plt.close("all")
    plt.switch_backend(backend)


def texts():
    return [text.get_text() for text in plt.gcf().findobj(matplotlib.text.Text)]


def test_images_share_one_grey_scale():
    grey = torch.full((3, 1, 6, 5), 0.5)
    show_images({"dark": grey * 0.2, "light": np.full((3, 6, 5), 0.9)})
    assert len(plt.get_fignums()) == 1
    axes = plt.gcf().axes
    assert len(axes) == 6
    for axis, level in zip(axes, [0.1] * 3 + [0.9] * 3, strict=True):
        (image,) = axis.images
        assert image.get_clim() == (0, 1)
        assert image.get_cmap().name == "gray"
        assert image.get_array().shape == (6, 5)
        assert np.allclose(image.get_array(), level)


def test_labels_of_rows_and_columns():
    images = torch.rand(2, 1, 4, 4)
    show_images({"upper": images, "lower": images}, columns=["left", "right"], title="above all")
    axes = plt.gcf().axes
    assert [axis.get_ylabel() for axis in axes] == ["upper", "", "lower", ""]
    assert [axis.get_title() for axis in axes] == ["left", "right", "", ""]
    assert plt.gcf().get_suptitle() == "above all"


def test_rows_of_different_length_and_single_images():
    show_images({"two": [torch.rand(4, 4), torch.rand(1, 4, 4)], "one": [np.zeros((4, 4))]})
    assert [len(axis.images) for axis in plt.gcf().axes] == [1, 1, 1, 0]
    show_images({"": torch.rand(1, 1, 4, 4)})
    assert len(plt.gcf().axes) == 1


def test_drawing_leaves_images_as_they_were():
    images = torch.rand(2, 1, 4, 4)
    before = images.clone()
    show_images({"a": images})
    assert torch.equal(images, before)


@pytest.mark.parametrize("log", [True, False])
def test_losses(log):
    curves = {"train": ([1, 2, 3], [0.3, 0.2, 0.1]), "test": ([1, 3], [0.25, 0.15])}
    plot_losses(curves, "epoch", lines={"doing nothing": 0.05}, title="a title", log=log)
    (axis,) = plt.gcf().axes
    drawn = {line.get_label(): line.get_xydata().tolist() for line in axis.lines}
    assert drawn["train"] == [[1, 0.3], [2, 0.2], [3, 0.1]]
    assert drawn["test"] == [[1, 0.25], [3, 0.15]]
    assert {y for _, y in drawn["doing nothing"]} == {0.05}
    assert axis.get_xlabel() == "epoch" and "MSE" in axis.get_ylabel()
    assert axis.get_yscale() == ("log" if log else "linear")
    assert {"train", "test", "doing nothing", "a title"} <= set(texts())


def test_losses_without_lines():
    plot_losses({"train": (range(50), np.linspace(1, 0.1, 50))}, "step")
    assert len(plt.gcf().axes[0].lines) == 1


def test_every_line_is_drawn():
    levels = {f"level {i}": 0.1 * i for i in range(1, 6)}
    plot_losses({"train": ([1, 2], [0.3, 0.2])}, "epoch", lines=levels)
    assert set(levels) <= {line.get_label() for line in plt.gcf().axes[0].lines}


def test_drawing_has_its_text_alternative(monkeypatch):
    shown = []
    monkeypatch.setattr(plotting, "display", shown.append)
    drawing = sorted(DRAWINGS.glob("*.png"))[0]
    show_drawing(drawing.name, "what it shows")
    (image,) = shown
    assert image.metadata["alt"] == "what it shows"  # IPython 7 knows no image.alt
    assert image.data == drawing.read_bytes()
    _, about = image._repr_mimebundle_()
    assert about["image/png"]["alt"] == "what it shows"


def test_missing_drawing(monkeypatch):
    shown = []
    monkeypatch.setattr(plotting, "display", shown.append)
    with pytest.raises(FileNotFoundError, match="no-such-drawing.png"):
        show_drawing("no-such-drawing.png", "nothing")
    assert shown == []
