"""Pretrained weights, verified before they are loaded, and how they were trained."""

import csv
import hashlib
import io
import json
from importlib.resources import files

import torch

from .checks import need
from .layers import DenoisingAutoencoder, SkipDenoiser
from .training import History

MODELS = files("denoising_models")
ADVICE = "install the course again, or fetch the folder denoising_models/ again"


def read_manifest() -> dict:
    """The manifest of the pretrained weights: file name -> SHA-256, epochs, recipe, figures.

    Raises ``FileNotFoundError`` if it is missing, ``ValueError`` if it is no JSON.
    """
    path = MODELS / "manifest.json"
    need(path.is_file(), f"{path} is missing: {ADVICE}", FileNotFoundError)
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        need(isinstance(manifest, dict), "no table of files")
        return manifest
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}): {ADVICE}") from error


def read_history(recipe: str = "classic") -> History:
    """The losses while the pretrained weights were trained, from the table beside them.

    ``recipe``: "classic", one row an epoch; "fast" or "skip", one row a tenth of the run. Raises
    ``FileNotFoundError`` for another one.
    """
    name = "mnistmodel_history.csv" if recipe == "classic" else f"mnistmodel_{recipe}_history.csv"
    rows = list(csv.DictReader(io.StringIO((MODELS / name).read_text(encoding="utf-8"))))
    return History(*([float(row[loss]) for row in rows] for loss in ("train_loss", "test_loss")))


def _files() -> dict[int | str, str]:
    """What ``load_pretrained`` takes -> the file's name."""
    return {
        row["epochs"] if row["recipe"] == "classic" else row["recipe"]: name
        for name, row in read_manifest().items()
    }


def pretrained_epochs() -> list[int]:
    """For which epochs of the classic recipe there are weights, in rising order."""
    return sorted(which for which in _files() if isinstance(which, int))


def load_pretrained(epochs: int | str = 400) -> DenoisingAutoencoder | SkipDenoiser:
    """A trained network, in eval mode, on the CPU.

    ``epochs``: so many epochs of the classic recipe; or ``"fast"``, the same network by the recipe
    of notebook 04, in less than one epoch; or ``"skip"``, the network with skip connections. The
    file's SHA-256 is compared with the manifest before anything in it is read, and only tensors
    are read. Raises ``ValueError`` for what there are no weights for and for a file that is not
    the one the manifest names, ``FileNotFoundError`` for a missing file.
    """
    known = _files()
    names = ", ".join(map(repr, sorted(known, key=lambda which: (isinstance(which, str), which))))
    right = type(epochs) in (int, str) and epochs in known
    need(right, f"epochs should be one of {names}, but it is {epochs!r}")
    path = MODELS / known[epochs]
    need(path.is_file(), f"{path} is missing: {ADVICE}", FileNotFoundError)
    content = path.read_bytes()
    found, expected = hashlib.sha256(content).hexdigest(), read_manifest()[path.name]["sha256"]
    what = f"{path} is not the file that the manifest names (SHA-256 {found[:12]}... instead of "
    what += f"{expected[:12]}..., {len(content):,} bytes): {ADVICE}"
    need(found == expected, what)
    model = SkipDenoiser() if epochs == "skip" else DenoisingAutoencoder()
    model.load_state_dict(torch.load(io.BytesIO(content), map_location="cpu", weights_only=True))
    return model.eval()
