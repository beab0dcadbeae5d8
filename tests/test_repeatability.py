"""The same seed gives the same numbers, wherever, whenever and in whatever order one runs cells."""

import copy
import math
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor

import nbformat
import numpy as np
import pytest
import torch
from notebook_checks import NOTEBOOKS, ROOT, read
from refused import refused
from run_notebooks import execute, terminal_line

from dae_helpers import CorruptedDigits, Digits, course

by_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)

# A number may differ by this much when its cell runs again in the same kernel: 5 %, or 0.5 where
# it is small and in decibels or percent.
RELATIVE, ABSOLUTE, DECIBELS = 0.05, 0.005, 0.5

# Cells that go on training the network of the cell before: again they give another loss, or none.
TRAIN_ON = {"01-16", "01-32", "04-48"}

TIMES = re.compile(r"[\d.,]+ (?:ms|µs|s|times faster)\b|one by one:.*|at once:.*")
ABOUT_THE_RUN = ("A smoke run", "Data:", "Downloading")
NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*\.?\d*(?:e[+-]?\d+)?")


def said(cell) -> str:
    """What a cell printed, without progress bars, times and the lines about the run."""
    texts = [output.text for output in cell.outputs if output.output_type == "stream"]
    lines = [terminal_line(line) for line in "".join(texts).split("\n")]
    kept = [line for line in lines if line and not line.startswith(ABOUT_THE_RUN)]
    return "\n".join(TIMES.sub("...", line) for line in kept)


def numbers(cell) -> list[float]:
    """All numbers in what a cell printed."""
    return [float(found.replace(",", "")) for found in NUMBER.findall(said(cell))]


def code_cells(nb) -> list:
    return [cell for cell in nb.cells if cell.cell_type == "code"]


def near(found: float, stored: float, unit: float) -> bool:
    return math.isclose(found, stored, rel_tol=RELATIVE, abs_tol=unit)


def differences(cell, expected: list[float]) -> list[str]:
    """Which numbers of a cell are not near the expected ones."""
    found, unit = numbers(cell), DECIBELS if "dB" in said(cell) or "%" in said(cell) else ABSOLUTE
    if len(found) != len(expected):
        return [f"{cell.id}: {len(found)} numbers, {len(expected)} expected: {said(cell)}"]
    return [
        f"{cell.id}: {a} instead of {b}"
        for a, b in zip(found, expected, strict=True)
        if not (near(a, b, unit) or (math.isnan(a) and math.isnan(b)))
    ]


def sequence(nb, cells, ending):
    """Copies of cells that may fail, with ids of their own."""
    copies = [copy.deepcopy(cell) for cell in cells]
    for cell in copies:
        cell.metadata.tags = [*cell.metadata.get("tags", []), "raises-exception"]
        cell.metadata.original, cell.id = cell.id, cell.id + ending
    return copies


def run(cells, folder):
    execute(nbformat.v4.new_notebook(cells=cells), folder)
    for cell in cells:
        cell.id = cell.metadata.get("original", cell.id)
    return cells


def errors(cells):
    """Cell id -> name of the error it stopped with."""
    return {
        cell.id: output.ename
        for cell in cells
        for output in cell.outputs
        if output.output_type == "error"
    }


@pytest.fixture(scope="module")
def ran():
    """Runs a notebook once for all tests: in order, again in the same kernel, and backwards."""
    kept = {}

    def get(path):
        if path not in kept:
            nb = read(path)
            cells = code_cells(nb)
            passes = [
                sequence(nb, cells, ""),
                sequence(nb, cells, "-again"),
                sequence(nb, cells[::-1], "-backwards"),
            ]
            run(sum(passes, []), path.parent)
            kept[path] = passes
        return kept[path]

    return get


@pytest.mark.slow
@by_notebook
@pytest.mark.parametrize("order", ["again", "backwards"])
def test_cells_run_twice(ran, path, order):
    """Run All a second time, or cell by cell from the last one up: the same numbers, no error."""
    first, again, backwards = ran(path)
    expected = {cell.id: numbers(cell) for cell in first}
    assert errors(first) == {} and sum(map(len, expected.values())) > 20
    second = again if order == "again" else backwards
    assert errors(second) == {}
    kept = [cell for cell in second if cell.id not in TRAIN_ON]
    assert [d for cell in kept for d in differences(cell, expected[cell.id])] == []


