"""A training run that is stopped, runs away, asks for what the machine has not, or has partners
that do not fit each other."""

import math
import os
import signal
import subprocess
import sys

import pytest
import torch
from notebook_checks import ROOT
from torch import nn
from torch.optim import LBFGS, SGD, Adam, AdamW
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR, ReduceLROnPlateau, StepLR
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from dae_helpers import CorruptedDigits, DenoisingAutoencoder, Digits, History, minibatch_gd


def digits_of(n):
    images = torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(3))
    return Digits(images, torch.arange(n) % 10, "random numbers")


def digits(n=24):
    return CorruptedDigits(digits_of(n), seed=4)


def network(seed=0):
    torch.manual_seed(seed)
    return DenoisingAutoencoder()


def quiet(model, num_epochs, pairs=None, **options):
    pairs = digits() if pairs is None else pairs
    return minibatch_gd(model, num_epochs, pairs, pairs, **{"progress": False, **options})


# Interrupted and killed


def test_interrupted_in_an_epoch(capsys, quoted, interruptible):
    """A real SIGINT, in the second epoch; the history has one epoch and training goes on."""
    pairs, visits = digits(), []

    class Stopping(torch.utils.data.Dataset):
        def __len__(self):
            return 24

        def __getitem__(self, index):
            visits.append(index)
            if len(visits) == 80:  # an epoch visits the pairs twice: to train, and to test
                interruptible()
            return pairs[index]

    model = network()
    history = quiet(model, 5, Stopping(), lr=0.1, batch_size=8)
    assert len(history.train_loss) == len(history.test_loss) == 1
    quoted(capsys.readouterr().out.strip())
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())
    assert len(quiet(model, 2, lr=0.1, batch_size=8, history=history).test_loss) == 2


