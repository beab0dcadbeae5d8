"""Make the pretrained weights: ``python tools/pretrain.py``, or ``make weights``.

Three recipes, all on MNIST without the embedded test digits (59,000), Gaussian noise of variance
0.1, clamped, mean squared error:

- ``fast``: the classic network, its output bias at the logit of the mean brightness, AdamW with a
  one-cycle schedule, fresh noise, less than one epoch; taught in notebook 04;
- ``skip``: the same for the network with skip connections, a few epochs;
- ``classic``: the classic network, noise drawn once, batches of 32, plain gradient descent at 0.01;
  weights are saved after 1, 2, 10, 25, 50, 100 and 400 epochs. Hours.

The state is saved after every epoch (``fast`` and ``skip``: every tenth of the run), so a run can
be killed at any moment and started again with the same command: it goes on where it was, with the
same result, bit for bit on the same machine. Several processes share every mini-batch, with the
losses of one process:

    torchrun --standalone --nproc-per-node=2 tools/pretrain.py --recipe classic
"""

import argparse
import csv
import hashlib
import io
import json
import os
import platform
import sys
import time
from pathlib import Path

import torch
import torchvision
from torch import distributed, nn
from torch.utils.data import Dataset
from tqdm import tqdm
from whole import write_whole

from dae_helpers import (
    CorruptedDigits,
    DenoisingAutoencoder,
    Digits,
    History,
    SkipDenoiser,
    course,
    dark_start,
    load_mnist,
    minibatch_gd,
    psnr,
    ssim,
)
from dae_helpers.data import EMBEDDED_PER_CLASS, EMBEDDED_TRAIN_PER_CLASS, embedded_digits
from dae_helpers.evaluation import denoise
from dae_helpers.training import cycle

MODELS = Path(__file__).resolve().parent.parent / "denoising_models"
PRETRAINED_EPOCHS = (1, 2, 10, 25, 50, 100, 400)
PARTS = 10  # a cycle is measured and saved so many times
DETAILS = "59,000 MNIST digits without the embedded test digits, Gaussian noise of variance 0.1 "
RECIPES = {
    "fast": {
        "network": DenoisingAutoencoder,
        "steps": 3600,
        "batch_size": 16,
        "lr": 2e-2,
        "details": DETAILS + "drawn at every visit and clamped, mean squared error, AdamW, one "
        "cycle up to 0.02, 3,600 mini-batches of 16, output bias at the logit of the mean",
    },
    "skip": {
        "network": SkipDenoiser,
        "steps": 9000,
        "batch_size": 32,
        "lr": 1e-2,
        "details": DETAILS + "drawn at every visit and clamped, mean squared error, AdamW, one "
        "cycle up to 0.01, 9,000 mini-batches of 32, output bias at the logit of the mean",
    },
    "classic": {
        "network": DenoisingAutoencoder,
        "steps": None,
        "batch_size": 32,
        "lr": 0.01,
        "details": DETAILS + "drawn once and clamped, mean squared error, plain gradient descent "
        "at 0.01, mini-batches of 32",
    },
}


def embedded_test_positions(labels: torch.Tensor) -> torch.Tensor:
    """Where the 1,000 embedded test digits stand in MNIST's training file.

    ``labels``: (60000,) the file's labels. Returns (1000,) positions, in rising order. Training on
    the other 59,000 keeps the embedded test digits unseen.
    """
    places = [
        torch.nonzero(labels == digit).flatten()[EMBEDDED_TRAIN_PER_CLASS:EMBEDDED_PER_CLASS]
        for digit in range(10)
    ]
    return torch.cat(places).sort().values


def training_digits(limit: int | None = None) -> Digits:
    """MNIST's training digits without the embedded test digits: 59,000, or the first ``limit``."""
    digits = load_mnist(train=True)
    keep = torch.ones(len(digits), dtype=torch.bool)
    if len(digits) == 60_000:  # the 4,000 embedded training digits need no such care
        keep[embedded_test_positions(digits.labels)] = False
    return Digits(digits.images[keep][:limit], digits.labels[keep][:limit], digits.source)


