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
    for axis, level in zip(plt.gcf().axes, (0.1, 0.9), strict=True):
        assert len(axis.images) == 3
        for image in axis.images:
            assert image.get_clim() == (0, 1) and image.get_cmap().name == "gray"
            assert image.get_array().shape == (6, 5)
            assert np.allclose(image.get_array(), level)


def test_images_stand_upright_side_by_side():
    """White only in its upper right corner, second in its row: there it is on the canvas too."""
    corner = np.zeros((4, 4))
    corner[0, -1] = 1
    show_images({"": [np.zeros((4, 4)), corner]}, size=2)
    canvas = np.asarray(plt.gcf().canvas.buffer_rgba())[..., 0]
    (box,) = (image.get_window_extent() for image in plt.gcf().axes[0].images[1:])
    height = len(canvas)
    left, right, top, bottom = box.x0, box.x1, height - box.y1, height - box.y0
    quarter = (right - left) / 8
    assert canvas[int(top + quarter), int(right - quarter)] == 255
    assert canvas[int(bottom - quarter), int(right - quarter)] == 0
    assert canvas[int(top + quarter), int(left + quarter)] == 0
    first = plt.gcf().axes[0].images[0].get_window_extent()
    assert first.x1 < left and first.width == pytest.approx(box.width)


def test_labels_of_rows_and_columns():
    images = torch.rand(2, 1, 4, 4)
    show_images({"upper": images, "lower": images}, columns=["left", "right"], title="above all")
    axes = plt.gcf().axes
    assert [axis.get_ylabel() for axis in axes] == ["upper", "lower"]
    shown = [[label.get_text() for label in axis.get_xticklabels()] for axis in axes]
    assert shown == [["left", "right"], []]
    for image, label in zip(axes[0].images, axes[0].get_xticklabels(), strict=True):
        box = image.get_window_extent()
        assert (box.x0 + box.x1) / 2 == pytest.approx(label.get_window_extent().x0 / 2
            + label.get_window_extent().x1 / 2, abs=2)  # fmt: skip
    assert plt.gcf().get_suptitle() == "above all"


def test_rows_of_different_length_and_single_images():
    show_images({"two": [torch.rand(4, 4), torch.rand(1, 4, 4)], "one": [np.zeros((4, 4))]})
    assert [len(axis.images) for axis in plt.gcf().axes] == [2, 1]
    show_images({"": torch.rand(1, 1, 4, 4)})
    assert len(plt.gcf().axes) == 1


def test_drawing_leaves_images_as_they_were():
    images = torch.rand(2, 1, 4, 4)
    before = images.clone()
    show_images({"a": images})
    assert torch.equal(images, before)


def test_losses():
    curves = {"train": ([1, 2, 3], [0.3, 0.2, 0.1]), "test": ([1, 3], [0.25, 0.15])}
    plot_losses(curves, "epoch", lines={"doing nothing": 0.05}, title="a title")
    (axis,) = plt.gcf().axes
    drawn = {line.get_label(): line.get_xydata().tolist() for line in axis.lines}
    assert drawn["train"] == [[1, 0.3], [2, 0.2], [3, 0.1]]
    assert drawn["test"] == [[1, 0.25], [3, 0.15]]
    assert {y for _, y in drawn["doing nothing"]} == {0.05}
    assert axis.get_xlabel() == "epoch" and "MSE" in axis.get_ylabel()
    assert axis.get_yscale() == "log"
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
