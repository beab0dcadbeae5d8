"""The script that executes notebooks: what it keeps, what it takes out, where it stops."""

import csv
import sys

import nbformat
import psutil
import pytest
import run_notebooks
from nbformat.v4 import new_code_cell, new_notebook, new_output
from notebook_checks import WIDGET_VIEW
from run_notebooks import read

PROGRESS = """import sys, time
for i in range(3):
    print(f"\\r{i} of 3 steps, 9.1it/s", end="", file=sys.stdout)
    time.sleep(0.01)
print("\\rdone")"""
CLOSED_BAR = 'print("\\r 50%|###  |", end=""); print("\\r          \\r", end="")'
BAR_AT_THE_END = f'print("kept"); {CLOSED_BAR}'
EXPLORER = f"""from IPython.display import display
view = {{"model_id": "1"}}
display({{"{WIDGET_VIEW}": view, "image/png": "AAAA", "text/plain": "a"}}, raw=True)"""
WIDGET = "import ipywidgets; display(ipywidgets.IntSlider(), exclude=['text/plain'])"
LIVE = """for before in ("text", ""):
    display({"text/html": before + "<!-- live -->1", "text/plain": "a"}, raw=True)"""
WHERE = "import os; print(os.environ['DAE_RUN'], os.getcwd())"


def make(folder, *sources):
    path = folder / "nb.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), path)
    return path


@pytest.fixture
def run(monkeypatch):
    """The script with these arguments; gives its exit status."""
    monkeypatch.setenv("DAE_RUN", "smoke")

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["run_notebooks.py", *map(str, arguments)])
        return run_notebooks.main()

    return call


def test_executed_in_place_and_cleaned(run, tmp_path):
    path = make(tmp_path, PROGRESS, CLOSED_BAR, EXPLORER, WIDGET, LIVE, WHERE, BAR_AT_THE_END)
    before = set(psutil.Process().children(recursive=True))
    assert run("--run", "full", "--times", tmp_path / "times.csv", path) == 0
    assert set(psutil.Process().children(recursive=True)) <= before, "a kernel is left behind"
    nb = read(path)
    text = [[output.get("text") for output in cell.outputs] for cell in nb.cells]
    assert "it/s" not in text[0][0] and text[0][0].startswith("done")
    assert text[1] == []
    assert set(nb.cells[2].outputs[0].data) == {"image/png", "text/plain"}
    assert [output.data["text/html"] for output in nb.cells[4].outputs] == ["text"]
    assert text[5:] == [[f"full {tmp_path}\n"], ["kept\n"]]
    assert [cell.execution_count for cell in nb.cells] == [1, 2, 3, 4, 5, 6, 7]
    assert all("execution" not in cell.metadata for cell in nb.cells)
    assert set(nb.metadata) == {"kernelspec", "language_info", "rise"}
    assert list(nb.metadata.language_info) == ["name"]
    [row] = csv.DictReader((tmp_path / "times.csv").open())
    assert (row["notebook"], row["run"]) == ("nb.ipynb", "full") and float(row["seconds"]) > 0


@pytest.mark.parametrize(
    ("failing", "said"), [("1 / 0", "ZeroDivisionError"), ("import os; os._exit(1)", "DeadKernel")]
)
def test_stops_at_the_first_failing_cell_and_leaves_the_file(run, tmp_path, capsys, failing, said):
    path = make(tmp_path, "print('before')", failing, "print('after')")
    before = path.read_bytes()
    assert run(path) == 1
    error = capsys.readouterr().err
    for part in ("nb.ipynb", "cell 2 of 3", failing, said, "was not written"):
        assert part in error
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_out_leaves_the_original(run, tmp_path, monkeypatch):
    def execute(nb, folder):
        nb.cells[0].outputs = [new_output("stream", text=f"{folder}")]

    monkeypatch.setattr(run_notebooks, "execute", execute)
    path = make(tmp_path, "1 + 1")
    before = path.read_bytes()
    assert run("--out", tmp_path / "out", path) == 0
    assert path.read_bytes() == before
    assert read(tmp_path / "out" / "nb.ipynb").cells[0].outputs[0].text == str(tmp_path)
