"""Every notebook keeps to the template and is committed clean; the checks see what is broken."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from notebook_checks import CHECKS, MOST_BYTES, NOTEBOOKS, ROOT, WIDGET_VIEW, good_notebook, read
from set_home import with_badge

GOOD = ROOT / "notebooks" / "good.ipynb"  # does not exist; its links start here


def run_check(check, nb, path):
    return [f"{path.name}, {check.__name__}: {problem}" for problem in check(nb, path)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook(path):
    nb = read(path)
    problems = [problem for check in CHECKS for problem in run_check(check, nb, path)]
    assert not problems, "\n".join(problems)


def test_good_notebook_has_no_problem():
    assert [problem for check in CHECKS for problem in check(good_notebook(), GOOD)] == []


def replace(nb, old, new):
    """Replace text in all Markdown and code cells."""
    for cell in nb.cells:
        cell.source = cell.source.replace(old, new)


def printed(nb, text, name="stdout"):
    nb.cells[3].outputs.append(new_output("stream", name=name, text=text))


def solution(nb):
    return next(cell for cell in nb.cells if "solution" in cell.metadata.get("tags", []))


def swap_stub_and_check(nb):
    nb.cells[12], nb.cells[13] = nb.cells[13], nb.cells[12]


def quiz_script(nb):
    nb.cells[7].outputs[0].data["text/html"] += "<script>1</script>"


def store_widget(nb):
    nb.cells[3].outputs.append(new_output("display_data", {WIDGET_VIEW: {"model_id": "1"}}))


def error(nb):
    nb.cells[3].outputs.append(new_output("error", ename="OSError", evalue="", traceback=[]))


def slide(nb, i, kind):
    nb.cells[i].metadata["slideshow"] = {"slide_type": kind}


def crowd(nb):
    for i in range(2, 9):
        slide(nb, i, "-")


def long_code(nb):
    nb.cells[5].update(source="a = 1\n" * 19, outputs=[])
    slide(nb, 5, "-")


BREAKS = {
    "no id": (lambda nb: nb.cells[0].pop("id"), "has no id"),
    "same id": (lambda nb: nb.cells[0].update(id=nb.cells[1].id), "not unique"),
    "no valid cell": (lambda nb: nb.cells[3].update(execution_count="1"), "not valid"),
    "two titles": (lambda nb: nb.cells.append(new_markdown_cell("# Another")), "only title"),
    "another badge": (
        lambda nb: nb.cells[0].update(
            source=with_badge(nb.cells[0].source, "jane/course", "main", "bad.ipynb")
        ),
        "Colab badge",
    ),
    "no recap": (lambda nb: replace(nb, "## Recap", "Recap"), "heading missing: ## Recap"),
    "no time": (lambda nb: replace(nb, "Time", "Tide"), "not told at the top: Time"),
    "too short a time": (lambda nb: replace(nb, "about 30", "about 10"), "21 to 41 are implied"),
    "too many words": (
        lambda nb: replace(nb, "Think.", "word " * 900),
        "words for the learner, at most 3200",
    ),
    "no prerequisites": (lambda nb: replace(nb, "Prereq", "Req"), "at the top: Prerequisites"),
    "two objectives": (lambda nb: replace(nb, "- c\n", "\n"), "3 to 5 objectives"),
    "six objectives": (lambda nb: replace(nb, "- c", "- c\n- d\n- e\n- f"), "3 to 5 objectives"),
    "two prompts": (lambda nb: replace(nb, "**Predict:** c", "c"), "at least 3 **Predict**"),
    "no setup": (lambda nb: nb.cells[3].metadata.update(tags=[]), "the next setup"),
    "no Colab cell": (lambda nb: nb.cells.pop(2), "the tags colab and setup"),
    "two Colab cells": (lambda nb: nb.cells.append(nb.cells[2]), "more than one cell"),
    "Colab cell of 13 lines": (lambda nb: nb.cells[2].update(source="a = 1\n" * 13), "13 lines"),
    "no explorer": (lambda nb: nb.cells[9].metadata.update(tags=[]), "tag explorer"),
    "no quiz": (lambda nb: replace(nb, 'show_quiz("good")', 'show_quiz("bad")'), "show_quiz"),
    "quiz not run": (lambda nb: nb.cells[7].update(outputs=[]), "no folded answers"),
    "quiz script": (quiz_script, "holds a script"),
    "three exercises": (lambda nb: replace(nb, "### Exercise 4", "Exercise 4"), "at least 4"),
    "numbers": (lambda nb: replace(nb, "### Exercise 4", "### Exercise 5"), "numbered from 1"),
    "order": (swap_stub_and_check, "exercise 1 should be stub"),
    "no hint": (lambda nb: nb.cells[14].update(source="Think."), "exercise 1 should be stub"),
    "shown": (lambda nb: solution(nb).metadata.pop("jupyter"), "source_hidden"),
    "no form": (lambda nb: solution(nb).metadata.pop("cellView"), "cellView"),
    "no title": (lambda nb: replace(nb, "# @title Solution 1", "# Solution 1"), "# @title"),
    "16 lines": (lambda nb: nb.cells[12].update(source="a = 1\n\n# b\n" * 16), "16 lines"),
    "26 lines": (lambda nb: solution(nb).update(source="a = 1\n" * 26), "26 lines"),
    "not in order": (lambda nb: nb.cells[3].update(execution_count=7), "execution counts"),
    "not run": (lambda nb: nb.cells.append(new_code_cell("a = 1")), "execution counts"),
    "error": (error, "ends with an error: OSError"),
    "stderr": (lambda nb: printed(nb, "UserWarning: old", "stderr"), "wrote to stderr"),
    "speed": (lambda nb: printed(nb, "10 [00:01, 9.1it/s]"), "debris 'it/s'"),
    "address": (lambda nb: printed(nb, "<Legend at 0x7fb5>"), "debris ' at 0x'"),
    "bar": (lambda nb: printed(nb, " 50%|#####     |"), "debris '%|'"),
    "return": (lambda nb: printed(nb, "1\r2"), "debris '\\r'"),
    "widget": (store_widget, "a widget view is stored"),
    "states": (lambda nb: nb.metadata.update(widgets={}), "widget states"),
    "path": (lambda nb: printed(nb, "see /home/me/data"), "machine path '/home/'"),
    "Windows path": (lambda nb: printed(nb, r"see C:\data"), r"machine path 'C:\\'"),
    "size": (lambda nb: printed(nb, "a" * MOST_BYTES), "bytes, less than"),
    "no prose": (lambda nb: nb.cells.insert(6, new_code_cell("")), "next cell is not text"),
    "no alt": (lambda nb: nb.cells[5].outputs[0].metadata.clear(), "no alt text"),
    "dead link": (lambda nb: replace(nb, "../LICENSE", "../LICENCE"), "dead link: ../LICENCE"),
    "dead picture": (lambda nb: replace(nb, "Do it.", '<img src="a.png">'), "dead link: a.png"),
    "relative picture": (
        lambda nb: replace(nb, "Do it.", "![](../denoising_models/denoise.png)"),
        "does not show in Colab",
    ),
    "no slide type": (lambda nb: nb.cells[3].metadata.clear(), "cell 4 has no slide type"),
    "no such type": (lambda nb: slide(nb, 3, "sub-slide"), "cell 4 has no slide type"),
    "no first slide": (lambda nb: slide(nb, 0, "skip"), "first cell should be a slide"),
    "solution shown": (lambda nb: slide(nb, 15, "fragment"), "(solution) should not be on a slide"),
    "crowded slide": (crowd, "one too many on its slide"),
    "code on a slide": (long_code, "puts 19 lines of code on a slide"),
    "few notes": (lambda nb: nb.cells.pop(), "notes for the lecturer expected, it has 4"),
    "open notes": (lambda nb: nb.cells[-1].update(source="Ask."), "notes should be folded"),
    "embedded": (lambda nb: nb.cells[3].update(outputs=[]), "no output says"),
}


def test_every_broken_notebook_is_named_and_every_check_can_fail():
    failing = set()
    for name, (break_it, problem) in BREAKS.items():
        nb = good_notebook()
        break_it(nb)
        found = {check.__name__: check(nb, GOOD) for check in CHECKS}
        assert any(problem in one for problems in found.values() for one in problems), (name, found)
        failing |= {check for check, problems in found.items() if problems}
    assert failing == {check.__name__ for check in CHECKS}


def test_read_repairs_nothing(tmp_path):
    nb = good_notebook()
    del nb.cells[0]["id"]
    (tmp_path / "a.ipynb").write_text(nbformat.v4.writes_json(nb), encoding="utf-8")
    assert "id" not in read(tmp_path / "a.ipynb").cells[0]
