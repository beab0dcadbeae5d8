"""Editions are made of the one master, and run; explorers answer every control, without a browser.

What a reader gets is checked on the student edition: no name in it is undefined, and (slow) "run
all" comes through with blank stubs.
"""

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import make_editions
import nbformat
import pytest
from nbformat.v4 import new_code_cell
from notebook_checks import NOTEBOOKS, code_cells, exercises, good_notebook, read, tags, texts
from run_notebooks import execute

by_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
MOVE = Path(__file__).with_name("move_explorers.py").read_text(encoding="utf-8")
SOLUTION = {"solution", "solution-text"}


def edition(name, path):
    return getattr(make_editions, name)(read(path))


def printed(cell):
    return " ".join(text for output in cell.outputs for text in texts(output))


@by_notebook
def test_student_edition_is_the_master_without_solutions_and_outputs(path):
    master, made = read(path), edition("student", path)
    notes = [cell for cell in master.cells if make_editions.is_note(cell)]
    kept = [cell for cell in master.cells if not tags(cell) & SOLUTION and cell not in notes]
    assert [(c.id, c.source) for c in made.cells] == [(c.id, c.source) for c in kept]
    assert len(master.cells) - len(kept) - len(notes) >= len(exercises(master)) >= 4
    assert all(not c.outputs and c.execution_count is None for _, c in code_cells(made))
    assert "# @title Solution" not in json.dumps(made)
    assert "For the lecturer" not in json.dumps(made)


@by_notebook
def test_solutions_edition_is_the_master_with_solutions_open(path):
    master, made = read(path), edition("solutions", path)
    assert [(c.id, c.source) for c in made.cells] == [(c.id, c.source) for c in master.cells]
    assert "source_hidden" in json.dumps(master) and "cellView" in json.dumps(master)
    assert "source_hidden" not in json.dumps(made) and "cellView" not in json.dumps(made)


@by_notebook
def test_page_folds_solutions_and_nothing_else(path):
    page = edition("page", path)
    parts = page.split('<details class="solution">')[1:]
    assert len(parts) == len(exercises(read(path)))
    assert "google.colab" not in page, "nothing runs on a page"
    assert all("Solution" in part.partition("</details>")[0] for part in parts)
    outside = [page.partition('<details class="solution">')[0]]
    outside += [part.partition("</details>")[2] for part in parts]
    assert "@title" not in "".join(outside)


def test_editions_are_written_whole_and_the_master_stays(tmp_path):
    path = NOTEBOOKS[0]
    before = path.read_bytes()
    for name in ("student", "solutions", "pages"):
        assert make_editions.write(name, path, tmp_path / name).stat().st_size > 10_000
    assert path.read_bytes() == before


def run(nb):
    """Run a notebook with a last cell that moves its explorers; gives what that one prints."""
    nb.cells.append(new_code_cell(MOVE))
    execute(nb, NOTEBOOKS[0].parent)
    return json.loads(printed(nb.cells[-1]))


def check_explorers(nb):
    moved, figures = run(nb)
    assert moved >= 2
    assert figures == 0, "an explorer should redraw its figure, which is faster than a new one"


def undefined_names(folder):
    """What ruff finds in the notebooks of a folder."""
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821"]
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout if done.returncode else ""


def test_student_editions_have_no_undefined_name(tmp_path):
    for path in NOTEBOOKS:
        make_editions.write("student", path, tmp_path)
    assert undefined_names(tmp_path) == ""
    nb = edition("student", NOTEBOOKS[0])
    nb.cells.append(new_code_cell("solution_1(1)"))  # what only a solution has defined
    nbformat.write(nb, tmp_path / "bad.ipynb")
    assert "Undefined name `solution_1`" in undefined_names(tmp_path)


@pytest.mark.slow
@by_notebook
def test_student_edition_runs_and_its_explorers_answer(path):
    nb = edition("student", path)
    check_explorers(nb)
    for _, cell in code_cells(nb):
        if "check" in tags(cell):
            assert printed(cell).startswith("Not yet")


@pytest.mark.slow
@by_notebook
def test_solutions_edition_runs_and_every_solution_passes(path):
    nb = edition("solutions", path)
    execute(nb, path.parent)
    solutions = [cell for _, cell in code_cells(nb) if "solution" in tags(cell)]
    assert len(solutions) >= 4
    for cell in solutions:
        assert printed(cell).split()[-1] == "Right.", cell.source
        assert "Not quite" not in printed(cell)


@pytest.fixture(scope="module")
def ipywidgets7(tmp_path_factory):
    """A folder with Colab's version of ipywidgets, for PYTHONPATH."""
    folder = tmp_path_factory.mktemp("ipywidgets7")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    packages = ["ipywidgets==7.7.1", "ipython_genutils==0.2.0"]
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder)]
    if subprocess.run([*command, *packages], env=environment).returncode:
        pytest.skip("skipped: ipywidgets 7.7.1 cannot be had")
    yield folder
    shutil.rmtree(folder)


@pytest.mark.slow
@by_notebook
def test_explorers_answer_with_the_widgets_of_colab(path, ipywidgets7, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{ipywidgets7}{os.pathsep}{os.environ['PYTHONPATH']}")
    nb = edition("student", path)
    nb.cells.append(new_code_cell("assert ipywidgets.__version__ == '7.7.1'"))
    nb.cells.insert(0, new_code_cell("import ipywidgets"))
    check_explorers(nb)


def test_a_broken_callback_is_noticed():
    nb = good_notebook()
    broken = copy.deepcopy(nb)
    broken.cells = [
        new_code_cell(
            "from matplotlib.figure import Figure\n"
            "from dae_helpers.classroom.widgets import explore, slider\n"
            "figure = Figure()\n"
            "def update(a):\n"
            "    assert a < 3, 'too far'\n"
            "    figure.suptitle(str(a))\n"
            "box = explore(figure, update, a=slider('a', range(5), 0));"
        )
    ]
    with pytest.raises(Exception, match="too far"):
        run(broken)
