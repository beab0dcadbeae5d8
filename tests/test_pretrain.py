"""The script that makes the weights: killed, resumed, shared by two processes, out of room."""

import csv
import hashlib
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pretrain
import pytest
import torch
from notebook_checks import ROOT

from dae_helpers import Digits
from dae_helpers.checkpoints import load_pretrained, read_manifest
from dae_helpers.data import embedded_digits

SCRIPT = ROOT / "tools" / "pretrain.py"
SMALL = {  # 656 digits give a short last mini-batch, in training and in the test
    "classic": ["--recipe", "classic", "--limit", "656", "--epochs", "4"],
    "fast": ["--recipe", "fast", "--limit", "656", "--steps", "60"],
}


def start(folder, *options, launcher=(), **popen):
    command = [sys.executable, *launcher, str(SCRIPT), "--folder", str(folder), *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path_with_root()}
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **popen,
    )


def path_with_root():
    return os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))


def finish(folder, *options, **how):
    process = start(folder, *options, **how)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def hashes(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file()
    }


def losses(folder, name="mnistmodel_history.csv"):
    with open(folder / name, newline="") as file:
        return [[float(value) for value in row.values()] for row in csv.DictReader(file)]


def epochs_done(state_path):
    return len(torch.load(state_path, weights_only=True)["history"]["train_loss"])


def test_embedded_test_digits_are_left_out(monkeypatch):
    """Each of 60,000 stand-ins carries its position; the 1,000 must be missing, and only they."""
    positions = torch.arange(60_000)
    images = (positions / 60_000).reshape(-1, 1, 1, 1)
    labels = positions * 7 % 10
    monkeypatch.setattr(pretrain, "load_mnist", lambda train: Digits(images, labels, "made up"))
    found = (pretrain.training_digits().images.flatten() * 60_000).round().long()
    kept = set(found.tolist())
    missing = [i for i in range(60_000) if i not in kept]
    assert len(found) == 59_000 and len(missing) == 1000
    for digit in range(10):
        of_digit = torch.nonzero(labels == digit).flatten().tolist()
        assert sorted(of_digit[400:500]) == [i for i in missing if labels[i] == digit]


def test_prepare_starts_dark():
    digits = embedded_digits(train=True)
    mean = digits.images.mean().item()
    for recipe in ("fast", "skip"):
        model, pairs, options = pretrain.prepare(recipe, digits, steps=20)
        *_, bias = model.parameters()
        assert torch.sigmoid(bias).item() == pytest.approx(mean, rel=1e-5)
        assert pairs.fresh and options["steps_per_epoch"] == 2
    model, pairs, options = pretrain.prepare("classic", digits)
    *_, bias = model.parameters()
    assert bias.item() == 0 and not pairs.fresh
    assert options == {"lr": 0.01, "batch_size": 32, "seed": 0}


def test_share_splits_every_mini_batch():
    class Pairs:
        fresh = False

        def __len__(self):
            return 10

        def __getitems__(self, indices):
            return [f"pair {index}" for index in indices]

    batch = [3, 1, 4, 5, 9, 2]
    parts = [pretrain.Share(Pairs(), rank, 2).__getitems__(batch) for rank in range(2)]
    assert parts == [["pair 3", "pair 4", "pair 9"], ["pair 1", "pair 5", "pair 2"]]
    assert len(pretrain.Share(Pairs(), 1, 2)) == 10


@pytest.mark.slow
@pytest.mark.parametrize("recipe", SMALL)
def test_killed_and_resumed_as_if_uninterrupted(recipe, tmp_path, quoted):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    code, out, err = finish(whole, *SMALL[recipe])
    assert code == 0, err
    state = killed / "runs" / f"{recipe}.pt"
    delays = [0.0, 0.05, 0.2]  # between two saves, and in the middle of them
    for delay in delays:
        process = start(killed, *SMALL[recipe])
        before = state.stat().st_mtime_ns if state.exists() else 0
        while process.poll() is None and (not state.exists() or state.stat().st_mtime_ns == before):
            time.sleep(0.002)
        time.sleep(delay)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL, "it was over before it was killed"
        for path in killed.rglob("*.pt"):
            torch.load(path, weights_only=True)  # whole, whatever the moment
    assert 0 < epochs_done(state)
    code, out, err = finish(killed, *SMALL[recipe])
    assert code == 0, err
    quoted(next(line for line in out.splitlines() if "going on" in line).strip())
    for path in killed.rglob("*.part"):
        path.unlink()  # what the kill left; the next run writes over it
    assert hashes(killed) == hashes(whole)
    assert any(name.startswith("mnistmodel") and name.endswith(".pt") for name in hashes(whole))