def prepare(
    recipe: str, digits: Digits, seed: int = 0, steps: int | None = None
) -> tuple[nn.Module, CorruptedDigits, dict]:
    """The untrained network of a recipe, its pairs, and what ``minibatch_gd`` takes by keyword.

    ``steps``: mini-batches in all, for another length than the recipe's (not for ``classic``).
    """
    torch.manual_seed(seed)
    entry = RECIPES[recipe]
    model, lr = entry["network"](), entry["lr"]
    options = {"lr": lr, "batch_size": entry["batch_size"], "seed": seed}
    if recipe == "classic":
        return model, CorruptedDigits(digits, seed=seed), options
    steps = steps or entry["steps"]
    options |= cycle(dark_start(model, digits.images), steps, lr)
    options |= {"steps_per_epoch": steps // PARTS}
    return model, CorruptedDigits(digits, fresh=True, seed=seed), options


class Share(Dataset):
    """One process's share of every mini-batch, when ``world`` processes train together."""

    def __init__(self, pairs: CorruptedDigits, rank: int, world: int) -> None:
        self.pairs, self.rank, self.world = pairs, rank, world
        if pairs.fresh:
            self.visits = pairs.visits  # so that a trial does not count as a visit

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitems__(self, indices: list[int]) -> list:
        """Prepare the whole mini-batch, so that its noise does not depend on ``world``."""
        return self.pairs.__getitems__(indices)[self.rank :: self.world]


def weights_file(recipe: str, epoch: int, epochs: int) -> str | None:
    """The name of the file to save after so many of ``epochs`` epochs, or None."""
    if recipe == "classic":
        return f"mnistmodel{epoch}.pt" if epoch in PRETRAINED_EPOCHS else None
    return f"mnistmodel_{recipe}.pt" if epoch == epochs else None


def history_file(recipe: str) -> str:
    """The name of the table of losses: epoch (or tenth of the run), train_loss, test_loss."""
    return "mnistmodel_history.csv" if recipe == "classic" else f"mnistmodel_{recipe}_history.csv"


def save_whole(state: dict, path: Path) -> None:
    """Save tensors, numbers, lists and dicts with ``torch.save``, whole or not at all."""
    content = io.BytesIO()
    torch.save(state, content)  # in memory first: of a full disk it would make a RuntimeError
    write_whole(content.getvalue(), path)


def write_history(history: History, path: Path) -> None:
    """Write the losses as a CSV file: epoch, train_loss, test_loss."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["epoch", "train_loss", "test_loss"])
    for epoch, losses in enumerate(zip(history.train_loss, history.test_loss, strict=True), 1):
        rows.writerow([epoch, *(f"{loss:.6f}" for loss in losses)])
    write_whole(text.getvalue().encode(), path)


def figures(model: nn.Module, digits: Digits) -> dict[str, float]:
    """MSE, mean per-image PSNR (dB) and mean SSIM on digits corrupted with seed 1."""
    pairs = CorruptedDigits(digits, seed=1)
    output = denoise(model, pairs.corrupted)
    return {
        "mse": round((output - pairs.original).square().mean().item(), 6),
        "psnr": round(psnr(output, pairs.original).mean().item(), 3),
        "ssim": round(ssim(output, pairs.original).mean().item(), 4),
    }


def write_manifest(folder: Path) -> None:
    """Write ``manifest.json``: hash, recipe and figures of every weights file in ``folder``.

    A file that is there unchanged keeps its row, with the versions that made it.
    """
    path = folder / "manifest.json"
    old = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    mnist, embedded = load_mnist(train=False), embedded_digits(train=False)
    manifest = {}
    names = [(f"mnistmodel{epochs}.pt", "classic", epochs) for epochs in PRETRAINED_EPOCHS]
    names += [(f"mnistmodel_{recipe}.pt", recipe, PARTS) for recipe in RECIPES]
    for name, recipe, epochs in names:
        if not (folder / name).exists():
            continue
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        versions = {"python": platform.python_version(), "torch": torch.__version__}
        versions["torchvision"] = torchvision.__version__
        if old.get(name, {}).get("sha256") == digest:
            versions = old[name]["versions"]
        entry = RECIPES[recipe]
        model = entry["network"]()
        model.load_state_dict(torch.load(folder / name, weights_only=True))
        with open(folder / history_file(recipe), newline="") as file:
            losses = {int(row["epoch"]): row for row in csv.DictReader(file)}[epochs]
        steps, batch_size = entry["steps"], entry["batch_size"]
        manifest[name] = {
            "sha256": digest,
            "network": entry["network"].__name__,
            "epochs": round(steps * batch_size / 59_000, 2) if steps else epochs,
            "recipe": recipe,
            "details": entry["details"],
            "seed": 0,
            "versions": versions,
            "train_loss": float(losses["train_loss"]),
            "test_loss": float(losses["test_loss"]),
            "mnist_test": figures(model, mnist),
            "embedded_test": figures(model, embedded),
        }
    write_whole((json.dumps(manifest, indent=2) + "\n").encode(), path)


def join() -> tuple[int, int, str]:
    """Rank, number of processes, and device of this process; meets the others of ``torchrun``."""
    device = str(course.device())
    if not distributed.is_torchelastic_launched():
        return 0, 1, device
    if device == "cuda":
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    distributed.init_process_group("gloo" if device == "cpu" else "nccl")
    return distributed.get_rank(), distributed.get_world_size(), device


def run(recipe: str, folder: Path, epochs: int, steps: int | None, limit: int | None) -> None:
    """Train by a recipe, or go on training, and save into ``folder``."""
    rank, world, device = join()
    digits, test_digits = training_digits(limit), load_mnist(train=False)
    model, train_set, options = prepare(recipe, digits, steps=steps)
    test_set = CorruptedDigits(
        Digits(test_digits.images[:limit], test_digits.labels[:limit], ""), seed=1
    )
    model.to(device, memory_format=torch.channels_last)  # before several processes share it
    optimizer, scheduler = options.get("optimizer"), options.get("scheduler")
    history, state_path = History(), folder / "runs" / f"{recipe}.pt"
    if state_path.exists():
        state = torch.load(state_path, map_location="cpu", weights_only=True)
        model.load_state_dict(state["model"])
        history = History(**state["history"])
        if optimizer is not None:
            optimizer.load_state_dict(state["optimizer"])
            scheduler.load_state_dict(state["scheduler"])
            train_set.visits.copy_(state["visits"])
        tqdm.write(f"{recipe}: going on after {len(history.train_loss)} of {epochs} epochs.")
    short = len(digits) % options["batch_size"] if recipe == "classic" else 0
    sizes = [n for n in (options["batch_size"], short, 128, len(test_set) % 128) if n]
    if any(n % world for n in sizes):
        sizes = f"{', '.join(map(str, sizes[:-1]))} and {sizes[-1]}"
        sys.exit(f"{world} processes cannot share mini-batches of {sizes} equally")
    if rank == 0:  # what cannot be written should fail now, not after an epoch
        write_whole(b"", folder / "runs" / "trial")
        (folder / "runs" / "trial").unlink()
    started, done_before = time.monotonic(), len(history.train_loss)

    def save(history: History) -> None:
        if world > 1:  # each process has summed its share
            losses = [history.train_loss[-1], history.test_loss[-1]]
            losses = torch.tensor(losses, dtype=torch.float64, device=device)
            distributed.all_reduce(losses)
            history.train_loss[-1], history.test_loss[-1] = losses.tolist()
        if rank > 0:
            return
        epoch = len(history.train_loss)
        state = {name: value.cpu().contiguous() for name, value in model.state_dict().items()}
        if name := weights_file(recipe, epoch, epochs):
            save_whole(state, folder / name)
        write_history(history, folder / history_file(recipe))
        state = {"model": state, "history": vars(history)}
        if optimizer is not None:
            state |= {"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}
            state |= {"visits": train_set.visits}
        save_whole(state, state_path)
        left = (time.monotonic() - started) / (epoch - done_before) * (epochs - epoch)
        tqdm.write(
            f"{recipe}, epoch {epoch} of {epochs}: train {history.train_loss[-1]:.5f}, "
            f"test {history.test_loss[-1]:.5f}, {left / 60:.1f} minutes left"
        )

    options |= {"history": history, "on_epoch_end": save, "progress": rank == 0, "device": device}
    if world == 1:
        minibatch_gd(model, epochs, train_set, test_set, **options)
    else:
        together = nn.parallel.DistributedDataParallel(model)
        shares = [Share(pairs, rank, world) for pairs in (train_set, test_set)]
        minibatch_gd(together, epochs, *shares, **options)
        distributed.destroy_process_group()
    if rank == 0:
        write_manifest(folder)


def main() -> None:
    """Train by one recipe or all, or write the manifest."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", choices=[*RECIPES, "all"], default="all")
    parser.add_argument("--epochs", type=int, default=400, help="of the classic recipe")
    parser.add_argument("--threads", type=int, default=1, help="1 is nearly as fast as 2")
    parser.add_argument("--folder", type=Path, default=MODELS, help="where the weights go")
    parser.add_argument("--limit", type=int, help="only so many digits, for a trial")
    parser.add_argument("--steps", type=int, help="of fast and skip, a multiple of 10, for a trial")
    parser.add_argument("--manifest", action="store_true", help="only write manifest.json")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    try:
        if args.manifest:
            write_manifest(args.folder)
            return
        for recipe in RECIPES if args.recipe == "all" else [args.recipe]:
            epochs = args.epochs if recipe == "classic" else PARTS
            run(recipe, args.folder, epochs, args.steps, args.limit)
    except OSError as error:
        sys.exit(
            f"{error.filename}: {error.strerror} (--folder), then start again with the same "
            "command: the run goes on where it was."
        )


if __name__ == "__main__":
    main()
