"""What every notebook of the course must keep to: functions that return a list of problems."""

import base64
import re
import tomllib
from pathlib import Path

import nbformat
from make_editions import is_note
from make_slides import only_output, slide_type
from nbformat import NotebookNode
from reading_time import measure
from set_home import colab_address, with_badge

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["course"]
HOME, REF = SETTINGS["home"], SETTINGS["ref"]
HEADINGS = (
    "## You will be able to",
    "## Quick questions",
    "## Explore",
    "## Exercises",
    "## Recap",
    "## What comes next",
    "## References",
)
CODE_LINES, MOST_CODE_LINES, COLAB_LINES = 15, 25, 12
LONGER_CELLS = {"setup", "claims", "solution", "explorer", "long"}
SLIDE_TYPES = {"slide", "subslide", "fragment", "skip", "notes", "-"}
NEVER_SHOWN = {"setup", "stub", "check", "solution", "solution-text", "claims"}
MOST_CELLS_ON_A_SLIDE, MOST_LINES_ON_A_SLIDE, LEAST_NOTES = 6, 18, 5
MOST_BYTES, MOST_WORDS = 1_500_000, 3200
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
DEBRIS = ("it/s", "s/it", "%|", "\r", "HBox(", "FloatProgress(", " at 0x")
MACHINE_PATH = re.compile(r"/root/|/work/|/tmp/|/home/|/Users/|site-packages|\.venv|C:\\")
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)[^)]*\)|<(?:img|a)\b[^>]*\b(?:src|href)=[\"']([^\"']+)")

PICTURE = re.compile(r"!\[[^\]]*\]\(\s*<?([^)\s>]+)|<img\b[^>]*\bsrc=[\"']([^\"']+)")


def read(path: Path) -> NotebookNode:
    """The notebook as it is in the file: nothing repaired on the way."""
    return nbformat.v4.reads_json(path.read_text(encoding="utf-8"))


def tags(cell: NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))


def code_cells(nb: NotebookNode) -> list[tuple[str, NotebookNode]]:
    """Code cells, each with its name for messages."""
    return [(f"cell {i}", c) for i, c in enumerate(nb.cells, 1) if c.cell_type == "code"]


def text_cells(nb: NotebookNode) -> list[NotebookNode]:
    """What the reader reads: without the notes for the lecturer."""
    return [cell for cell in nb.cells if cell.cell_type == "markdown" and not is_note(cell)]


def without_code(markdown: str) -> str:
    """Markdown without fenced and inline code."""
    return re.sub(r"```.*?```|`[^`\n]*`", "", markdown, flags=re.DOTALL)


def headings(cell: NotebookNode) -> list[str]:
    if cell.cell_type != "markdown":
        return []
    return [line for line in without_code(cell.source).splitlines() if re.match(r"#+ ", line)]


def texts(output: NotebookNode) -> list[str]:
    """All text in an output; pictures left out."""
    found = [output.get("text", ""), output.get("evalue", ""), *output.get("traceback", [])]
    data = output.get("data", {}).items()
    return found + [str(value) for kind, value in data if not re.match("image/(png|jpeg)", kind)]


def outputs(nb: NotebookNode) -> list[tuple[str, NotebookNode]]:
    return [(name, output) for name, cell in code_cells(nb) for output in cell.outputs]


def check_format(nb: NotebookNode, path: Path) -> list[str]:
    """A valid notebook with unique cell ids."""
    problems = [f"not valid: {e.message[:200]}" for e in nbformat.validator.iter_validate(nb)]
    ids = [cell.get("id") for cell in nb.cells]
    if None in ids:
        problems.append(f"cell {ids.index(None) + 1} has no id")
    return problems + [f"cell id {name} is not unique" for name in set(ids) if ids.count(name) > 1]


def check_title(nb: NotebookNode, path: Path) -> list[str]:
    """One title, in the first cell; the Colab badge of this notebook where there is a home."""
    titles = [line for cell in nb.cells for line in headings(cell) if line.startswith("# ")]
    problems = []
    if len(titles) != 1 or titles[0] not in headings(nb.cells[0]):
        problems.append(f"the first cell should hold the only title (# ...); titles: {titles}")
    links = re.findall(
        r"https://colab\.research\.google\.com/github/[^)\s\"'>]+", nb.cells[0].source
    )
    expected = [colab_address(HOME, REF, path.name)] if HOME else []
    if links != expected:
        problems.append(f"the Colab badge should link to {expected}, it has {links}")
    return problems


def check_headings(nb: NotebookNode, path: Path) -> list[str]:
    """The parts of the template."""
    present = [line for cell in nb.cells for line in headings(cell)]
    return [
        f"heading missing: {heading}"
        for heading in HEADINGS
        if not any(re.match(re.escape(heading) + r"\b", line) for line in present)
    ]


