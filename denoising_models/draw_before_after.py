"""Draw the README's picture: ``python denoising_models/draw_before_after.py``.

Trains the network of the course by the recipe of notebook 04 for 1,000 mini-batches (half a minute)
and writes ``before_after.png``: the first ten test digits, corrupted, denoised, and original.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import torch
from torch import nn

from dae_helpers import CorruptedDigits, DenoisingAutoencoder, load_mnist, minibatch_gd
from dae_helpers.evaluation import denoise

STEPS, SHOWN = 1000, 10


def main() -> None:
    """Train, denoise, draw."""
    digits, test = load_mnist(train=True), CorruptedDigits(load_mnist(train=False), seed=1)
    torch.manual_seed(0)
    model = DenoisingAutoencoder()
    nn.init.constant_(model.decoder.decoder[4].bias, torch.logit(digits.images.mean()).item())
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=STEPS)
    train_set = CorruptedDigits(digits, fresh=True, seed=0)
    cycle = {"optimizer": optimizer, "scheduler": schedule, "steps_per_epoch": STEPS}
    minibatch_gd(model, 1, train_set, test, **cycle)

    corrupted, original = test.corrupted[:SHOWN], test.original[:SHOWN]
    rows = {"corrupted": corrupted, "denoised": denoise(model, corrupted), "original": original}
    figure, axes = plt.subplots(3, SHOWN, figsize=(11, 3.3), layout="constrained")
    for row, (label, images) in zip(axes, rows.items(), strict=True):
        for axis, image in zip(row, images, strict=True):
            axis.imshow(image[0], cmap="gray", vmin=0, vmax=1)
            axis.set(xticks=[], yticks=[])
        row[0].set_ylabel(label, fontsize=13, rotation=0, ha="right", va="center")
    path = Path(__file__).parent / "before_after.png"
    figure.savefig(path, dpi=100, facecolor="white", metadata={"Software": None})


if __name__ == "__main__":
    main()
