"""Store the figures of a smoke run: ``python tools/smoke_figures.py`` (``make smoke-figures``).

The numbers that each cell prints, cell id -> numbers, in ``tests/smoke_figures.json``. A test runs
the notebooks and compares. Store them again when a notebook, a recipe or a shipped file changes.
"""

import json
import os
import re
import tempfile
from pathlib import Path

from nbformat import NotebookNode
from run_notebooks import execute, read, terminal_line

ROOT = Path(__file__).resolve().parent.parent
STORED = ROOT / "tests" / "smoke_figures.json"
TIMES = re.compile(r"[\d.,]+ (?:ms|µs|s|times faster)\b|one by one:.*|at once:.*")
SKIPPED = ("A smoke run", "Data:", "Downloading")
NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*\.?\d*(?:e[+-]?\d+)?")


def said(cell: NotebookNode) -> str:
    """What a cell printed, without progress bars, times and the lines about the run."""
    texts = [output.text for output in cell.outputs if output.output_type == "stream"]
    lines = [terminal_line(line) for line in "".join(texts).split("\n")]
    kept = [line for line in lines if line and not line.startswith(SKIPPED)]
    return "\n".join(TIMES.sub("...", line) for line in kept)


def numbers(cell: NotebookNode) -> list[float]:
    """All numbers in what a cell printed."""
    return [float(found.replace(",", "")) for found in NUMBER.findall(said(cell))]


def code_cells(nb: NotebookNode) -> list[NotebookNode]:
    """The code cells."""
    return [cell for cell in nb.cells if cell.cell_type == "code"]


def main() -> None:
    """Run every notebook from the embedded digits, without a download, and store its numbers."""
    figures = {}
    with tempfile.TemporaryDirectory() as empty:
        cut = str(ROOT / "tests" / "offline")
        os.environ |= {"DAE_RUN": "smoke", "DAE_DATA": empty, "PYTHONPATH": cut}
        for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
            nb = read(path)
            execute(nb, path.parent)
            found = {cell.id: numbers(cell) for cell in code_cells(nb)}
            figures[path.name] = {name: row for name, row in found.items() if row}
            print(path.name, sum(map(len, figures[path.name].values())), "numbers")
    rows = [
        f" {json.dumps(name)}: {{\n"
        + ",\n".join(f"  {json.dumps(cell)}: {json.dumps(row)}" for cell, row in cells.items())
        + "\n }"
        for name, cells in figures.items()
    ]
    STORED.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
