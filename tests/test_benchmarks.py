"""The benchmarks: what they share, that each can start, and that the page holds all of them."""

import importlib
import re
import sys

import pytest
from notebook_checks import NOTEBOOKS, ROOT

FOLDER = ROOT / "benchmarks"
RESULTS = FOLDER / "results.md"


@pytest.fixture
def load(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if (
            getattr(sys.modules[name], "__file__", None)
            and str(FOLDER) in sys.modules[name].__file__
        ):
            del sys.modules[name]  # names such as "notebooks" are ours only here


def test_contenders_take_turns(load):
    calls = []
    found = load("measure").in_turn({name: lambda n=name: calls.append(n) for name in "ab"}, 3)
    assert calls == list("ab" * 4)  # a warm-up, then three rounds
    assert {name: len(times) for name, times in found.items()} == {"a": 3, "b": 3}


def test_spread_and_table(load, capsys):
    measure = load("measure")
    assert measure.spread([3.0, 1.0, 2.0], 1) == "2.0 (1.0 to 3.0)"
    measure.table(("a", "b"), [(1, "x")])
    assert capsys.readouterr().out == "| a | b |\n| --- | --- |\n| 1 | x |\n\n"


def test_every_part_has_a_script_that_starts(load):
    parts = load("run").PARTS
    scripts = {path.stem for path in FOLDER.glob("*.py")} - {"run", "measure"}
    assert set(parts) == scripts
    for part in parts:
        module = load(part)
        assert callable(module.main) and module.__file__.startswith(str(FOLDER))


@pytest.mark.parametrize("name", ["classic", "ours", "bare"])
def test_contenders_do_the_same_maths(load, name):
    """Each goes once over all digits: the same number of steps, each by the hand-written rule."""
    import torch

    from dae_helpers import DenoisingAutoencoder
    from dae_helpers.data import Digits

    cost = load("cost")
    torch.manual_seed(0)
    digits = Digits(torch.rand(70, 1, 28, 28), torch.zeros(70).long(), "made up")
    steps = []

    class Watched(DenoisingAutoencoder):
        def forward(self, images):
            if torch.is_grad_enabled():
                steps.append(len(images))
            return super().forward(images)

    cost.DenoisingAutoencoder = Watched
    cost.contender(name, digits, 32)()
    assert steps == [32, 32, 6]


def stale(text, parts, notebooks):
    """What is missing in a page of results."""
    about = r"^\*.+, \d+ cores, .+, Python [\d.]+, PyTorch .+, commit [0-9a-f]{7,}\+?\*$"
    named = len(re.findall(about, text, re.MULTILINE))
    missing = [] if named == len(parts) else [f"{named} parts name machine and commit"]
    headings = re.findall(r"^## (.+)$", text, flags=re.MULTILINE)
    for part in parts:
        source = (FOLDER / f"{part}.py").read_text(encoding="utf-8")
        wanted = re.findall(r'print\(f?"## ([^\\"]+)', source)
        missing += [heading for heading in wanted if heading not in headings]
    return missing + [name for name in notebooks if f"| {name} |" not in text]


def test_the_page_holds_all_parts_and_all_notebooks(load):
    text, parts = RESULTS.read_text(encoding="utf-8"), load("run").PARTS
    names = [path.name for path in NOTEBOOKS]
    assert stale(text, parts, names) == [], "run make bench"
    assert stale(text, parts, [*names, "99_new.ipynb"]) == ["99_new.ipynb"]
    assert stale(text.replace(", commit", ", of", 1), parts, names) != []
