"""Imports within the package run one way: what is taught knows nothing of what runs the class."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import dae_helpers

FOLDER = Path(dae_helpers.__file__).parent
MODULES = {
    ".".join(path.relative_to(FOLDER).with_suffix("").parts).removesuffix(".__init__"): path
    for path in FOLDER.rglob("*.py")
}
TAUGHT = {name for name in MODULES if not name.startswith("classroom")} - {"__init__"}
# Who may import whom; a new module needs a row.
ARROWS = {
    "checks": set(),
    "course": {"checks"},
    "noise": {"checks"},
    "layers": {"checks"},
    "data": {"noise", "checks"},
    "placing": {"data", "course", "checks"},
    "training": {"placing", "data", "course", "checks"},
    "evaluation": {"placing", "course", "checks"},
    "checkpoints": {"layers", "training", "checks"},
    "plotting": {"checks"},
    "__init__": TAUGHT,
    "classroom": set(),
    "classroom.exercise": TAUGHT,
    "classroom.quiz": TAUGHT,
    "classroom.widgets": TAUGHT,
}
EXERCISES = {name for name in MODULES if name.startswith("classroom.exercises_")}


def imported(source, name):
    """The modules of the package that the source of the module ``name`` imports, anywhere in it."""
    package = "dae_helpers" if name in TAUGHT | {"__init__"} else "dae_helpers.classroom"
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            parts = {f"{base}.{alias.name}" for alias in node.names}
            modules = {part for part in parts if part.removeprefix("dae_helpers.") in MODULES}
            found |= modules if modules == parts else modules | {base}
    ours = {part for part in found if part.partition(".")[0] == "dae_helpers"}
    return {part.removeprefix("dae_helpers").removeprefix(".") or "__init__" for part in ours}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_run_one_way(name):
    allowed = TAUGHT | {"classroom.exercise"} if name in EXERCISES else ARROWS[name]
    wrong = imported(MODULES[name].read_text(encoding="utf-8"), name) - allowed
    assert not wrong, f"{name} should not import {sorted(wrong)}"


def test_no_two_modules_of_what_is_taught_import_each_other():
    order = list(ARROWS)[: list(ARROWS).index("__init__")]
    assert all(ARROWS[name] <= set(order[:i]) for i, name in enumerate(order))
    assert set(order) == TAUGHT, "a row for each module, and no row without one"


@pytest.mark.parametrize(
    ("name", "source", "found"),
    [
        ("data", "import torch\nfrom .noise import gaussian_noise", {"noise"}),
        ("data", "from . import noise, checks", {"noise", "checks"}),
        ("data", "from . import psnr, noise", {"__init__", "noise"}),
        ("data", "import dae_helpers.training as t", {"training"}),
        ("data", "import dae_helpers", {"__init__"}),
        ("data", "def f():\n    from dae_helpers.plotting import show_images", {"plotting"}),
        ("data", "from .classroom import widgets", {"classroom.widgets"}),
        ("data", "from .classroom.widgets import explore", {"classroom.widgets"}),
        ("__init__", "from .layers import Encoder", {"layers"}),
        ("classroom.quiz", "from .exercise import close", {"classroom.exercise"}),
        ("classroom.quiz", "from ..data import Digits\nfrom .. import layers", {"data", "layers"}),
        ("classroom", "from . import quiz", {"classroom.quiz"}),
    ],
)
def test_every_way_to_import_is_seen(name, source, found):
    assert imported(source, name) == found


def test_what_is_taught_loads_nothing_that_runs_the_class():
    program = "import sys, dae_helpers; print(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=FOLDER.parent,
    )
    loaded = set(answer.stdout.split())
    assert "dae_helpers.training" in loaded
    assert not loaded & {"dae_helpers.classroom", "ipywidgets", "anywidget", "jupyterquiz"}
