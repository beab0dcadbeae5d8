"""docs/reliability.md: every row names a test that exists and that checks the quoted message."""

import ast
import functools

from fault_table import TABLE, Row, matches, rows
from notebook_checks import ROOT

ROWS = rows()


def test_every_line_of_the_tables_is_read():
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if line.startswith("| ") and not line.startswith("| fault |")]
    assert len(ROWS) == len(lines) > 50


@functools.cache
def functions_of(path):
    """The tests in a file: name -> the names of what they take."""
    if not (ROOT / path).exists():
        return {}
    functions = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    functions = [node for node in functions if isinstance(node, ast.FunctionDef)]
    return {node.name: {argument.arg for argument in node.args.args} for node in functions}


def row_problems(row):
    """What is wrong with a row: a test that is not there, or a message that is not checked."""
    found = []
    for name in row.tests:
        path, _, test = name.partition("::")
        takes = functions_of(path).get(test.partition("[")[0])
        if takes is None:
            found.append(f"{row.fault}: there is no {name}")
        elif ("quoted" in takes) != bool(row.quotes):
            found.append(f"{row.fault}: quoted in the table, or checked in {name}, but not both")
    return found


def test_every_row_names_its_tests():
    assert [problem for row in ROWS for problem in row_problems(row)] == []
    there = "tests/test_reliability.py::test_every_row_names_its_tests"
    for row in (Row("a", "b", [f"{there}_not"]), Row("a", "`b`", [there])):
        assert len(row_problems(row)) == 1


def test_quotes_are_found_and_compared():
    row = Row("a", "`x … (y)` and `z`", [])
    assert row.quotes == ["x … (y)", "z"]
    assert matches("x … (y)", "x 1\n2 (y)")
    assert not matches("x … (y)", "x 1 (y).") and not matches("x … (y)", "an x 1 (y)")


def test_every_test_that_checks_a_message_has_a_row():
    named = {name.partition("[")[0] for row in ROWS for name in row.tests}
    for path in ROOT.glob("tests/test_*.py"):
        for name, takes in functions_of(f"tests/{path.name}").items():
            assert "quoted" not in takes or f"tests/{path.name}::{name}" in named, name
