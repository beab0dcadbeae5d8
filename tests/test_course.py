"""The run size, the device, and what every notebook starts with."""

import importlib
import random
import sys

import matplotlib as mpl
import numpy as np
import pytest
import torch

from dae_helpers import course


@pytest.fixture
def reloaded(monkeypatch):
    """Reads the module again with another ``DAE_RUN``; undone afterwards."""

    def reload(run):
        if run is None:
            monkeypatch.delenv("DAE_RUN", raising=False)
        else:
            monkeypatch.setenv("DAE_RUN", run)
        return importlib.reload(course)

    yield reload
    monkeypatch.undo()
    importlib.reload(course)


@pytest.mark.parametrize(("run", "expected"), [("smoke", 1), ("lesson", 20), ("full", 300)])
def test_pick(monkeypatch, run, expected):
    monkeypatch.setattr(course, "RUN", run)
    assert course.pick(1, 20, 300) == expected
    assert course.pick(smoke=1, lesson=20, full=300) == expected


def test_full_is_lesson_if_left_out(monkeypatch):
    monkeypatch.setattr(course, "RUN", "full")
    assert course.pick(1, 20) == 20
    assert course.pick(1, 20, 0) == 0


@pytest.mark.parametrize("run", ["smoke", "lesson", "full"])
def test_run_comes_from_the_environment(reloaded, run):
    assert reloaded(run).RUN == run


def test_lesson_is_the_default(reloaded):
    assert reloaded(None).RUN == "lesson"


@pytest.mark.parametrize("run", ["quick", "", "Smoke"])
def test_unknown_run(reloaded, run):
    with pytest.raises(ValueError) as caught:
        reloaded(run)
    for words in ("DAE_RUN", "smoke, lesson, full", repr(run)):
        assert words in str(caught.value)


@pytest.mark.parametrize(("cuda", "expected"), [(True, "cuda"), (False, "cpu")])
def test_device(monkeypatch, cuda, expected):
    monkeypatch.delenv("DAE_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    assert course.device() == torch.device(expected)
    monkeypatch.setenv("DAE_DEVICE", "cpu")
    assert course.device() == torch.device("cpu"), "the reader decides"


def test_device_that_is_not_there(monkeypatch):
    for name in ("cuda:99", "gpu", "meta"):
        monkeypatch.setenv("DAE_DEVICE", name)
        with pytest.raises(ValueError, match=f"device '{name}' cannot be used here .*DAE_DEVICE"):
            course.device()


@pytest.mark.parametrize(
    ("modules", "expected"),
    [([], "Python"), (["ipykernel"], "Jupyter"), (["ipykernel", "google.colab"], "Colab")],
)
def test_where(monkeypatch, modules, expected):
    for name in ("ipykernel", "google.colab"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    for name in modules:
        monkeypatch.setitem(sys.modules, name, random)  # any module will do
    assert course.where() == expected


def test_start(capsys):
    with mpl.rc_context():
        course.start()
        first = torch.rand(3), np.random.rand(3)
        course.start()
        again = torch.rand(3), np.random.rand(3)
        assert torch.equal(first[0], again[0]) and (first[1] == again[1]).all()
    said = capsys.readouterr().out.splitlines()[0]
    for words in (course.RUN, str(course.device()), torch.__version__.split("+")[0]):
        assert words in said
