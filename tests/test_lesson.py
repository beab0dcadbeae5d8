"""The claims of the prose: ``assert`` statements in cells tagged ``claims``, held by a lesson run.

A lesson run that comes through has held every claim. Here it is from the embedded digits; `make
notebooks` does the same from the full MNIST.
"""

import ast
import csv
import subprocess
import sys

import pytest
from notebook_checks import NOTEBOOKS, ROOT, code_cells, outputs, read, tags, texts

by_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


def claims(path):
    """The assert statements in the cells tagged claims."""
    cells = [cell for _, cell in code_cells(read(path)) if "claims" in tags(cell)]
    nodes = [node for cell in cells for node in ast.walk(ast.parse(cell.source))]
    return [node for node in nodes if isinstance(node, ast.Assert)]


@by_notebook
def test_notebook_has_claims(path):
    assert len(claims(path)) >= 2, "at least 2 assert statements in cells tagged claims expected"
    silent = [node.lineno for node in claims(path) if node.msg is None]
    assert not silent, f"asserts without a message, in these lines of their cells: {silent}"


@pytest.fixture(scope="module")
def times(tmp_path_factory):
    """A file that collects the times; at the end they are printed as a table."""
    file = tmp_path_factory.mktemp("times") / "times.csv"
    yield file
    rows = list(csv.DictReader(file.open())) if file.exists() else []
    print(f"\n\n{'lesson run, embedded digits':<32}{'seconds':>8}")
    for row in rows:
        print(f"{row['notebook']:<32}{row['seconds']:>8}")
    print(f"{'all':<32}{sum(float(row['seconds']) for row in rows):8.1f}")


@pytest.mark.slow
@by_notebook
def test_claims_hold_from_embedded_digits(path, tmp_path, times):
    command = [sys.executable, str(ROOT / "tools" / "run_notebooks.py"), "--run", "lesson"]
    result = subprocess.run(
        [*command, "--out", str(tmp_path), "--times", str(times), str(path)],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    print(result.stdout.splitlines()[0])
    executed = read(tmp_path / path.name)
    if any("load_mnist(" in cell.source for _, cell in code_cells(executed)):
        said = " ".join(text for _, output in outputs(executed) for text in texts(output))
        assert "embedded MNIST digits" in said