def check_opening(nb: NotebookNode, path: Path) -> list[str]:
    """Prerequisites and time are told at once; three to five objectives."""
    opening = " ".join(cell.source for cell in text_cells(nb)[:2])
    problems = [f"not told at the top: {w}" for w in ("Prerequisites", "Time") if w not in opening]
    part = "\n".join(cell.source for cell in text_cells(nb)).partition(HEADINGS[0])[2]
    objectives = re.findall(r"^(?:[-*]|\d\.) ", part.partition("\n#")[0], flags=re.MULTILINE)
    if not 3 <= len(objectives) <= 5:
        problems.append(f"3 to 5 objectives expected, it has {len(objectives)}")
    return problems


def check_reading_time(nb: NotebookNode, path: Path) -> list[str]:
    """The stated minutes are those that words and exercises imply; 06 and 07 are still too long."""
    row = measure(nb)
    problems = []
    if not row["low"] <= row["stated"] <= row["high"]:
        problems.append(
            f"states {row['stated']} minutes, {row['low']} to {row['high']} are implied"
        )
    if path.name[:2] not in ("06", "07") and row["words"] > MOST_WORDS:
        problems.append(f"{row['words']} words for the learner, at most {MOST_WORDS} expected")
    return problems


def check_predict(nb: NotebookNode, path: Path) -> list[str]:
    count = sum(cell.source.count("**Predict") for cell in text_cells(nb))
    return [] if count >= 3 else [f"at least 3 **Predict** prompts expected, it has {count}"]


def check_quiz(nb: NotebookNode, path: Path) -> list[str]:
    """One quiz, of this notebook; it is stored as text with folded answers, without its script."""
    cells = [cell for _, cell in code_cells(nb) if "quiz" in tags(cell)]
    if len(cells) != 1 or f'show_quiz("{path.stem}")' not in cells[0].source:
        return [f'one cell with the tag quiz and show_quiz("{path.stem}") expected']
    stored = "".join(output.get("data", {}).get("text/html", "") for output in cells[0].outputs)
    problems = [] if "<details>" in stored else ["the stored quiz has no folded answers"]
    return problems + (["the stored quiz holds a script"] if "<script" in stored else [])


def check_tags(nb: NotebookNode, path: Path) -> list[str]:
    """First the cell that fetches the course in Colab, then the set-up; something to play with."""
    cells = [cell for _, cell in code_cells(nb)]
    problems = []
    if [tags(cell) & {"colab", "setup"} for cell in cells[:2]] != [{"colab", "setup"}, {"setup"}]:
        problems.append("the first code cell should have the tags colab and setup, the next setup")
    if sum("colab" in tags(cell) for cell in cells) > 1:
        problems.append("more than one cell has the tag colab")
    if not any("explorer" in tags(cell) for cell in cells):
        problems.append("no cell has the tag explorer")
    return problems


def exercises(nb: NotebookNode) -> dict[int, list[NotebookNode]]:
    """Exercise number -> its cells, up to the next heading of the same or a higher level."""
    found, current = {}, None
    for cell in nb.cells:
        for line in headings(cell):
            if match := re.match(r"### Exercise (\d+)", line):
                current = found.setdefault(int(match[1]), [])
            elif re.match(r"#{1,3} ", line):
                current = None
        if current is not None:
            current.append(cell)
    return found


def part_of_exercise(cell: NotebookNode) -> str | None:
    """stub, check, hint, solution, or None."""
    if cell.cell_type == "markdown":
        return "hint" if "<details>" in cell.source and "Hint" in cell.source else None
    return next((part for part in ("stub", "check", "solution") if part in tags(cell)), None)


def solution_problems(number: int, cell: NotebookNode) -> list[str]:
    """A solution is hidden, in Jupyter and in Colab."""
    problems = []
    if not cell.metadata.get("jupyter", {}).get("source_hidden"):
        problems.append(f"solution {number}: jupyter.source_hidden is not set")
    if cell.metadata.get("cellView") != "form":
        problems.append(f'solution {number}: cellView is not "form"')
    if not cell.source.startswith("# @title Solution"):
        problems.append(f"solution {number}: the first line is not # @title Solution ...")
    return problems


def check_exercises(nb: NotebookNode, path: Path) -> list[str]:
    """Four exercises or more, each with stub, check, hint and hidden solution, in this order."""
    found = exercises(nb)
    problems = []
    if len(found) < 4 or list(found) != list(range(1, len(found) + 1)):
        problems.append(f"at least 4 exercises, numbered from 1, expected; it has {list(found)}")
    for number, cells in found.items():
        parts = [part for part in map(part_of_exercise, cells) if part]
        if parts != ["stub", "check", "hint", "solution"]:
            problems.append(f"exercise {number} should be stub, check, hint, solution: {parts}")
        for cell in cells:
            if part_of_exercise(cell) == "solution":
                problems += solution_problems(number, cell)
    return problems


