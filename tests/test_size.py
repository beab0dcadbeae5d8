"""The helper stays thin, in lines of code: no docstrings, comments or blank lines counted."""

import ast

from notebook_checks import ROOT

PACKAGE = ROOT / "dae_helpers"
READ_IN_CLASS = ("layers", "noise", "training")


def lines_of_code(path):
    source = path.read_text(encoding="utf-8")
    docstrings = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(
            node
        ):
            docstrings |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") and number not in docstrings
        for number, line in enumerate(source.splitlines(), 1)
    )


def test_lines_of_code():
    lines = {path.stem: lines_of_code(path) for path in sorted(PACKAGE.glob("*.py"))}
    classroom = {p.stem: lines_of_code(p) for p in sorted((PACKAGE / "classroom").glob("*.py"))}
    for name, count in [*lines.items(), *((f"classroom/{n}", c) for n, c in classroom.items())]:
        print(f"{name:<24}{count:5}")
    assert sum(lines[name] for name in READ_IN_CLASS) <= 290
    assert sum(lines.values()) <= 950
    exercises = {name: count for name, count in classroom.items() if name.startswith("exercises_")}
    assert max(exercises.values()) <= 120, "a module a notebook, about 100 lines each"
