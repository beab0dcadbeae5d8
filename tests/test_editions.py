"""Editions are made of the one master, need no network, and run with explorers that answer.

What a reader gets is checked on the student edition: no name in it is undefined, and (slow) "run
all" comes through with blank stubs.
"""

import copy
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import make_editions
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from notebook_checks import NOTEBOOKS, code_cells, exercises, good_notebook, read, tags, texts
from offline_html import formula, mend_text
from run_notebooks import execute

by_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
MOVE = Path(__file__).with_name("move_explorers.py").read_text(encoding="utf-8")
SOLUTION = {"solution", "solution-text"}
OUTSIDE = re.compile(r"""(?:src=|<link[^>]*href=|url\(|@import)\s*["']?(?:https?:)?//[^"')\s]+""")


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


def test_editions_are_written_whole_and_the_master_stays(tmp_path):
    path = NOTEBOOKS[0]
    before = path.read_bytes()
    for name in ("student", "solutions", "pages"):
        assert make_editions.write(name, path, tmp_path / name).stat().st_size > 10_000
    assert path.read_bytes() == before


def undefined_names(folder):
    """What ruff finds in the notebooks of a folder."""
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821"]
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout if done.returncode else ""


def test_student_editions_have_no_undefined_name(tmp_path):
    for path in NOTEBOOKS:
        make_editions.write("student", path, tmp_path)
    found = undefined_names(tmp_path)
    assert not found, found
    nb = edition("student", NOTEBOOKS[0])
    nb.cells.append(new_code_cell("solution_1(1)"))  # what only a solution has defined
    nbformat.write(nb, tmp_path / "bad.ipynb")
    assert "Undefined name `solution_1`" in undefined_names(tmp_path)


# Pages and handouts


def html_problems(html):
    """What a page loads from outside, its scripts, and formulas that are not drawn."""
    text = re.sub(r"(?s)<(pre|code|style|svg)\b.*?</\1>", "", html)
    formulas = re.findall(r"\$[^$\n]*\$|\\\(.*", re.sub(r"<[^>]*>", "", text))
    return OUTSIDE.findall(html) + re.findall("<script", html) + formulas


@by_notebook
def test_page_needs_no_network_and_folds_solutions_and_nothing_else(path):
    page = edition("page", path)
    assert html_problems(page) == []
    assert "google.colab" not in page, "nothing runs on a page"
    parts = page.split('<details class="solution">')
    folded = [part.partition("</details>") for part in parts[1:]]
    assert len(folded) == len(exercises(read(path)))
    assert all("Solution" in inside for inside, _, _ in folded)
    assert "@title" not in "".join([parts[0], *(after for _, _, after in folded)])


# Of the others where they are printed, among the slow tests.
@pytest.mark.parametrize(
    "path",
    [NOTEBOOKS[0], *(pytest.param(path, marks=pytest.mark.slow) for path in NOTEBOOKS[1:])],
    ids=lambda path: path.name,
)
def test_handout_has_neither_solutions_nor_notes_nor_answers(path):
    html = edition("handout", path)
    assert html_problems(html) == []
    assert "@title" not in html and "For the lecturer" not in html and "exercises." not in html
    folded = re.compile("<details><summary>(?!For the lecturer)")
    kept = [cell.source for cell in read(path).cells if "solution-text" not in tags(cell)]
    assert html.count('<details open="">') == len(folded.findall("".join(kept)))
    assert "details { display: none; }" in html  # the answers of the quiz


def test_html_problems_are_noticed():
    for html in (
        "<script src='https://a.b/c.js'>",
        '<img src="//a.b/c">',
        "url(https://a.b/c)",
        "<script>a</script>",
        "<p>This is $x^2$.</p>",
        r"<p>\(x\)</p>",
    ):
        assert html_problems(html), html
    fine = '<a href="https://arxiv.org"><img src="data:image/png;base64,//8"><code>$a$</code>'
    assert html_problems(fine) == []


def test_formula_is_a_picture_that_says_what_it_shows():
    drawn = formula(r"\sigma = \sqrt{0.1}")
    assert drawn.startswith("<svg") and r'aria-label="\sigma = \sqrt{0.1}"' in drawn
    assert "vertical-align: -" in drawn
    assert formula("a < b", inline=False).startswith('<div class="formula-line"><svg')
    for latex in (r"\nosuchcommand", r"\frac{1}"):
        with pytest.raises(ValueError, match=re.escape(latex)):
            formula(latex)


def test_text_is_mended_for_pages():
    badge = "[![Open](https://a.b/badge.svg)](https://a.b)"
    text = (
        f"{badge} [02](02_noise.ipynb#a), [report](../r.md), [arXiv](https://arxiv.org), `[a](b)`"
    )
    nb = new_notebook(cells=[new_markdown_cell(text)])
    mend_text(nb)
    expected = " [02](02_noise.html#a), report, [arXiv](https://arxiv.org), `[a](b)`"
    assert nb.cells[0].source == expected


# Editions that run


def check_explorers(nb):
    """Run a notebook with a last cell that moves its explorers."""
    nb.cells.append(new_code_cell(MOVE))
    execute(nb, NOTEBOOKS[0].parent)
    moved, figures = json.loads(printed(nb.cells[-1]))
    assert moved >= 2
    assert figures == 0, "an explorer should redraw its figure, which is faster than a new one"


@pytest.mark.slow
@by_notebook
def test_student_edition_runs_and_its_explorers_answer(path):
    nb = edition("student", path)
    check_explorers(nb)
    for _, cell in code_cells(nb):
        if "check" in tags(cell):
            assert printed(cell).startswith("Not yet")


@pytest.fixture(scope="module")
def ipywidgets7(tmp_path_factory):
    """A folder with Colab's version of ipywidgets, for PYTHONPATH; None if it cannot be had."""
    folder = tmp_path_factory.mktemp("ipywidgets7")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    packages = ["ipywidgets==7.7.1", "ipython_genutils==0.2.0"]
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder)]
    failed = subprocess.run([*command, *packages], env=environment).returncode
    yield None if failed else folder
    shutil.rmtree(folder)


@pytest.mark.slow
@by_notebook
def test_solutions_edition_passes_and_explorers_answer_with_the_widgets_of_colab(
    path, ipywidgets7, monkeypatch
):
    nb = edition("solutions", path)
    if ipywidgets7:
        path = f"{ipywidgets7}{os.pathsep}{os.environ['PYTHONPATH']}"
        monkeypatch.setenv("PYTHONPATH", path)
        nb.cells.insert(0, new_code_cell("import ipywidgets"))
        nb.cells.append(new_code_cell("assert ipywidgets.__version__ == '7.7.1'"))
    check_explorers(nb)
    solutions = [cell for _, cell in code_cells(nb) if "solution" in tags(cell)]
    assert len(solutions) >= 4
    for cell in solutions:
        assert printed(cell).split()[-1] == "Right.", cell.source
        assert "Not quite" not in printed(cell)
    if not ipywidgets7:
        pytest.skip("skipped: ipywidgets 7.7.1 cannot be had; with the newest it came through")


@pytest.mark.slow
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
        check_explorers(broken)
