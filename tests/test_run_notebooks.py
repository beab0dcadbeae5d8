"""The script that executes notebooks: what it keeps, what it takes out, where it stops."""

import csv
import subprocess
import sys

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from notebook_checks import ROOT, WIDGET_VIEW
from run_notebooks import execute, read, terminal_line

PROGRESS = """import sys, time
for i in range(3):
    print(f"\\r{i} of 3 steps, 9.1it/s", end="", file=sys.stdout)
    time.sleep(0.01)
print("\\rdone")"""
CLOSED_BAR = 'print("\\r 50%|###  |", end=""); print("\\r          \\r", end="")'
EXPLORER = f"""from IPython.display import display
view = {{"model_id": "1"}}
display({{"{WIDGET_VIEW}": view, "image/png": "AAAA", "text/plain": "a"}}, raw=True)"""
LIVE = """from IPython.display import display
for before in ("text", ""):
    display({"text/html": before + "<!-- live -->1", "text/plain": "a"}, raw=True)"""
WIDGET = "import ipywidgets; display(ipywidgets.IntSlider(), exclude=['text/plain'])"


def make(folder, *sources):
    path = folder / "nb.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), path)
    return path


def run(path, *options):
    command = [sys.executable, str(ROOT / "tools" / "run_notebooks.py"), *map(str, options)]
    return subprocess.run([*command, str(path)], capture_output=True, text=True)


def test_scripts_for_a_live_page_are_not_kept(tmp_path):
    path = make(tmp_path, LIVE)
    assert run(path).returncode == 0
    assert [output.data["text/html"] for output in read(path).cells[0].outputs] == ["text"]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain ", "plain "),
        ("\r 10%|#\r100%|#####", "100%|#####"),
        ("\rlong line\rdone", "done line"),
        ("\r 10%|#\r       \r", ""),
        ("\r 10%|#\r       \rnext", "next"),
    ],
)
def test_terminal_line(line, shown):
    assert terminal_line(line) == shown


def test_executed_in_place_and_cleaned(tmp_path):
    sources = [PROGRESS, CLOSED_BAR, EXPLORER, WIDGET, "import os; print(os.environ['DAE_RUN'])"]
    path = make(tmp_path, *sources, "print(os.getcwd())")
    result = run(path, "--run", "full", "--times", tmp_path / "times.csv")
    assert result.returncode == 0, result.stderr
    nb = read(path)
    text = [[output.get("text") for output in cell.outputs] for cell in nb.cells]
    assert "it/s" not in text[0][0] and text[0][0].startswith("done")
    assert text[1] == []
    assert set(nb.cells[2].outputs[0].data) == {"image/png", "text/plain"}
    assert text[4:] == [["full\n"], [f"{tmp_path}\n"]]
    assert [cell.execution_count for cell in nb.cells] == [1, 2, 3, 4, 5, 6]
    assert all("execution" not in cell.metadata for cell in nb.cells)
    assert set(nb.metadata) == {"kernelspec", "language_info", "rise"}
    assert list(nb.metadata.language_info) == ["name"]
    [row] = csv.DictReader((tmp_path / "times.csv").open())
    assert (row["notebook"], row["run"]) == ("nb.ipynb", "full") and float(row["seconds"]) > 0


def test_stops_at_the_first_failing_cell_and_leaves_the_file(tmp_path):
    path = make(tmp_path, "print('before')", "1 / 0", "print('after')")
    before = path.read_bytes()
    result = run(path)
    assert result.returncode == 1
    for part in ("nb.ipynb", "cell 2 of 3", "1 / 0", "ZeroDivisionError"):
        assert part in result.stderr
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_dead_kernel_is_a_failing_cell(tmp_path):
    result = run(make(tmp_path, "a = 1", "import os; os._exit(1)"))
    assert result.returncode == 1 and "cell 2 of 2" in result.stderr


def test_out_leaves_the_original(tmp_path):
    path = make(tmp_path, "1 + 1")
    before = path.read_bytes()
    assert run(path, "--out", tmp_path / "out").returncode == 0
    assert path.read_bytes() == before
    assert read(tmp_path / "out" / "nb.ipynb").cells[0].outputs[0].data["text/plain"] == "2"


def test_no_kernel_is_left_behind():
    nb = new_notebook(cells=[new_code_cell("1 + 1")])
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    execute(nb, ROOT)
    after = {process.pid for process in psutil.Process().children(recursive=True)}
    assert after <= before
