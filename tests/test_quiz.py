"""Quizzes: every answer has a reason, nothing is fetched, and without a script text is shown."""

import re

import pytest
from IPython.core.interactiveshell import InteractiveShell
from notebook_checks import NOTEBOOKS, code_cells, read, tags

from dae_helpers.classroom import quiz
from dae_helpers.classroom.quiz import QUIZZES, show_quiz

by_name = pytest.mark.parametrize("name", QUIZZES)


@pytest.fixture
def shown(monkeypatch):
    """What was displayed, as in a notebook: a list of bundles."""
    InteractiveShell.instance().kernel = "a kernel"  # jupyterquiz's output is captured through it
    bundles = []
    monkeypatch.setattr(quiz, "display", lambda bundle, raw: bundles.append(bundle))
    yield bundles
    InteractiveShell.clear_instance()


def test_every_notebook_has_three_to_five_questions():
    assert set(QUIZZES) >= {path.stem for path in NOTEBOOKS}
    assert all(3 <= len(questions) <= 5 for questions in QUIZZES.values())


@by_name
def test_every_answer_has_a_reason(name):
    for question in QUIZZES[name]:
        answers = question["answers"]
        assert len(answers) >= 3
        assert [a["correct"] for a in answers].count(True) == 1
        assert len({a["answer"] for a in answers}) == len(answers)
        for answer in answers:
            verdict, reason = answer["feedback"].split(" ", 1)
            assert verdict == ("Right." if answer["correct"] else "No.")
            assert len(reason) > 20


@by_name
def test_no_formula_and_no_markup(name):
    for question in QUIZZES[name]:
        texts = [question["question"]]
        texts += [text for a in question["answers"] for text in (a["answer"], a["feedback"])]
        assert not re.search(r"[$<>&\\`]|\]\(", " ".join(texts))


@by_name
def test_text_without_javascript_holds_everything(name, shown, monkeypatch):
    monkeypatch.setattr(quiz, "display_quiz", None)
    show_quiz(name)
    ((page, plain),) = [(bundle["text/html"], bundle["text/plain"]) for bundle in shown]
    assert plain
    assert "<script" not in page and "<style" not in page
    page = page.replace("&#x27;", "'")
    assert page.count("<details>") == len(QUIZZES[name])
    for question in QUIZZES[name]:
        assert question["question"] in page
        assert all(a["answer"] in page and a["feedback"] in page for a in question["answers"])


@by_name
def test_live_quiz_is_text_first_and_fetches_nothing(name, shown):
    show_quiz(name)
    text, marker, live = shown[0]["text/html"].partition("<!-- live")
    assert marker and text.count("<details>") == len(QUIZZES[name])
    assert "<script" not in text
    (script,) = re.findall(r"<script>(.*)</script>", live, flags=re.DOTALL)
    assert script.startswith("(function () {\nvar MathJax;"), "jupyterquiz must find no MathJax"
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", live)


@pytest.mark.parametrize("shell", [None, object()], ids=["Python", "IPython"])
def test_a_script_goes_on_after_one_line(shell, shown, monkeypatch, capsys):
    monkeypatch.setattr(quiz, "get_ipython", lambda: shell)
    show_quiz("02_noise")
    (line,) = capsys.readouterr().out.splitlines()
    assert "02_noise" in line and "notebook" in line and shown == []


def test_unknown_quiz_is_named():
    with pytest.raises(ValueError, match="no quiz '99'.*01_autoencoders"):
        show_quiz("99")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_stored_quiz_is_in_step_with_the_questions(path, shown):
    (cell,) = [cell for _, cell in code_cells(read(path)) if "quiz" in tags(cell)]
    show_quiz(path.stem)
    assert cell.outputs[0].data["text/html"] == shown[0]["text/html"].partition("<!-- live")[0]
