"""A disk that is full or may not be written, and files of MNIST and weights that are not whole."""

import contextlib
import hashlib
import json
import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import mirror
import pytest
import torch
from pretrain import save_whole
from whole import write_whole

from dae_helpers import DenoisingAutoencoder, checkpoints, data, load_mnist, load_pretrained

MODELS = checkpoints.MODELS


@pytest.fixture(autouse=True)
def small_mnist(monkeypatch):
    """A small MNIST whose hashes count as the real ones, and no folder named by the environment."""
    monkeypatch.delenv("DAE_DATA", raising=False)
    monkeypatch.setattr(data, "SHA256", mirror.HASHES)
    monkeypatch.setattr(data.MNIST, "resources", mirror.RESOURCES)
    mirror.embedded_digits()  # read now, while everything may be read
    monkeypatch.setattr(data, "embedded_digits", mirror.embedded_digits)


@pytest.fixture
def read_only():
    """A folder in which this process may not write, though a test may run as root."""
    with tempfile.TemporaryDirectory() as name:
        folder, user = Path(name, "closed"), os.geteuid()
        folder.mkdir()
        (folder / "weights.pt").write_bytes(b"old")
        (folder / "empty").mkdir(0o000)
        folder.chmod(0o555)
        Path(name).chmod(0o755)
        if user == 0:
            os.seteuid(65534)
        yield folder
        os.seteuid(user)


def said(capsys):
    """The line that says where the digits came from."""
    (line,) = [s for s in capsys.readouterr().out.splitlines() if s.startswith("Data:")]
    return line


def tree(folder):
    """Every file below a folder with its bytes."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


# A folder that is read-only


def test_cache_that_is_read_only(read_only, monkeypatch, capsys, quoted):
    for folder in (read_only / "cache", read_only / "empty"):  # the other may not be entered
        monkeypatch.setattr(data.platformdirs, "user_cache_path", lambda name, f=folder: f)
        assert len(load_mnist()) == 4000
        quoted(said(capsys))


def test_weights_folder_that_is_read_only(read_only, quoted):
    with pytest.raises(PermissionError) as caught:
        save_whole({"epoch": 1}, read_only / "weights.pt")
    quoted(caught.value)
    assert (read_only / "weights.pt").read_bytes() == b"old"
    assert {path.name for path in read_only.iterdir()} == {"empty", "weights.pt"}


# A disk that is full: the size of files is limited, or a small file system


@contextlib.contextmanager
def files_of_at_most(room):
    """This process can write no larger file."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(params=["limit", pytest.param("file system", marks=pytest.mark.slow)])
def full_disk(request, tmp_path):
    """A folder, and a context in which there are 8 kB of room in it."""
    folder, room = tmp_path / "disk", 8192
    folder.mkdir()
    if request.param == "limit":
        yield folder, files_of_at_most(room)
        return
    mount = ["mount", "-t", "tmpfs", "-o", f"size={2 * room}", "tmpfs", str(folder)]
    if sys.platform != "linux" or os.geteuid() or subprocess.run(mount).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder, contextlib.nullcontext()
    subprocess.run(["umount", str(folder)], check=True)


def test_disk_full(full_disk, monkeypatch, capsys, quoted):
    folder, limited = full_disk
    with mirror.running() as server, limited:
        monkeypatch.setattr(data.MNIST, "mirrors", [server.url])
        assert len(load_mnist(root=folder)) == 4000
        assert list(folder.rglob("*")) == []
        save_whole({"weights": torch.ones(50)}, folder / "weights.pt")
        write_whole(b"epoch,loss", folder / "history.csv")
        with pytest.raises(OSError) as weights:
            save_whole({"weights": torch.ones(9000)}, folder / "weights.pt")
        with pytest.raises(OSError) as history:
            write_whole(b"epoch,loss" * 4000, folder / "history.csv")
    quoted(said(capsys))
    for caught, name in ((weights.value, "weights.pt"), (history.value, "history.csv")):
        quoted(caught)
        assert name in str(caught)
    assert torch.load(folder / "weights.pt", weights_only=True)["weights"].numel() == 50
    assert (folder / "history.csv").read_bytes() == b"epoch,loss"
    assert len(list(folder.iterdir())) == 2


def test_two_kernels_save_the_same_file(tmp_path, monkeypatch):
    """Each writes a file of its own: one of the two comes out whole."""
    path, parts = tmp_path / "weights.pt", []
    replace = os.replace

    def meanwhile(source, target):
        parts.append(Path(source).name)
        if len(parts) == 1:
            monkeypatch.setattr(os, "getpid", lambda: -1)
            write_whole(b"second", path)
        replace(source, target)

    monkeypatch.setattr(os, "replace", meanwhile)
    write_whole(b"first, and longer", path)
    assert len(set(parts)) == 2
    assert tree(tmp_path) == {"weights.pt": b"first, and longer"}


# Files of MNIST that are not MNIST's


IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
WHOLE = mirror.FILES[IMAGES]
SPOILT = {
    "truncated": {IMAGES: WHOLE[:-1]},
    "empty": {IMAGES: b""},
    "swapped": {IMAGES: mirror.FILES[LABELS], LABELS: WHOLE},
    "one bit": {IMAGES: WHOLE[:99] + bytes([WHOLE[99] ^ 1]) + WHOLE[100:]},
    "HTML": {IMAGES: mirror.PAGE},
}


def test_damaged_mnist_in_a_named_folder(tmp_path, capsys, quoted):
    for how, files in SPOILT.items():
        folder = tmp_path / how
        mirror.write_files(folder, {**mirror.FILES, **files})
        before = tree(folder)
        assert len(load_mnist(root=folder)) == 4000, how
        quoted(said(capsys))
        assert tree(folder) == before, f"{how}: what the reader has stays as it is"


def test_damaged_mnist_in_the_cache(tmp_path, monkeypatch, capsys):
    with mirror.running() as server:
        monkeypatch.setattr(data.MNIST, "mirrors", [server.url])
        for how, files in SPOILT.items():
            cache = tmp_path / how
            raw = mirror.write_files(cache, {**mirror.FILES, **files})
            monkeypatch.setattr(data.platformdirs, "user_cache_path", lambda name, c=cache: c)
            assert len(load_mnist()) == 30, how
            kept = {path.name: path.read_bytes() for path in raw.iterdir()}
            assert kept == mirror.FILES | mirror.PACKED, how
            assert said(capsys) == "Data: 30 digits from MNIST's training file.", how


def test_advice_for_a_damaged_folder_works(tmp_path, monkeypatch, capsys):
    raw = mirror.write_files(tmp_path, {**mirror.FILES, IMAGES: b""})
    load_mnist(root=tmp_path)
    assert f"delete {raw} to have them downloaded" in said(capsys)
    for path in raw.iterdir():
        path.unlink()
    raw.rmdir()
    with mirror.running() as server:
        monkeypatch.setattr(data.MNIST, "mirrors", [server.url])
        assert len(load_mnist(root=tmp_path)) == 30


def test_only_verified_files_are_read(tmp_path):
    """Old versions of torchvision kept tensors in MNIST/processed, which have no hash."""
    mirror.write_files(tmp_path)
    old = tmp_path / "MNIST" / "processed"
    old.mkdir()
    for name in ("training.pt", "test.pt"):
        torch.save((torch.zeros(7, 28, 28, dtype=torch.uint8), torch.zeros(7)), old / name)
    assert len(data.MNIST(tmp_path)) == 7, "torchvision takes them"
    assert len(load_mnist(root=tmp_path)) == 30


# Weights that are not the weights


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A copy of the shipped weights after one epoch, with its manifest, in place of all."""
    for name in ("mnistmodel1.pt", "manifest.json"):
        (tmp_path / name).write_bytes((MODELS / name).read_bytes())
    monkeypatch.setattr(checkpoints, "MODELS", tmp_path)
    return tmp_path


class Trap:
    """A pickle that writes a file when it is read."""

    def __init__(self, witness):
        self.witness = witness

    def __reduce__(self):
        return (open, (str(self.witness), "w"))


def another_network(path):
    torch.save(torch.nn.Linear(3, 3).state_dict(), path)


def trap(path):
    torch.save(Trap(path.with_name("it ran")), path)


def plain_trap(path):
    path.write_bytes(pickle.dumps(Trap(path.with_name("it ran"))))


def one_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


SPOILERS = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "one bit": one_bit,
    "another network": another_network,
    "code": trap,
    "code in a plain pickle": plain_trap,
    "HTML": lambda path: path.write_bytes(mirror.PAGE),
}


def test_spoilt_weights(models, quoted):
    path = models / "mnistmodel1.pt"
    assert isinstance(load_pretrained(1), DenoisingAutoencoder), "good as they are"
    for how, spoil in SPOILERS.items():
        path.write_bytes((MODELS / path.name).read_bytes())
        spoil(path)
        with pytest.raises(ValueError) as caught:
            load_pretrained(1)
        quoted(caught.value)
        assert not path.with_name("it ran").exists(), how


def test_missing_weights(models, quoted):
    (models / "mnistmodel1.pt").unlink()
    with pytest.raises(FileNotFoundError) as caught:
        load_pretrained(1)
    quoted(caught.value)


def test_weights_that_do_not_exist(models, quoted):
    with pytest.raises(ValueError) as caught:
        load_pretrained(3)
    quoted(caught.value)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_spoilt_weights_with_a_forged_manifest(models):
    """Even a right hash makes nothing run, and nothing else than this network is loaded."""
    path, rows = models / "mnistmodel1.pt", checkpoints.read_manifest()
    for how in ("another network", "code", "code in a plain pickle", "HTML"):
        SPOILERS[how](path)
        rows[path.name]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        (models / "manifest.json").write_text(json.dumps(rows))
        with pytest.raises((RuntimeError, pickle.UnpicklingError)):
            load_pretrained(1)
        assert not path.with_name("it ran").exists(), how


def test_the_trap_would_work(tmp_path):
    trap(tmp_path / "trap.pt")
    torch.load(tmp_path / "trap.pt", weights_only=False).close()
    assert (tmp_path / "it ran").exists()
