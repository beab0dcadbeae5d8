"""docs/reliability.md: every row names a test that exists and that checks the quoted message."""

import ast
import re

import pytest
from fault_table import TABLE, Row, matches, rows
from notebook_checks import ROOT

ROWS = rows()
WHAT = ("Network", "Disk", "Weights", "Training", "Notebooks", "Colab", "Input", "Repeatability")
WHAT += ("Security",)


def test_the_table_is_there():
    text = TABLE.read_text(encoding="utf-8")
    parts = re.findall(r"^## (.+)$", text, flags=re.MULTILINE)
    assert parts == list(WHAT)
    assert len(ROWS) == sum(line.startswith("| ") for line in text.splitlines()) - len(WHAT)


def function(name):
    """The function of a test, or None; its parameters in brackets are left out."""
    path, _, test = name.partition("::")
    if not (ROOT / path).exists():
        return None
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return next(
        (
            node
            for node in tree.body
            if isinstance(node, ast.FunctionDef) and node.name == test.partition("[")[0]
        ),
        None,
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.fault[:40])
def test_row(row):
    for name in row.tests:
        test = function(name)
        assert test is not None, f"there is no {name}"
        takes = [argument.arg for argument in test.args.args]
        assert ("quoted" in takes) == bool(row.quotes), f"{name}: quoted in the table, or checked"


def test_quotes_are_found_and_compared():
    row = Row("a", "`x … (y)` and `z`", [])
    assert row.quotes == ["x … (y)", "z"]
    assert matches("x … (y)", "x 1\n2 (y)")
    assert not matches("x … (y)", "x 1 (y).") and not matches("x … (y)", "an x 1 (y)")


def test_every_test_that_checks_a_message_has_a_row():
    named = {name.partition("[")[0] for row in ROWS for name in row.tests}
    for path in ROOT.glob("tests/test_*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and "quoted" in {a.arg for a in node.args.args}:
                assert f"tests/{path.name}::{node.name}" in named
