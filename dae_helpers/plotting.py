"""The few pictures that several notebooks draw. Knows arrays only."""

import itertools
from collections.abc import Mapping, Sequence
from importlib.resources import files

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image, display
from matplotlib.ticker import LogLocator

from .checks import looks_like_bytes, need

DRAWINGS = files("denoising_models")


def show_images(
    rows: Mapping[str, Sequence],
    columns: Sequence[str] | None = None,
    title: str | None = None,
    size: float = 1.1,
) -> None:
    """Draw rows of images on one grey scale from 0 (black) to 1 (white).

    ``rows``: label -> images, each (1, H, W) or (H, W), tensors or arrays. ``columns``: a title
    for each column. ``size``: of one image, in inches. Raises ``ValueError`` for 8-bit values.
    """
    rows = {label: [np.asarray(image).squeeze() for image in rows[label]] for label in rows}
    for label, images in rows.items():
        what = f"the images {label!r} should have values in [0, 1]: divide 8-bit ones by 255"
        need(not any(looks_like_bytes(image) for image in images), what)
    width = max(len(images) for images in rows.values())
    figure, axes = plt.subplots(
        len(rows), width, squeeze=False, figsize=(size * width + 1.1, size * len(rows) + 0.3)
    )
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    for row, (label, images) in zip(axes, rows.items(), strict=True):
        row[0].set_ylabel(label, rotation=0, ha="right", va="center")
        for axis, image in zip(row, images, strict=False):
            axis.imshow(image, cmap="gray", vmin=0, vmax=1)
    for axis, text in zip(axes[0], columns or [], strict=False):
        axis.set_title(text, fontsize=9)
    if title:
        figure.suptitle(title, fontsize=11)
    plt.show()


def plot_losses(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    xlabel: str,
    lines: Mapping[str, float] | None = None,
    title: str | None = None,
) -> None:
    """Draw losses on a log axis: label -> (where, loss); ``lines`` are levels to compare with."""
    figure, axis = plt.subplots(figsize=(6.5, 3.4))
    for label, (where, loss) in curves.items():
        axis.plot(where, loss, marker="o" if len(where) <= 20 else None, markersize=4, label=label)
    for (label, level), style in zip((lines or {}).items(), itertools.cycle(["--", ":", "-."])):
        axis.axhline(level, color="0.4", linestyle=style, label=label)
    axis.set(xlabel=xlabel, ylabel="loss (MSE)", title=title, yscale="log")
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_locator(LogLocator(subs=(2, 3, 5)))
    axis.yaxis.set_minor_formatter("{x:g}")
    axis.legend()
    plt.show()


def show_drawing(name: str, alt: str) -> None:
    """Show a drawing from ``denoising_models/`` with its text alternative.

    A cell's stored output shows in JupyterLab, on GitHub, in slides and in Colab alike; a relative
    link in Markdown does not. Raises ``FileNotFoundError`` if there is no such drawing.
    """
    # As metadata, because Colab's IPython 7 does not know alt=.
    display(Image(data=(DRAWINGS / name).read_bytes(), width=820, metadata={"alt": alt}))
