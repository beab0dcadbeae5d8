"""The package by itself: a wheel built from the working tree, and no repository beside it.

The tests' own environment has the course by an editable install, so the wheel's content is put
where neither that nor the repository is on the path: in `make test` as an unpacked folder, in
`make test-all` as an installed package in a virtual environment of its own, with the heavy packages
of this one.
"""

import json
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from fresh import copy_course, run_notebook
from nbformat.v4 import new_code_cell
from notebook_checks import NOTEBOOKS, ROOT, code_cells, read

PACKAGES = ("dae_helpers", "denoising_models")
SITES = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
DRAWINGS = sorted(
    {
        name
        for path in NOTEBOOKS
        for _, cell in code_cells(read(path))
        for name in re.findall(r'show_drawing\(\s*"([^"]+)"', cell.source)
    }
)
WHERE = """
import sys
from pathlib import Path
import dae_helpers, denoising_models
for package in (dae_helpers, denoising_models):
    assert Path(package.__file__).is_relative_to({folder!r}), package.__file__
assert not any(Path(entry) == Path({root!r}) for entry in sys.path), sys.path
"""
LOAD = """
import json
from dae_helpers import load_pretrained, plotting
from dae_helpers.checkpoints import read_history
from dae_helpers.classroom.quiz import show_quiz
manifest = json.loads({manifest!r})
for row in manifest.values():
    which = row["epochs"] if row["recipe"] == "classic" else row["recipe"]
    assert not load_pretrained(which).training
    assert read_history(row["recipe"]).test_loss
shown = []
plotting.display = shown.append
for name in {drawings!r}:
    plotting.show_drawing(name, "a drawing")
assert all(image.data.startswith(b"\\x89PNG") for image in shown)
print(len(manifest), "weights", len(shown), "drawings")
"""


def call(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stderr or done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the working tree: building in the tree itself would leave things there."""
    return copy_course(tmp_path_factory.mktemp("tree") / "course")


@pytest.fixture(scope="module")
def wheel(tree, tmp_path_factory):
    """The wheel. It is built by the setuptools of this environment: tests have no network."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    call(*pip, "-w", folder, tree, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_holds_the_packages_and_nothing_else(tree, wheel):
    names = zipfile.ZipFile(wheel).namelist()
    held = {name for name in names if ".dist-info/" not in name}
    files = [path for package in PACKAGES for path in (tree / package).rglob("*")]
    assert held == {path.relative_to(tree).as_posix() for path in files if path.is_file()}
    for name in ("dae_helpers/classroom/canvas.js", "denoising_models/manifest.json"):
        assert name in held
    assert [name for name in names if name.endswith("LICENSE")]
    assert wheel.stat().st_size < 3_000_000


def test_weights_and_drawings_travel_with_the_package(wheel, tmp_path):
    """By a Python without any .pth file, in an empty folder."""
    unpacked, empty = tmp_path / "site", tmp_path / "empty"
    zipfile.ZipFile(wheel).extractall(unpacked)
    empty.mkdir()
    text = (ROOT / "denoising_models" / "manifest.json").read_text(encoding="utf-8")
    assert len(DRAWINGS) >= 2
    code = WHERE.format(folder=str(unpacked), root=str(ROOT))
    code += LOAD.format(manifest=text, drawings=DRAWINGS)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(unpacked), *SITES])}
    said = call(sys.executable, "-S", "-P", "-c", code, cwd=empty, env=environment)
    assert said.split() == [str(len(json.loads(text))), "weights", str(len(DRAWINGS)), "drawings"]


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """A virtual environment's Python: the wheel, and this environment's packages but its .pth."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    call(sys.executable, "-m", "venv", "--without-pip", folder)
    made = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    site = Path(call(made, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site / "heavy.pth").write_text("\n".join(SITES), encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--python", made, "install", "-q", "--no-deps"]
    call(*pip, "--no-index", "--ignore-installed", wheel)
    return made


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook(python, tmp_path, path):
    """Alone in an empty folder, with the package from the wheel."""
    nb = read(path)
    where = WHERE.format(folder=str(python.parents[1]), root=str(ROOT))
    nb.cells.append(new_code_cell(where))
    run_notebook(python, nb, tmp_path)
    assert code_cells(nb)[-1][1].execution_count, "the last cell ran"
