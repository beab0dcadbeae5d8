"""The run size, the device, and what every notebook starts with."""

import importlib
import random
import sys

import matplotlib as mpl
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


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_device(monkeypatch, cuda, mps, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert course.device() == torch.device(expected)


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
        course.start(seed=5)
        first = torch.rand(3)
        course.start(seed=5)
        assert torch.equal(first, torch.rand(3))
        course.start(seed=6)
        assert not torch.equal(first, torch.rand(3))
        assert mpl.rcParams["axes.prop_cycle"].by_key()["color"] == course.PALETTE
        assert mpl.rcParams["image.cmap"] == "gray"
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert course.RUN in lines[0] and torch.__version__.split("+")[0] in lines[0]


def test_palette_is_that_of_okabe_and_ito():
    published = [
        (0, 0, 0),
        (230, 159, 0),
        (86, 180, 233),
        (0, 158, 115),
        (240, 228, 66),
        (0, 114, 178),
        (213, 94, 0),
        (204, 121, 167),
    ]
    ours = {tuple(round(255 * x) for x in mpl.colors.to_rgb(colour)) for colour in course.PALETTE}
    assert len(ours) == len(course.PALETTE)
    assert ours <= set(published)
