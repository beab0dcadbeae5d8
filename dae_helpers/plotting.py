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
    width = max(map(len, rows.values()))
    inches = (size * width + 1.1, size * len(rows) + 0.3)
    figure, axes = plt.subplots(len(rows), squeeze=False, figsize=inches)
    for axis, (label, images) in zip(axes.flat, rows.items(), strict=True):  # one axes a row: fast
        shape = images[0].shape
        for place, image in enumerate(images):
            extent = (place, place + 0.94, 0, 0.94 * shape[0] / shape[1])
            axis.imshow(image, cmap="gray", vmin=0, vmax=1, extent=extent)
        axis.set(xlim=(0, width - 0.06), ylim=extent[2:], xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
        axis.set_ylabel(label, rotation=0, ha="right", va="center")
    axes[0, 0].tick_params(bottom=False, labelbottom=False, labeltop=True)
    axes[0, 0].set_xticks(np.arange(len(columns or [])) + 0.47, columns or [], fontsize=9)
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
