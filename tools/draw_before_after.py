"""Draw the README's picture: ``python tools/draw_before_after.py``.

Writes ``denoising_models/before_after.png``: the first ten test digits, corrupted, denoised by the
weights ``fast`` and ``skip``, and original.
"""

from pathlib import Path

import matplotlib.pyplot as plt

from dae_helpers import CorruptedDigits, load_mnist, load_pretrained
from dae_helpers.evaluation import denoise

SHOWN = 10


def main() -> None:
    """Denoise and draw."""
    pairs = CorruptedDigits(load_mnist(train=False), seed=1)
    corrupted, original = pairs[:SHOWN]
    rows = {
        "corrupted": corrupted,
        "denoised": denoise(load_pretrained("fast"), corrupted),
        "with skips": denoise(load_pretrained("skip"), corrupted),
        "original": original,
    }
    figure, axes = plt.subplots(len(rows), SHOWN, figsize=(11, 4.4), layout="constrained")
    for row, (label, images) in zip(axes, rows.items(), strict=True):
        for axis, image in zip(row, images, strict=True):
            axis.imshow(image[0], cmap="gray", vmin=0, vmax=1)
            axis.set(xticks=[], yticks=[])
        row[0].set_ylabel(label, fontsize=13, rotation=0, ha="right", va="center")
    folder = Path(__file__).resolve().parent.parent / "denoising_models"
    figure.savefig(
        folder / "before_after.png", dpi=100, facecolor="white", metadata={"Software": None}
    )


if __name__ == "__main__":
    main()
