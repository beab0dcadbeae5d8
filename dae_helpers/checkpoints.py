"""Pretrained weights: written whole or not at all, and verified before they are loaded."""

import contextlib
import hashlib
import io
import json
import os
from pathlib import Path

import torch

from .layers import DenoisingAutoencoder
from .skip import SkipDenoiser

__all__ = [
    "PRETRAINED_EPOCHS",
    "load_pretrained",
    "pretrained_epochs",
    "pretrained_names",
    "read_manifest",
    "save_whole",
    "write_whole",
]

PRETRAINED_EPOCHS = (1, 2, 10, 25, 50, 100, 400)
MODELS = Path(__file__).resolve().parent.parent / "denoising_models"


def write_whole(content: bytes, path: str | os.PathLike) -> None:
    """Write a file, whole or not at all.

    It is written beside ``path`` under a name of this process's own, then moved there, so a full
    disk or a kill leaves the old file as it was, and two kernels do not get into each other's way.
    Raises ``OSError`` if there is no room or the folder cannot be written.
    """
    path = Path(path)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        advice = "what was there is as it was: make room, or save in another folder"
        raise type(error)(error.errno, f"{error.strerror}, {advice}", str(path)) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def save_whole(state: dict, path: str | os.PathLike) -> None:
    """Save ``state`` (tensors, numbers, lists, dicts) with ``torch.save``, whole or not at all.

    Raises ``OSError`` if there is no room or the folder cannot be written.
    """
    content = io.BytesIO()
    torch.save(state, content)  # in memory first: of a full disk it would make a RuntimeError
    write_whole(content.getvalue(), path)


def read_manifest(folder: str | os.PathLike | None = None) -> dict:
    """The manifest of the pretrained weights: file name -> SHA-256, epochs, recipe, figures.

    Raises ``FileNotFoundError`` if it is missing, ``ValueError`` if it is no JSON.
    """
    path = Path(folder or MODELS) / "manifest.json"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: fetch the folder denoising_models/ again")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(manifest, dict):
            raise ValueError("no table of files")
        return manifest
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}): fetch denoising_models/ again") from error


def pretrained_epochs(folder: str | os.PathLike | None = None) -> list[int]:
    """For which epochs of the classic recipe there are weights, in rising order."""
    return sorted(which for which in _files(folder) if isinstance(which, int))


def pretrained_names(folder: str | os.PathLike | None = None) -> list[int | str]:
    """All that ``load_pretrained`` takes: epochs of the classic recipe, then other recipes."""
    names = [which for which in _files(folder) if isinstance(which, str)]
    return [*pretrained_epochs(folder), *names]


def _files(folder: str | os.PathLike | None) -> dict[int | str, str]:
    """What ``load_pretrained`` takes -> the file's name."""
    return {
        row["epochs"] if row["recipe"] == "classic" else row["recipe"]: name
        for name, row in read_manifest(folder).items()
    }


def load_pretrained(
    epochs: int | str = 400, folder: str | os.PathLike | None = None
) -> DenoisingAutoencoder | SkipDenoiser:
    """A trained network, in eval mode, on the CPU.

    ``epochs``: so many epochs of the classic recipe; or ``"fast"``, the same network by the recipe
    of notebook 04, in less than one epoch; or ``"skip"``, the network with skip connections.
    ``folder``: where weights and manifest are, by default ``denoising_models/``. The file's
    SHA-256 is compared with the manifest before anything in it is read, and only tensors are
    read. Raises ``ValueError`` for what there are no weights for and for a file that is not the
    one the manifest names, ``FileNotFoundError`` for a missing file.
    """
    files = _files(folder)
    if type(epochs) not in (int, str) or epochs not in files:
        known = ", ".join(map(repr, pretrained_names(folder)))
        raise ValueError(f"epochs should be one of {known}, but it is {epochs!r}")
    path = Path(folder or MODELS) / files[epochs]
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: fetch the folder denoising_models/ again")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    expected = read_manifest(folder)[path.name]["sha256"]
    if found != expected:
        raise ValueError(
            f"{path} is not the file that the manifest names (SHA-256 {found[:12]}... instead of "
            f"{expected[:12]}..., {len(content):,} bytes): fetch the folder denoising_models/ again"
        )
    model = SkipDenoiser() if epochs == "skip" else DenoisingAutoencoder()
    model.load_state_dict(torch.load(io.BytesIO(content), map_location="cpu", weights_only=True))
    return model.eval()
