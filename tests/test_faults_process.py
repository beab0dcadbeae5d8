"""What a process inherits: a backend, a way to start workers, or no IPython at all."""

import copy
import os
import subprocess
import sys

import nbformat
import pytest
import torch
from notebook_checks import NOTEBOOKS, ROOT, code_cells, read

from dae_helpers import CorruptedDigits, Digits, checks, gaussian_noise

WORKERS = """
import torch
from torch.utils.data import DataLoader
from dae_helpers import CorruptedDigits, Digits, gaussian_noise

def in_a_cell(images, generator=None):
    return images

digits = Digits(torch.rand(8, 1, 28, 28), torch.zeros(8), "a test")
for noise in (in_a_cell, lambda images, generator=None: images, gaussian_noise):
    loader = DataLoader(
        CorruptedDigits(digits, noise), 4, num_workers=1, multiprocessing_context="{how}"
    )
    try:
        print(len(list(loader)), "mini-batches")
    except Exception as error:
        print(type(error).__name__, error)
"""


def test_noise_that_a_spawned_worker_cannot_find(monkeypatch):
    digits = Digits(torch.rand(8, 1, 28, 28), torch.zeros(8), "a test")
    anonymous = CorruptedDigits(digits, lambda images, generator=None: images)
    imported = CorruptedDigits(digits, gaussian_noise)
    copy.deepcopy(anonymous)  # a copy in this process is none of its business
    monkeypatch.setattr(checks, "get_spawning_popen", lambda: "a process is being started")
    imported.__getstate__()
    with pytest.raises(TypeError, match="a worker of the DataLoader cannot find the noise"):
        anonymous.__getstate__()


@pytest.mark.slow
@pytest.mark.parametrize("how", ["spawn", "forkserver"])
def test_noise_that_a_worker_cannot_find(how, quoted):
    """A function of a notebook's cell, or a lambda, on Windows, macOS and Python 3.14."""
    if sys.platform == "win32" and how == "forkserver":
        pytest.skip("Windows has no forkserver")
    done = subprocess.run(
        [sys.executable, "-c", WORKERS.format(how=how)], capture_output=True, text=True
    )
    cell, anonymous, imported = done.stdout.splitlines()
    for said in (cell, anonymous):
        quoted(said.removeprefix("TypeError "))
    assert imported == "2 mini-batches", done.stderr


def pictures(nb):
    return [
        output
        for _, cell in code_cells(nb)
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]


@pytest.mark.slow
def test_agg_in_the_environment(tmp_path):
    """MPLBACKEND=agg, as on clusters: every figure of 02 is still there."""
    path = next(path for path in NOTEBOOKS if path.stem == "02_noise")
    command = [sys.executable, str(ROOT / "tools" / "run_notebooks.py"), "--run", "smoke"]
    command += ["--out", str(tmp_path), str(path)]
    environment = {**os.environ, "MPLBACKEND": "agg"}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    executed = nbformat.read(tmp_path / path.name, as_version=4)
    assert len(pictures(executed)) == len(pictures(read(path))) > 3


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_as_a_script(path, tmp_path):
    """Its code alone, in plain Python: no kernel, no display."""
    code = "\n\n".join(cell.source for _, cell in code_cells(read(path)))
    script = tmp_path / f"{path.stem}.py"
    script.write_text(code, encoding="utf-8")
    environment = {**os.environ, "MPLBACKEND": "agg", "DAE_RUN": "smoke"}
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