@pytest.mark.slow
@pytest.mark.parametrize("recipe", SMALL)
def test_two_processes_give_the_losses_of_one(recipe, tmp_path):
    """AdamW divides by small numbers, and so makes rounding errors grow: few steps for it."""
    options = [*SMALL[recipe], *(["--steps", "10"] if recipe == "fast" else [])]
    one, two = tmp_path / "one", tmp_path / "two"
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    for folder, how in ((one, {}), (two, {"launcher": launcher})):
        code, out, err = finish(folder, *options, **how)
        assert code == 0, err
    name = pretrain.history_file(recipe)
    assert len(losses(one, name)) == (4 if recipe == "classic" else 10)
    states = [torch.load(f / "runs" / f"{recipe}.pt", weights_only=True) for f in (one, two)]
    for key in ("train_loss", "test_loss"):
        expected, found = (state["history"][key] for state in states)
        assert found == pytest.approx(expected, abs=1e-5)
    first, last = states[0]["history"]["train_loss"][0], states[0]["history"]["train_loss"][-1]
    assert last < first - 1e-4, "it did not train, so equal losses would mean nothing"
    assert hashes(one).keys() == hashes(two).keys()


@pytest.mark.slow
def test_no_equal_shares(tmp_path, quoted):
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=3"]
    code, out, err = finish(tmp_path / "models", *SMALL["classic"], launcher=launcher)
    assert code != 0
    quoted(next(line for line in err.splitlines() if "cannot share" in line))
    assert not hashes(tmp_path)


@pytest.mark.slow
def test_full_disk_keeps_the_last_checkpoint(tmp_path, quoted):
    options = ["--recipe", "classic", "--limit", "64", "--epochs"]
    assert finish(tmp_path, *options, "1")[0] == 0
    before = hashes(tmp_path)

    def no_room():  # what is written to a file beyond 50 kB fails, as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    code, out, err = finish(tmp_path, *options, "2", preexec_fn=no_room)
    assert code == 1
    message = err.strip().splitlines()[-1]
    assert message.startswith(str(tmp_path)) and "File too large" in message
    quoted(message)
    assert "Traceback" not in err
    after = hashes(tmp_path)
    assert {name: after[name] for name in before if name.endswith(".pt")} == {
        name: digest for name, digest in before.items() if name.endswith(".pt")
    }
    assert not [name for name in after if name.endswith(".part")]
    code, out, err = finish(tmp_path, *options, "2")
    assert code == 0 and "going on after 1 of 2 epochs" in out


@pytest.mark.slow
def test_folder_that_cannot_be_written(tmp_path, quoted):
    if os.geteuid() == 0:
        folder = Path("/sys/dae-models")  # where even root can make nothing
        if not Path("/sys").is_dir():
            pytest.skip("no folder here that root cannot write")
    else:
        folder = tmp_path / "models"
        folder.mkdir()
        folder.chmod(0o500)
    code, out, err = finish(folder, *SMALL["classic"])
    assert code == 1
    message = err.strip().splitlines()[-1]
    assert message.startswith(str(folder)) and "Traceback" not in err
    quoted(message)
    assert "epoch 1" not in out, "it should stop before it has trained for nothing"


# What is shipped


def test_every_row_of_the_manifest_is_complete():
    for name, row in read_manifest().items():
        for key in ("sha256", "network", "epochs", "recipe", "details", "seed"):
            assert key in row, (name, key)
        assert {"python", "torch"} <= row["versions"].keys()
        for key in ("train_loss", "test_loss"):
            assert 0 < row[key] < 0.2, (name, key)
        for key in ("mnist_test", "embedded_test"):
            assert row[key].keys() == {"mse", "psnr", "ssim"}, (name, key)


@pytest.mark.parametrize("which", [*pretrain.PRETRAINED_EPOCHS, "fast", "skip"])
def test_figures_of_the_manifest_are_those_of_the_weights(which):
    """On the embedded test digits, which are here without a network."""
    file = f"mnistmodel{which}.pt" if isinstance(which, int) else f"mnistmodel_{which}.pt"
    found = pretrain.figures(load_pretrained(which), embedded_digits(train=False))
    assert found == pytest.approx(read_manifest()[file]["embedded_test"], rel=2e-3)


def test_short_recipe_beats_the_longest_classic_run():
    rows = read_manifest()
    longest = max(
        (row for row in rows.values() if row["recipe"] == "classic"), key=lambda row: row["epochs"]
    )
    fast, skip = rows["mnistmodel_fast.pt"], rows["mnistmodel_skip.pt"]
    assert longest["epochs"] == 400 and fast["epochs"] < 1
    for key in ("mnist_test", "embedded_test"):
        assert fast[key]["mse"] < longest[key]["mse"]
        assert skip[key]["psnr"] > fast[key]["psnr"] + 1.5
