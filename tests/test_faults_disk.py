"""A disk that is full or may not be written, and files of MNIST and weights that are not whole."""

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
from notebook_checks import ROOT
from pretrain import save_whole
from whole import write_whole

from dae_helpers import DenoisingAutoencoder, checkpoints, data, load_mnist, load_pretrained
from dae_helpers.checkpoints import MODELS, read_manifest


@pytest.fixture(autouse=True)
def small_mnist(monkeypatch):
    """A small MNIST whose hashes count as the real ones, and no folder named by the environment."""
    monkeypatch.delenv("DAE_DATA", raising=False)
    monkeypatch.setattr(data, "SHA256", mirror.HASHES)
    monkeypatch.setattr(data.MNIST, "resources", mirror.RESOURCES)
    data.embedded_digits()  # read now, while everything may be read


@pytest.fixture
def read_only():
    """A folder in which this process may not write, though a test may run as root."""
    with tempfile.TemporaryDirectory() as name:
        folder, user = Path(name, "closed"), os.geteuid()
        folder.mkdir()
        (folder / "weights.pt").write_bytes(b"old")
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
    monkeypatch.setattr(data.platformdirs, "user_cache_path", lambda *names: read_only / "cache")
    assert len(load_mnist()) == 4000
    quoted(said(capsys))


def test_weights_folder_that_is_read_only(read_only, quoted):
    with pytest.raises(PermissionError) as caught:
        save_whole({"epoch": 1}, read_only / "weights.pt")
    quoted(caught.value)
    assert tree(read_only) == {"weights.pt": b"old"}


# A disk that is full: the size of files is limited, or a small file system


LIMITED = """
import resource, sys
from pathlib import Path
sys.path[:0] = [{tests!r}, {tools!r}]
import mirror, torch
from dae_helpers import data, load_mnist
from pretrain import save_whole
from whole import write_whole
data.embedded_digits()
data.SHA256, data.MNIST.resources, data.MNIST.mirrors = mirror.HASHES, mirror.RESOURCES, [{url!r}]
folder, room = Path({folder!r}), {room}
if room:
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
{action}
"""


@pytest.fixture(params=["limit", pytest.param("file system", marks=pytest.mark.slow)])
def full_disk(request, tmp_path):
    """Runs code in a process with 8 kB of room on the disk, and returns the lines it prints."""
    folder, room = tmp_path / "disk", 8192
    folder.mkdir()
    mounted = request.param == "file system"
    if mounted:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={2 * room}", "tmpfs", str(folder)]
        if sys.platform != "linux" or os.geteuid() or subprocess.run(mount).returncode:
            pytest.skip("no file system can be mounted here")
    with mirror.running() as server:

        def run(action):
            code = LIMITED.format(
                tests=os.path.dirname(__file__),
                tools=str(ROOT / "tools"),
                url=server.url,
                folder=str(folder),
                room=0 if mounted else room,
                action=action,
            )
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            return done.stdout.splitlines()

        yield run
    if mounted:
        subprocess.run(["umount", str(folder)], check=True)


FILL = """
assert len(load_mnist(root=folder)) == 4000
assert list(folder.rglob("*")) == []
save_whole({"weights": torch.ones(50)}, folder / "weights.pt")
write_whole(b"epoch,loss", folder / "history.csv")
for save in (
    lambda: save_whole({"weights": torch.ones(9000)}, folder / "weights.pt"),
    lambda: write_whole(b"epoch,loss" * 4000, folder / "history.csv"),
):
    try:
        save()
    except OSError as error:
        print(error)
assert torch.load(folder / "weights.pt", weights_only=True)["weights"].numel() == 50
assert (folder / "history.csv").read_bytes() == b"epoch,loss"
assert len(list(folder.iterdir())) == 2
"""


def test_disk_full(full_disk, quoted):
    data_line, weights_line, history_line = full_disk(FILL)[1:]
    for line in (data_line, weights_line, history_line):
        quoted(line)
    assert "weights.pt" in weights_line and "history.csv" in history_line


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


@pytest.mark.parametrize("how", SPOILT)
def test_damaged_mnist_in_a_named_folder(tmp_path, capsys, quoted, how):
    mirror.write_files(tmp_path, {**mirror.FILES, **SPOILT[how]})
    before = tree(tmp_path)
    assert len(load_mnist(root=tmp_path)) == 4000
    quoted(said(capsys))
    assert tree(tmp_path) == before, "what the reader has stays as it is"


@pytest.mark.parametrize("how", SPOILT)
def test_damaged_mnist_in_the_cache(tmp_path, monkeypatch, capsys, how):
    mirror.write_files(tmp_path, {**mirror.FILES, **SPOILT[how]})
    monkeypatch.setattr(data.platformdirs, "user_cache_path", lambda *names: tmp_path)
    with mirror.running() as server:
        monkeypatch.setattr(data.MNIST, "mirrors", [server.url])
        assert len(load_mnist()) == 30
    kept = {path.name: path.read_bytes() for path in (tmp_path / "MNIST" / "raw").iterdir()}
    assert kept == mirror.FILES | mirror.PACKED
    assert said(capsys) == "Data: 30 digits from MNIST's training file."


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
    """A copy of the shipped weights after one epoch, with its manifest."""
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


@pytest.mark.parametrize("how", SPOILERS)
def test_spoilt_weights(models, quoted, how):
    path = models / "mnistmodel1.pt"
    SPOILERS[how](path)
    with pytest.raises(ValueError) as caught:
        load_pretrained(1)
    quoted(caught.value)
    assert not path.with_name("it ran").exists()


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
@pytest.mark.parametrize("how", ["another network", "code", "code in a plain pickle", "HTML"])
def test_spoilt_weights_with_a_forged_manifest(models, how):
    """Even a right hash makes nothing run, and nothing else than this network is loaded."""
    path = models / "mnistmodel1.pt"
    SPOILERS[how](path)
    rows = read_manifest()
    rows[path.name]["sha256"] = mirror.hashlib.sha256(path.read_bytes()).hexdigest()
    (models / "manifest.json").write_text(json.dumps(rows))
    with pytest.raises((RuntimeError, pickle.UnpicklingError)):
        load_pretrained(1)
    assert not path.with_name("it ran").exists()


def test_the_weights_are_good_otherwise(models):
    assert isinstance(load_pretrained(1), DenoisingAutoencoder)


def test_the_trap_would_work(tmp_path):
    trap(tmp_path / "trap.pt")
    torch.load(tmp_path / "trap.pt", weights_only=False).close()
    assert (tmp_path / "it ran").exists()
