"""Device and memory layout are an inner matter: a model comes back where and as it was."""

import os
import subprocess
import sys

import pytest
import torch
from notebook_checks import NOTEBOOKS, ROOT
from torch import nn

from dae_helpers import CorruptedDigits, DenoisingAutoencoder, Digits, minibatch_gd
from dae_helpers.evaluation import denoise
from dae_helpers.placing import placed


def pairs(n=16):
    images = torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    return CorruptedDigits(Digits(images, torch.zeros(n), "random numbers"))


def layouts(model):
    return [p.stride() for p in model.parameters()]


class Viewing(nn.Module):
    """A convolution, then a view that only contiguous maps allow."""

    def __init__(self, flatten):
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.linear, self.flatten = nn.Conv2d(1, 4, 3, padding=1), None, flatten
        self.linear = nn.Linear(4 * 784, 784)

    def forward(self, images):
        maps = self.flatten(self.conv(images))
        return self.linear(maps).sigmoid().view(-1, 1, 28, 28)


def test_view_behind_a_convolution_trains():
    """A layout that is only a speed-up must not break it, nor change what it learns."""
    viewing = Viewing(lambda h: h.view(h.size(0), -1))
    reshaping = Viewing(lambda h: h.reshape(h.size(0), -1))
    before = layouts(viewing)
    for model in (viewing, reshaping):
        minibatch_gd(model, 2, pairs(), pairs(), lr=0.1, batch_size=4, progress=False)
    assert layouts(viewing) == before
    for a, b in zip(viewing.parameters(), reshaping.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
    assert viewing(pairs().corrupted).shape == (16, 1, 28, 28)
    assert denoise(viewing, pairs().corrupted).shape == (16, 1, 28, 28)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_model_comes_back_as_it_was_laid_out(layout):
    model = DenoisingAutoencoder().to(memory_format=layout)
    before, same = layouts(model), list(model.parameters())
    for run in (minibatch_gd, lambda model, *_, **__: denoise(model, pairs().corrupted)):
        run(model, 1, pairs(), pairs(), progress=False)
        assert layouts(model) == before
        assert all(a is b for a, b in zip(same, model.parameters(), strict=True)), "optimizers know"
    broken = CorruptedDigits(Digits(torch.rand(4, 1, 28, 28), torch.zeros(4), ""))
    broken.corrupted = broken.corrupted * torch.nan
    with pytest.raises(FloatingPointError):
        minibatch_gd(model, 1, broken, pairs(), progress=False)
    assert layouts(model) == before, "after an error too"


def test_everything_follows_the_device_of_the_run(monkeypatch):
    """Where there is no GPU: the device that is asked for is the one that is looked for."""
    monkeypatch.setenv("DAE_DEVICE", "cuda:7")
    if torch.cuda.device_count() > 7:
        pytest.skip("there is such a device")
    model = DenoisingAutoencoder()
    for run in (
        lambda: minibatch_gd(model, 1, pairs(), pairs(), progress=False),
        lambda: denoise(model, pairs().corrupted),
        lambda: placed(model).__enter__(),
    ):
        with pytest.raises(ValueError, match="device 'cuda:7' cannot be used here"):
            run()


gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")


@gpu
def test_training_on_a_gpu_gives_the_losses_of_the_cpu():
    seen, histories, outputs = [], [], []
    for device in ("cpu", "cuda"):
        torch.manual_seed(0)
        model = DenoisingAutoencoder()
        model.register_forward_hook(lambda module, inputs, output: seen.append(output.device.type))
        options = {"optimizer": torch.optim.AdamW(model.parameters(), lr=1e-3), "progress": False}
        histories.append(minibatch_gd(model, 2, pairs(), pairs(), device=device, **options))
        assert set(seen) == {device} and next(model.parameters()).device.type == "cpu"
        minibatch_gd(model, 3, pairs(), pairs(), device=device, history=histories[-1], **options)
        outputs.append(denoise(model, pairs().corrupted))
        seen.clear()
    for name in ("train_loss", "test_loss"):
        a, b = (vars(history)[name] for history in histories)
        assert a == pytest.approx(b, rel=1e-3)
    torch.testing.assert_close(*outputs, rtol=1e-2, atol=1e-3)


@gpu
@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_computes_on_the_gpu(path, tmp_path):
    """A smoke run with DAE_DEVICE=cuda; its last cell tells how much memory the GPU has lent."""
    import nbformat

    nb = nbformat.read(path, as_version=4)
    nb.cells.append(nbformat.v4.new_code_cell("print('lent', torch.cuda.max_memory_allocated())"))
    nbformat.write(nb, tmp_path / path.name)
    command = [sys.executable, str(ROOT / "tools" / "run_notebooks.py"), "--run", "smoke"]
    environment = {**os.environ, "DAE_DEVICE": "cuda"}
    done = subprocess.run([*command, tmp_path / path.name], env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    last = nbformat.read(tmp_path / path.name, as_version=4).cells[-1].outputs[0].text
    assert path.stem == "02_noise" or int(last.split()[1]) > 0