KILLED = """
import os, signal, sys, torch
from pathlib import Path
sys.path[:0] = [{tests!r}, {tools!r}]
from pretrain import save_whole
from test_faults_training import network, quiet
from dae_helpers import History

path, kill_after = Path({path!r}), {kill_after}
model, history, steps = network(), History(), 0
if path.exists():
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    history = History(**state["history"])
    print("going on after epoch", len(history.train_loss))

def save(history):
    save_whole({{"model": model.state_dict(), "history": vars(history)}}, path)

def count(*_):
    global steps
    steps += model.training
    if model.training and steps == kill_after:
        os.kill(os.getpid(), signal.SIGKILL)

model.register_forward_hook(count)
quiet(model, 4, history=history, on_epoch_end=save, lr=0.1, batch_size=8)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_killed_in_an_epoch(tmp_path):
    """Killed in the third epoch: resumed from the second, with the same weights to the bit."""

    def run(path, kill_after=0):
        places = {"tests": os.path.dirname(__file__), "tools": str(ROOT / "tools")}
        code = KILLED.format(**places, path=str(path), kill_after=kill_after)
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    killed, whole = tmp_path / "killed.pt", tmp_path / "whole.pt"
    assert run(whole).returncode == 0
    assert run(killed, kill_after=8).returncode == -signal.SIGKILL
    assert len(torch.load(killed, weights_only=True)["history"]["test_loss"]) == 2
    resumed = run(killed)
    assert resumed.stdout == "going on after epoch 2\n", resumed.stderr
    first, second = (torch.load(path, weights_only=True) for path in (whole, killed))
    assert first["history"] == second["history"]
    assert all(torch.equal(first["model"][name], x) for name, x in second["model"].items())


# A loss that becomes NaN


def test_loss_becomes_nan(quoted):
    history = History()
    model = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1))
    with pytest.raises(FloatingPointError) as caught:
        quiet(model, 50, lr=1e8, history=history)
    quoted(caught.value)
    assert all(map(math.isfinite, history.train_loss + history.test_loss))
    assert len(history.train_loss) == len(history.test_loss)
    assert not model.training


def test_nan_names_the_learning_rate_of_the_optimizer():
    model = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1))
    optimizer = torch.optim.SGD(model.parameters(), lr=3e7)
    with pytest.raises(FloatingPointError, match=r"in epoch 1 at a learning rate of 3e\+07"):
        quiet(model, 5, optimizer=optimizer, batch_size=2)


def test_nan_stops_at_once_and_the_weights_stay():
    """The first batch with NaN ends the run; no step is taken with its gradient."""
    pairs = [(x.clone(), y) for x, y in (digits()[i] for i in range(24))]
    pairs[5][0][0, 3, 3] = math.nan
    model, steps = network(), []
    model.register_forward_hook(lambda *_: steps.append(1))
    with pytest.raises(FloatingPointError, match="look for NaN in the images"):
        quiet(model, 2, pairs, batch_size=4)
    assert len(steps) <= 6
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())


def test_nan_in_the_last_test_loss_is_seen():
    """The last step of the last epoch can ruin the weights: that shows in the test loss only."""
    model = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1))
    with pytest.raises(FloatingPointError, match="in epoch 1"):
        quiet(model, 1, lr=1e38, batch_size=24)


# A device that is not there, a batch that is too large


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_device_that_is_not_there(quoted):
    model = network()
    before = [parameter.clone() for parameter in model.parameters()]
    for device in ("cuda", torch.device("cuda", 1)):
        with pytest.raises(ValueError) as caught:
            quiet(model, 1, device=device)
        quoted(caught.value)
    after = list(model.parameters())
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("device", ["gpu", "meta", "cuda:x", "xla"])
def test_other_devices_that_cannot_be_used(device):
    with pytest.raises(ValueError, match=f"device '{device}' cannot be used here"):
        quiet(network(), 1, device=device)


class Hungry(nn.Module):
    """Fails like a GPU, or like the CPU, whose memory is used up by more than so many images."""

    def __init__(self, most, how):
        super().__init__()
        self.layer, self.most, self.how = nn.Conv2d(1, 1, 3, padding=1), most, how

    def forward(self, images):
        if self.training and len(images) > self.most:
            if self.how == "GPU":
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
            torch.empty(2**50)  # a petabyte
        return self.layer(images)


@pytest.mark.parametrize("how", ["GPU", "CPU"])
def test_batch_that_does_not_fit(quoted, how):
    model, history = Hungry(8, how), History()
    before = model.layer.weight.clone()
    with pytest.raises(torch.OutOfMemoryError) as caught:
        quiet(model, 1, batch_size=16, history=history)
    quoted(caught.value)
    assert torch.equal(model.layer.weight, before) and history == History()
    assert len(quiet(model, 1, batch_size=8, history=history).train_loss) == 1, "the advice works"


def test_other_errors_stay_as_they_are():
    class Broken(nn.Conv2d):
        def forward(self, images):
            raise RuntimeError("an illegal memory access")

    with pytest.raises(RuntimeError, match="^an illegal memory access$") as caught:
        quiet(Broken(1, 1, 3), 1)
    assert not isinstance(caught.value, torch.OutOfMemoryError)


# Partners that do not fit: an optimizer, a schedule, data


def small(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Sigmoid())


def refused(model, error, words, pairs=None, num_epochs=1, **options):
    """The run is refused in these words, before a weight has moved."""
    model = small() if model is None else model
    before = [p.clone() for p in model.parameters() if not nn.parameter.is_lazy(p)]
    with pytest.raises(error) as caught:
        quiet(model, num_epochs, pairs, batch_size=8, **options)
    for word in words.split("|"):
        assert word in str(caught.value), str(caught.value)
    after = [p for p in model.parameters() if not nn.parameter.is_lazy(p)]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    return str(caught.value)


def test_optimizer_of_another_model(quoted):
    """After running only the cell that makes the model again; and half of one."""
    model, other = nn.Sequential(small(0), small(1)), nn.Sequential(small(2), small(3))
    mixed = nn.Sequential(model[0], other[1])
    for trained in (model, mixed):
        optimizer = Adam(other.parameters())
        quoted(refused(trained, ValueError, "make it again", optimizer=optimizer))
    part = AdamW(model[1].parameters(), lr=0.1)  # a part of this model is no mistake
    before = model[0][0].weight.clone()
    quiet(model, 1, optimizer=part)
    assert torch.equal(model[0][0].weight, before)


@pytest.mark.parametrize("kind", [Adam, LBFGS])
def test_optimizers_that_cannot_be_used(kind):
    model = small()
    refused(model, TypeError, f"the class {kind.__name__}|(model.parameters()", optimizer=kind)
    refused(model, TypeError, "LBFGS|AdamW or SGD", optimizer=LBFGS(model.parameters()))
    refused(model, TypeError, "optimizer should be|'adam'", optimizer="adam")


def test_scheduler_of_another_optimizer(quoted):
    model = small()
    first, second = (SGD(model.parameters(), lr=0.1) for _ in range(2))
    schedule = StepLR(first, 1)
    for options in ({}, {"optimizer": second}):
        quoted(refused(model, ValueError, "scheduler", scheduler=schedule, **options))
    for wrong in (StepLR, first, lambda: None):
        refused(model, TypeError, "scheduler should", optimizer=first, scheduler=wrong)


def test_schedule_that_is_too_short(quoted):
    """Six mini-batches, and a cycle of five; three are left when another run has taken three."""
    model = small()
    optimizer = SGD(model.parameters(), lr=0.1)
    short = OneCycleLR(optimizer, 0.1, total_steps=5)
    said = refused(model, ValueError, "", num_epochs=2, optimizer=optimizer, scheduler=short)
    quoted(said)
    assert "5 steps left, but 6 mini-batches" in said
    optimizer = SGD(model.parameters(), lr=0.1)
    right = OneCycleLR(optimizer, 0.1, total_steps=6)
    history = quiet(model, 1, batch_size=8, optimizer=optimizer, scheduler=right)
    options = {"optimizer": optimizer, "scheduler": right}
    refused(model, ValueError, "3 steps left, but 6", num_epochs=3, history=history, **options)
    assert len(quiet(model, 2, batch_size=8, history=history, **options).test_loss) == 2
    optimizer = SGD(model.parameters(), lr=0.1)
    endless = CosineAnnealingLR(optimizer, T_max=2)
    quiet(model, 3, batch_size=8, optimizer=optimizer, scheduler=endless)


def test_plateau_is_for_after_an_epoch(quoted):
    model = small()
    optimizer = SGD(model.parameters(), lr=0.5)
    schedule = ReduceLROnPlateau(optimizer, patience=0, threshold=10.0)
    options = {"optimizer": optimizer, "scheduler": schedule}
    quoted(refused(model, TypeError, "ReduceLROnPlateau", **options))
    # what the message says to write instead:
    after = {"on_epoch_end": lambda history: schedule.step(history.test_loss[-1])}
    quiet(model, 3, optimizer=optimizer, **after)
    assert optimizer.param_groups[0]["lr"] < 0.5


class Stream(IterableDataset):
    def __iter__(self):
        return iter(digits())


def test_data_that_are_no_pairs(quoted):
    """Each is refused in one sentence that says what came and how to wrap it."""
    pairs = digits()
    noisy, clean = pairs.corrupted, pairs.original
    labels = torch.arange(24)
    cases = {
        "a DataLoader: give its .dataset": DataLoader(pairs),
        "a Stream: make a list of pairs": Stream(),
        "a generator: make a list": (pair for pair in pairs),
        "a dict: make a list": {"train": pairs},
        "3 values (a tensor (1, 28, 28), a tensor (1, 28, 28), a tensor ())": TensorDataset(
            noisy, clean, labels
        ),
        "a dict of 'noisy', 'clean'": [{"noisy": a, "clean": b} for a, b in pairs],
        "2 values (2 values (a tensor (1, 28, 28), a tensor (1, 28, 28)), a tensor ())": [
            (pairs[i], i) for i in range(24)
        ],
        "a tensor (1, 28, 28): make": clean,
        "1 values (a tensor (1, 28, 28))": TensorDataset(clean),
        "gives (1, 28, 28) and ()": TensorDataset(clean, labels),
        "gives (784,) and (784,)": TensorDataset(noisy.flatten(1), clean.flatten(1)),
        "of one size": [(x[:, : 10 + i], x[:, : 10 + i]) for i, x in enumerate(clean)],
        "divide 8-bit images by 255": TensorDataset((255 * noisy).byte(), (255 * clean).byte()),
        "run up to 2": TensorDataset(255 * noisy, 255 * clean),
        "convert them, .to(torch.float32)": TensorDataset(noisy.double(), clean.double()),
    }
    for words, wrong in cases.items():
        said = refused(None, (TypeError, ValueError), words, pairs=wrong)
        if "corrupted, original" in said and "values" in said:
            quoted(said)
    with pytest.raises(TypeError, match="test_set should give"):
        minibatch_gd(small(), 1, pairs, TensorDataset(clean), progress=False)


def test_unclamped_targets_are_fine():
    """Noise2Noise trains against noisy pictures, and a network may work in -1 to 1."""
    clean = digits().original
    noisy = clean + torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    for inputs, targets in ((noisy, noisy), (2 * clean - 1, 2 * clean - 1)):
        assert len(quiet(small(), 1, TensorDataset(inputs, targets)).test_loss) == 1


def test_models_that_cannot_be_trained():
    refused(nn.Sequential(nn.LazyConv2d(1, 3)), ValueError, "lazy layers|call it on one batch")
    frozen = small().requires_grad_(False)
    refused(frozen, ValueError, "all are frozen|requires_grad_(True)")
    refused(nn.Sequential(nn.Conv2d(1, 2, 3, padding=1)), ValueError, "(8, 1, 28, 28)|(8, 2, 28")

    class Twofold(nn.Conv2d):
        def forward(self, images):
            return super().forward(images), images

    refused(Twofold(1, 1, 3, padding=1), TypeError, "one tensor of images|2 values")


def test_nothing_left_to_do_is_said(capsys, quoted):
    model = small()
    history = quiet(model, 2)
    assert capsys.readouterr().out == ""
    assert quiet(model, 2, history=history) is history and len(history.test_loss) == 2
    quoted(capsys.readouterr().out.strip())


def test_trial_leaves_no_trace():
    """No visit, no statistics of a BatchNorm, no random number, for the mini-batches tried."""
    fresh = CorruptedDigits(digits_of(24), fresh=True, seed=1)
    model = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.BatchNorm2d(1), nn.Dropout(0.5))
    before = torch.get_rng_state()
    seen = model[1].running_mean.clone()
    quiet(model, 0, fresh)
    assert fresh.visits.sum() == 0
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(model[1].running_mean, seen) and model[1].num_batches_tracked == 0
