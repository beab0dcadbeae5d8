"""Make the pretrained weights by the classic recipe: ``python denoising_models/pretrain.py``.

One run: MNIST without the embedded test digits (59,000), noise of variance 0.1 drawn once, batches
of 32, mean squared error, plain gradient descent at 0.01. The weights are saved after 1, 2, 10,
25, 50, 100 and 400 epochs. The state is saved after every epoch, so the run can be stopped at any
moment and started again with the same command: it goes on where it was, with the same result.
"""

import argparse
import csv
import hashlib
import json
import platform
import time
from pathlib import Path

import torch
from tqdm import tqdm

from dae_helpers import CorruptedDigits, DenoisingAutoencoder, History, load_mnist, minibatch_gd
from dae_helpers.checkpoints import PRETRAINED_EPOCHS, save_whole
from dae_helpers.data import Digits, embedded_digits, embedded_test_positions
from dae_helpers.evaluation import denoise, psnr, ssim

HERE = Path(__file__).parent
RECIPE = (
    "59,000 MNIST digits without the embedded test digits, Gaussian noise of variance 0.1 drawn "
    "once and clamped, batches of 32, mean squared error, plain gradient descent at 0.01"
)


def training_digits(limit: int | None = None) -> Digits:
    """MNIST's training digits without the embedded test digits: 59,000, or the first ``limit``."""
    digits = load_mnist(train=True)
    keep = torch.ones(len(digits), dtype=torch.bool)
    if len(digits) == 60_000:  # the 4,000 embedded training digits need no such care
        keep[embedded_test_positions(digits.labels)] = False
    return Digits(digits.images[keep][:limit], digits.labels[keep][:limit], digits.source)


def write_history(history: History, path: Path) -> None:
    """Write the losses as a CSV file: epoch, train_loss, test_loss."""
    with open(path, "w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["epoch", "train_loss", "test_loss"])
        for epoch, losses in enumerate(zip(history.train_loss, history.test_loss, strict=True), 1):
            rows.writerow([epoch, *(f"{loss:.6f}" for loss in losses)])


def figures(model: torch.nn.Module, digits: Digits) -> dict[str, float]:
    """MSE, mean per-image PSNR (dB) and mean SSIM on digits corrupted with seed 1."""
    pairs = CorruptedDigits(digits, seed=1)
    output = denoise(model, pairs.corrupted)
    return {
        "mse": round((output - pairs.original).square().mean().item(), 6),
        "psnr": round(psnr(output, pairs.original).mean().item(), 3),
        "ssim": round(ssim(output, pairs.original).mean().item(), 4),
    }


def write_manifest(folder: Path) -> None:
    """Write ``manifest.json``: hash, recipe and figures of every weights file in ``folder``."""
    mnist, embedded = load_mnist(train=False), embedded_digits(train=False)
    with open(folder / "mnistmodel_history.csv", newline="") as file:
        losses = {int(row["epoch"]): row for row in csv.DictReader(file)}
    manifest = {}
    for epochs in PRETRAINED_EPOCHS:
        path = folder / f"mnistmodel{epochs}.pt"
        if not path.exists():
            continue
        model = DenoisingAutoencoder()
        model.load_state_dict(torch.load(path, weights_only=True))
        manifest[path.name] = {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "epochs": epochs,
            "recipe": "classic",
            "details": RECIPE,
            "seed": 0,
            "versions": {"python": platform.python_version(), "torch": torch.__version__},
            "train_loss": float(losses[epochs]["train_loss"]),
            "test_loss": float(losses[epochs]["test_loss"]),
            "mnist_test": figures(model, mnist),
            "embedded_test": figures(model, embedded),
        }
    text = json.dumps(manifest, indent=2) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8")


def main() -> None:
    """Train, or go on training, and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=400)
    parser.add_argument("--threads", type=int, default=1, help="1 is nearly as fast as 2")
    parser.add_argument("--folder", type=Path, default=HERE, help="where the weights go")
    parser.add_argument("--limit", type=int, help="only so many digits, for a trial")
    parser.add_argument("--manifest", action="store_true", help="only write manifest.json")
    args = parser.parse_args()
    if args.manifest:
        write_manifest(args.folder)
        return
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)

    train_set = CorruptedDigits(training_digits(args.limit), seed=0)
    test_digits = load_mnist(train=False)
    test_set = CorruptedDigits(
        Digits(test_digits.images[: args.limit], test_digits.labels[: args.limit], ""), seed=1
    )
    torch.manual_seed(0)
    model = DenoisingAutoencoder()
    history = History()
    state_path = args.folder / "runs" / "classic.pt"
    if state_path.exists():
        state = torch.load(state_path, weights_only=True)
        model.load_state_dict(state["model"])
        history = History(**state["history"])
        tqdm.write(f"Going on after epoch {len(history.train_loss)}.")
    started, done_before = time.monotonic(), len(history.train_loss)

    def save(history: History) -> None:
        epoch = len(history.train_loss)
        weights = {name: value.contiguous() for name, value in model.state_dict().items()}
        if epoch in PRETRAINED_EPOCHS:
            save_whole(weights, args.folder / f"mnistmodel{epoch}.pt")
        write_history(history, args.folder / "mnistmodel_history.csv")
        save_whole({"model": weights, "history": vars(history)}, state_path)
        left = (time.monotonic() - started) / (epoch - done_before) * (args.epochs - epoch)
        tqdm.write(
            f"epoch {epoch}: train {history.train_loss[-1]:.5f}, test {history.test_loss[-1]:.5f}, "
            f"{left / 60:.0f} minutes left"
        )

    minibatch_gd(model, args.epochs, train_set, test_set, history=history, on_epoch_end=save)
    write_manifest(args.folder)


if __name__ == "__main__":
    main()
