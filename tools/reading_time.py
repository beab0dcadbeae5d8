"""Print how long notebooks take to read and to try: ``python tools/reading_time.py``.

110 words a minute, code included, and 5 to 10 minutes an exercise. Words are those for the learner:
no notes for the lecturer, no references. Lines of code are those on the way, without set-up,
checks, solutions and claims.
"""

import re
import sys
from pathlib import Path

from nbformat import NotebookNode
from run_notebooks import read

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
WORDS_A_MINUTE, AN_EXERCISE = 110, (5, 10)
NOT_READ = {"colab", "setup", "check", "claims", "solution", "explorer", "stub", "quiz"}


def measure(nb: NotebookNode) -> dict[str, int]:
    """Words, lines of code, exercises, the minutes they imply (low, high), and those stated."""
    text = "\n".join(
        cell.source
        for cell in nb.cells
        if cell.cell_type == "markdown"
        and cell.metadata.get("slideshow", {}).get("slide_type") != "notes"
        and "## References" not in cell.source
    )
    code = [
        cell.source
        for cell in nb.cells
        if cell.cell_type == "code" and not NOT_READ & set(cell.metadata.get("tags", []))
    ]
    words = len(re.findall(r"[A-Za-z][\w'-]*", text))
    exercises = len(re.findall(r"(?m)^### Exercise", text))
    low, high = (round(words / WORDS_A_MINUTE + exercises * minutes) for minutes in AN_EXERCISE)
    stated = re.search(r"\*\*Time:\*\* about (\d+) minutes", text)
    return {
        "words": words,
        "code": sum(bool(line.strip()) for source in code for line in source.splitlines()),
        "exercises": exercises,
        "low": low,
        "high": high,
        "stated": int(stated[1]) if stated else 0,
    }


def main() -> int:
    """Print a row for each notebook."""
    print(f"{'notebook':<30}{'words':>7}{'code':>6}{'exercises':>11}{'minutes':>10}{'stated':>8}")
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        row = measure(read(path))
        minutes = f"{row['low']} to {row['high']}"
        print(f"{path.name:<30}{row['words']:7,}{row['code']:6}{row['exercises']:11}", end="")
        print(f"{minutes:>10}{row['stated']:8}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
