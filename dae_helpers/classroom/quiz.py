"""Quick questions with instant feedback; without JavaScript they show with folded answers."""

import html
import json
from pathlib import Path

from IPython import get_ipython
from IPython.display import display
from IPython.utils.capture import capture_output

try:
    from jupyterquiz import display_quiz
except ImportError:  # Colab, for one; the folded answers are still there
    display_quiz = None

__all__ = ["QUIZZES", "show_quiz"]

QUIZZES = json.loads(Path(__file__).with_name("quizzes.json").read_text(encoding="utf-8"))
LIVE = "<!-- live: not kept in a saved notebook -->"
COLOURS = {
    "--jq-multiple-choice-bg": "#0072B2",
    "--jq-correct-color": "#00805c",
    "--jq-incorrect-color": "#c04a00",
}


def show_quiz(name: str) -> None:
    """Show the quiz of a notebook, such as ``"02_noise"``, whose questions are in quizzes.json.

    jupyterquiz draws it. Until its script has run, and wherever none runs, the questions stand
    there as text, each with a folded answer. A plain Python script shows nothing but a line. Raises
    ``ValueError`` if there is no such quiz.
    """
    if name not in QUIZZES:
        raise ValueError(f"there is no quiz {name!r}; quizzes: {', '.join(QUIZZES)}")
    text = _as_text(QUIZZES[name])
    if not hasattr(get_ipython(), "kernel"):
        print(f"a quiz, {name}: it shows in a notebook")
        return
    if display_quiz:
        text = f'<div id="quiz-{name}-text">{text}</div>{LIVE}{_live(name)}'
    display({"text/html": text, "text/plain": f"a quiz: {name}"}, raw=True)


def _as_text(questions: list[dict]) -> str:
    """Questions in HTML, each with its choices, a folded answer, and a reason for every choice."""
    items = []
    for question in questions:
        right = [a["answer"] for a in question["answers"] if a["correct"]]
        choices = " / ".join(sorted(html.escape(a["answer"]) for a in question["answers"]))
        reasons = "".join(
            f"<li>{html.escape(a['answer'])}: {html.escape(a['feedback'])}</li>"
            for a in question["answers"]
        )
        items.append(
            f"<li>{html.escape(question['question'])}<br><i>{choices}</i>"
            f"<details><summary>Answer</summary><b>{html.escape(right[0])}</b>"
            f"<ul>{reasons}</ul></details></li>"
        )
    return f"<ol>{''.join(items)}</ol>"


def _live(name: str) -> str:
    """What jupyterquiz displays, as one piece of HTML that fetches nothing from the network."""
    with capture_output() as captured:
        display_quiz(QUIZZES[name], colors=COLOURS, max_width=700)
    page, script = (output.data for output in captured.outputs)
    page, script = page["text/html"], script["application/javascript"]
    drawn = page.partition('id="')[2].partition('"')[0]
    # jupyterquiz would load MathJax from a content network if it finds another one, as in
    # JupyterLab. Ours has no formulas: a variable of the same name keeps it from looking.
    return f"""{page}</div>
<script>(function () {{
var MathJax;
{script}
(function tidy() {{
  const quiz = document.getElementById("{drawn}");
  if (!quiz || !quiz.querySelector(".Quiz")) return setTimeout(tidy, 100);
  document.getElementById("quiz-{name}-text").remove();
  quiz.querySelectorAll("input").forEach((e) => {{ e.dataset.lmSuppressShortcuts = "true"; }});
  quiz.querySelectorAll(".Feedback").forEach((e) => {{ e.ariaLive = "polite"; }});
}})();
}})();</script>"""