def check_length(nb: NotebookNode, path: Path) -> list[str]:
    """One idea a cell."""
    problems = []
    for name, cell in code_cells(nb):
        lines = [line.strip() for line in cell.source.splitlines()]
        count = sum(bool(line) and not line.startswith("#") for line in lines)
        most = MOST_CODE_LINES if tags(cell) & LONGER_CELLS else CODE_LINES
        most = COLAB_LINES if "colab" in tags(cell) else most
        if count > most:
            problems.append(f"{name} has {count} lines of code, at most {most} expected")
    return problems


def check_one_run(nb: NotebookNode, path: Path) -> list[str]:
    """Outputs come from one run, top to bottom."""
    counts = [cell.execution_count for _, cell in code_cells(nb) if cell.source.strip()]
    expected = list(range(1, len(counts) + 1))
    return [] if counts == expected else [f"execution counts are not 1 to {len(counts)}: {counts}"]


def check_errors(nb: NotebookNode, path: Path) -> list[str]:
    """No error that is not on purpose, nothing on stderr."""
    problems = []
    for name, cell in code_cells(nb):
        for output in cell.outputs:
            if output.output_type == "error" and "raises-exception" not in tags(cell):
                problems.append(f"{name} ends with an error: {output.ename}")
            if output.get("name") == "stderr":
                problems.append(f"{name} wrote to stderr: {output.text[:80]!r}")
    return problems


def check_debris(nb: NotebookNode, path: Path) -> list[str]:
    """No remains of progress bars, no dead widgets, no addresses of objects."""
    problems = [
        f"{name}: progress-bar debris {debris!r} in the output"
        for name, output in outputs(nb)
        for debris in DEBRIS
        if any(debris in text for text in texts(output))
    ]
    dead = [name for name, output in outputs(nb) if WIDGET_VIEW in output.get("data", {})]
    problems += [f"{name}: a widget view is stored" for name in dead]
    return problems + (["widget states are stored"] if "widgets" in nb.metadata else [])


def check_paths(nb: NotebookNode, path: Path) -> list[str]:
    """No path of the machine that it ran on."""
    return [
        f"{name}: machine path {match[0]!r} in the output"
        for name, output in outputs(nb)
        for text in texts(output)
        if (match := MACHINE_PATH.search(text))
    ]


def check_size(nb: NotebookNode, path: Path) -> list[str]:
    size = len(nbformat.v4.writes_json(nb).encode())
    return [] if size < MOST_BYTES else [f"{size:,} bytes, less than {MOST_BYTES:,} expected"]


def check_figures(nb: NotebookNode, path: Path) -> list[str]:
    """A picture is followed by prose; a drawn one also has alt text."""
    problems = []
    for name, cell in code_cells(nb):
        pictures = [output for output in cell.outputs if "image/png" in output.get("data", {})]
        following = [c for c in nb.cells[nb.cells.index(cell) + 1 :] if not is_note(c)]
        if pictures and (not following or following[0].cell_type != "markdown"):
            problems.append(f"{name} shows a picture, but the next cell is not text")
        for picture in pictures if "drawing" in tags(cell) else []:
            if not picture.metadata.get("image/png", {}).get("alt"):
                problems.append(f"{name}: the drawing has no alt text")
    return problems


def check_links(nb: NotebookNode, path: Path) -> list[str]:
    """Links to files of the repository lead somewhere."""
    problems = []
    for cell in (cell for cell in nb.cells if cell.cell_type == "markdown"):
        text = without_code(cell.source)
        for picture in map("".join, PICTURE.findall(text)):
            if not re.match(r"https?:|data:", picture):
                problems.append(f"a relative picture does not show in Colab: {picture}")
        for link in map("".join, LINK.findall(text)):
            target = link.partition("#")[0]
            if not target or re.match(r"[a-z]+:", target) or path.parent / target == path:
                continue
            if not (path.parent / target).exists():
                problems.append(f"dead link: {link}")
    return problems


