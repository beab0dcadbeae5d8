"""A training run that is stopped, runs away, or asks for what the machine has not."""

import math
import os
import signal
import subprocess
import sys

import pytest
import torch
from torch import nn

from dae_helpers import CorruptedDigits, DenoisingAutoencoder, Digits, History, minibatch_gd


def digits(n=24):
    images = torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(3))
    return CorruptedDigits(Digits(images, torch.arange(n) % 10, "random numbers"), seed=4)


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
sys.path.insert(0, {tests!r})
from test_faults_training import network, quiet
from dae_helpers import History
from dae_helpers.checkpoints import save_whole

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
    steps += 1
    if steps == kill_after:
        os.kill(os.getpid(), signal.SIGKILL)

model.register_forward_hook(count)
quiet(model, 4, history=history, on_epoch_end=save, lr=0.1, batch_size=8)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_killed_in_an_epoch(tmp_path):
    """Killed in the third epoch: resumed from the second, with the same weights to the bit."""

    def run(path, kill_after=0):
        code = KILLED.format(tests=os.path.dirname(__file__), path=str(path), kill_after=kill_after)
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    killed, whole = tmp_path / "killed.pt", tmp_path / "whole.pt"
    assert run(whole).returncode == 0
    assert run(killed, kill_after=10).returncode == -signal.SIGKILL
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