@pytest.mark.slow
@by_notebook
def test_restarted_in_the_middle(ran, path):
    """A new kernel, the set-up cells, then the second half: a NameError, or the same numbers."""
    cells = code_cells(read(path))
    second = run(sequence(None, [*cells[:2], *cells[len(cells) // 2 :]], ""), path.parent)
    stopped = errors(second)
    assert {name: error for name, error in stopped.items() if error != "NameError"} == {}
    expected = {cell.id: numbers(cell) for cell in ran(path)[0]}
    through = [cell for cell in second[2:] if cell.id not in stopped]
    assert [d for cell in through for d in differences(cell, expected[cell.id])] == []


def bits(cells):
    """What was printed and drawn, to the bit; explorers, whose layout has a history, left out."""
    return {
        cell.id: (said(cell), [output.get("data", {}).get("image/png") for output in cell.outputs])
        for cell in cells
        if "explorer" not in cell.metadata.get("tags", []) and "..." not in said(cell)
    }


@pytest.mark.slow
def test_elsewhere_two_at_once_and_in_another_order(ran, tmp_path, monkeypatch):
    """The repository, the home and the working folder have spaces and letters such as ž and 空.

    All notebooks there, the last first, two at once: to the bit what they give one by one here.
    """
    home = tmp_path / "Žofia Müller 空"
    there = home / "dae course"
    for name in ("dae_helpers", "denoising_models", "notebooks"):
        shutil.copytree(ROOT / name, there / name, ignore=shutil.ignore_patterns("runs"))
    elsewhere = home / "somewhere else"
    elsewhere.mkdir()
    for name in ("HOME", "USERPROFILE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.delenv("DAE_DATA")
    found = [str(there), os.environ["PYTHONPATH"]]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(found))
    monkeypatch.setenv("MPLCONFIGDIR", str(home / "matplotlib"))

    def one(path):
        where = nbformat.v4.new_code_cell("import dae_helpers; print(dae_helpers.__file__)")
        cells = [where, *code_cells(read(there / "notebooks" / path.name))]
        return run(sequence(None, cells, ""), elsewhere)

    with ThreadPoolExecutor(2) as pool:
        results = dict(zip(NOTEBOOKS[::-1], pool.map(one, NOTEBOOKS[::-1]), strict=True))
    for path, (where, *cells) in results.items():
        assert said(where) == str(there / "dae_helpers" / "__init__.py")
        assert errors(cells) == {}
        expected = bits(ran(path)[0])
        differing = [name for name, found in bits(cells).items() if found != expected[name]]
        assert differing == [], path.name


@pytest.mark.slow
@pytest.mark.parametrize("folder", [ROOT, ROOT / "notebooks"], ids=["root", "notebooks"])
def test_started_from(folder):
    """The notebook that reads a drawing, data and nothing else, from either folder."""
    cells = code_cells(read(NOTEBOOKS[0]))[:4]
    assert errors(run(sequence(None, cells, ""), folder)) == {}


# Quick ones


def test_start_seeds_all_that_notebooks_draw_from(capsys):
    """scikit-learn's PCA, as in notebook 01, draws from NumPy's global generator."""
    from sklearn.decomposition import PCA

    def drawn():
        course.start()
        rows = np.random.default_rng(0).normal(size=(2000, 784))
        pca = PCA(n_components=2, svd_solver="randomized").fit(rows)
        return torch.rand(3), pca.components_

    first, second = drawn(), drawn()
    assert torch.equal(first[0], second[0]) and np.array_equal(first[1], second[1])


def test_fresh_noise_refuses_a_seed_that_differs_between_kernels():
    """Python hashes text differently in every kernel."""
    digits = Digits(torch.rand(4, 1, 28, 28), torch.arange(4), "random numbers")
    for seed in ("a", None, 0.5):
        words = ["seed should be a whole number"]
        refused(TypeError, words, CorruptedDigits, digits, fresh=True, seed=seed)


PRINTED = {
    "PSNR 12.89 ± 0.02 dB, -3 to 1e-05": [12.89, 0.02, -3, 1e-05],
    "44,081 parameters, 64x3x3, notebook_01": [44081, 64],
    "median 16.81 dB  0.09 ms": [16.81],
    "A smoke run in Jupyter on cpu, PyTorch 2.6.0.\nMSE 0.5": [0.5],
    "Data: 4000 digits\none by one: 3 µs\nat once: 2 µs, 30 times faster": [],
}


def printing(text):
    output = nbformat.v4.new_output("stream", name="stdout", text=text)
    return nbformat.v4.new_code_cell(outputs=[output])


def test_numbers_of_a_cell_and_differences_are_seen():
    for text, expected in PRINTED.items():
        assert numbers(printing(text)) == expected, text
    cell = printing("PSNR 12.89")
    assert differences(cell, [12.9]) == []
    assert differences(cell, [12.0]) != [] and differences(cell, [12.89, 1.0]) != []