def slide_cell_problems(name: str, cell: NotebookNode) -> list[str]:
    """What is wrong with one cell as a part of a slide."""
    kind = cell.metadata.get("slideshow", {}).get("slide_type")
    if kind not in SLIDE_TYPES:
        return [f"{name} has no slide type"]
    if kind == "skip":
        return []
    if kind == "notes":
        folded = re.fullmatch(
            r"<details><summary>For the lecturer</summary>\n\n.+\n\n</details>",
            cell.source,
            flags=re.DOTALL,
        )
        return [] if folded else [f"{name}: notes should be folded under For the lecturer"]
    problems = []
    if tags(cell) & NEVER_SHOWN:
        problems.append(f"{name} ({', '.join(tags(cell))}) should not be on a slide")
    lines = cell.source.splitlines() if cell.cell_type == "code" and not only_output(cell) else []
    if len(lines) > MOST_LINES_ON_A_SLIDE:
        problems.append(f"{name} puts {len(lines)} lines of code on a slide")
    return problems


def check_slides(nb: NotebookNode, path: Path) -> list[str]:
    """Every cell has its place in the deck, slides are small, and the lecturer has notes."""
    problems = [] if slide_type(nb.cells[0]) == "slide" else ["the first cell should be a slide"]
    on_slide = 0
    for i, cell in enumerate(nb.cells, 1):
        problems += slide_cell_problems(f"cell {i}", cell)
        kind = slide_type(cell)
        if kind in ("skip", "notes"):
            continue
        on_slide = 1 if kind in ("slide", "subslide") else on_slide + 1
        if on_slide == MOST_CELLS_ON_A_SLIDE + 1:
            problems.append(f"cell {i} is one too many on its slide")
    count = sum(map(is_note, nb.cells))
    if count < LEAST_NOTES:
        problems.append(f"at least {LEAST_NOTES} notes for the lecturer expected, it has {count}")
    return problems


def check_source(nb: NotebookNode, path: Path) -> list[str]:
    """The committed run is from the full MNIST, and says so."""
    if not any("load_mnist(" in cell.source for _, cell in code_cells(nb)):
        return []
    said = " ".join(text for _, output in outputs(nb) for text in texts(output))
    if "MNIST's training file" in said or "MNIST's test file" in said:
        return []
    return ["no output says that the digits are from MNIST's training or test file"]


CHECKS = [check for name, check in sorted(globals().items()) if name.startswith("check_")]


def good_notebook() -> NotebookNode:
    """A small notebook, not in the course, in which no check finds a problem."""
    text, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell

    def tagged(tag: str, source: str, **metadata) -> NotebookNode:
        return code(source, metadata={"tags": tag.split(), **metadata})

    png = base64.b64encode(b"a picture").decode()
    picture = nbformat.v4.new_output("display_data", {"image/png": png})
    picture.metadata["image/png"] = {"alt": "a picture"}
    said = "Data: 60000 digits from MNIST's training file.\n"
    printed = nbformat.v4.new_output("stream", name="stdout", text=said)
    cells = [
        text(with_badge("# Good\n", HOME, REF, "good.ipynb")),
        text(
            f"{HEADINGS[0]}\n- a\n- b\n- c\n\n**Prerequisites:** none. **Time:** about 30 minutes."
        ),
        tagged("colab setup", "import sys"),
        tagged("setup", "digits = load_mnist()"),
        text("**Predict:** a? **Predict:** b? **Predict:** c? [licence](../LICENSE)"),
        tagged("drawing", "show()"),
        text("It shows a picture.\n\n## Quick questions"),
        tagged("quiz", 'show_quiz("good")'),
        text("## Explore"),
        tagged("explorer", "explore()"),
        text("## Exercises"),
    ]
    for number in range(1, 5):
        hidden = {"jupyter": {"source_hidden": True}, "cellView": "form"}
        cells += [
            text(f"### Exercise {number}\nDo it."),
            tagged("stub", "answer = None"),
            tagged("check", "check(answer)"),
            text("<details><summary>Hint</summary>Think.</details>"),
            tagged("solution", f"# @title Solution {number}\nanswer = 1", **hidden),
        ]
    cells.append(text("\n\n".join(HEADINGS[4:])))
    quiz = nbformat.v4.new_output("display_data", {"text/html": "<details>Answer</details>"})
    cells[3].outputs, cells[5].outputs, cells[7].outputs = [printed], [picture], [quiz]
    shown = {0: "slide", 1: "subslide", 6: "fragment", len(cells) - 1: "slide"}
    for i, cell in enumerate(cells):
        cell.metadata["slideshow"] = {"slide_type": shown.get(i, "skip")}
    note = "<details><summary>For the lecturer</summary>\n\nAsk.\n\n</details>"
    notes = {"slideshow": {"slide_type": "notes"}}
    cells += [text(note, metadata=notes) for _ in range(LEAST_NOTES)]
    nb = nbformat.v4.new_notebook(cells=cells)
    for count, (_, cell) in enumerate(code_cells(nb), 1):
        cell.execution_count = count
    return nb
