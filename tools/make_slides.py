"""Write a reveal.js deck of each notebook: ``python tools/make_slides.py notebooks/*.ipynb``.

Decks and what they share go to build/slides/, a folder that works from a USB stick: reveal.js comes
from the package sphinx-revealjs, the monospaced font from matplotlib. Which cell goes on which
slide is in the notebook: its slide types, which JupyterLab edits in the property inspector.
On a slide, a code cell that shows a picture loses its code if that is long, any cell loses it with
the tag output-only, explorers and drawings always; a quiz becomes one slide a question.
``slides.js`` chooses the sizes of text and pictures.
"""

import argparse
import shutil
import sys
from importlib.resources import files
from pathlib import Path

import matplotlib
from bs4 import BeautifulSoup
from make_editions import BUILD
from nbconvert import SlidesExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output
from offline_html import OFFLINE, OfflineExporter, mend_text
from pygments.formatters import HtmlFormatter
from run_notebooks import read

MOST_CODE_WITH_PICTURE = 6  # lines that are not blank
TEMPLATE = (
    """
{%- extends 'reveal/base.html.j2' -%}
{%- block header -%}
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1.0">
<title>{{ resources.metadata.name }}</title>
<link rel="stylesheet" href="assets/reset.css">
<link rel="stylesheet" href="assets/reveal.css">
<link rel="stylesheet" href="assets/slides.css">
</head>
{%- endblock header -%}
{%- block body_header -%}
<body>
<div class="reveal"><div class="slides">
{%- endblock body_header -%}
{%- block body_footer -%}
</div></div>
<script src="assets/reveal.js"></script>
<script src="assets/notes.js"></script>
<script src="assets/slides.js"></script>
</body>
{%- endblock body_footer -%}
{%- block footer -%}</html>{%- endblock footer -%}
"""
    + OFFLINE
)


class Deck(OfflineExporter, SlidesExporter):
    """nbconvert's slides with our page around them."""

    exclude_input_prompt = exclude_output_prompt = True


def slide_type(cell: NotebookNode) -> str:
    """slide, subslide, fragment, skip, notes, or - (with the cell before it)."""
    return cell.metadata.get("slideshow", {}).get("slide_type") or "-"


def only_output(cell: NotebookNode) -> bool:
    """Whether only the output of a code cell goes on its slide."""
    tags = set(cell.metadata.get("tags", []))
    picture = any("image/png" in output.get("data", {}) for output in cell.outputs)
    lines = sum(bool(line.strip()) for line in cell.source.splitlines())
    drawn = picture and bool({"explorer", "drawing"} & tags or lines > MOST_CODE_WITH_PICTURE)
    return drawn or "output-only" in tags


def questions(quiz: NotebookNode) -> list[NotebookNode]:
    """A slide for each question of a stored quiz, its answer as a fragment."""
    stored = "".join(output.get("data", {}).get("text/html", "") for output in quiz.outputs)
    page = BeautifulSoup(stored, "html.parser")
    found = page.select("div > ol > li")
    cells = []
    for number, question in enumerate(found, 1):
        question.name = "div"
        answer = question.details
        answer.name, answer["class"] = "div", "fragment"
        answer.summary.decompose()
        title = f"<h2>Quick question {number} of {len(found)}</h2>"
        html = f'<div class="question">{title}{question}</div>'
        cell = new_code_cell(outputs=[new_output("display_data", {"text/html": html})])
        cell.metadata["slideshow"] = {"slide_type": "subslide" if number > 1 else "slide"}
        cell.metadata["transient"] = {"remove_source": True}
        cells.append(cell)
    return cells


def prepared(nb: NotebookNode) -> NotebookNode:
    """The notebook with what a deck shows, and no more."""
    mend_text(nb)
    cells = []
    for cell in nb.cells:
        if slide_type(cell) == "skip":
            continue
        if "quiz" in cell.metadata.get("tags", []):
            cells += questions(cell)
            continue
        if slide_type(cell) == "notes":  # folded for the reader, open for the lecturer
            text = BeautifulSoup(cell.source, "html.parser")
            text.summary.decompose()
            cell.source = text.details.decode_contents().strip()
        elif cell.cell_type == "code":
            cell.metadata["transient"] = {"remove_source": only_output(cell)}
        cells.append(cell)
    nb.cells = cells
    return nb


def deck(path: Path) -> str:
    """The deck of a notebook, as HTML that needs the files of ``copy_assets``."""
    resources = {"metadata": {"name": path.stem, "path": str(path.parent)}}
    return Deck(raw_template=TEMPLATE).from_notebook_node(prepared(read(path)), resources)[0]


def copy_assets(folder: Path) -> None:
    """Copy what all decks share into ``folder``."""
    reveal = files("sphinx_revealjs") / "_static" / "revealjs"
    fonts = Path(matplotlib.get_data_path(), "fonts", "ttf")
    sans = reveal / "dist" / "theme" / "fonts" / "source-sans-pro"
    sources = [reveal / "dist" / name for name in ("reset.css", "reveal.css", "reveal.js")]
    sources += [reveal / "plugin" / "notes" / "notes.js", fonts / "DejaVuSansMono.ttf"]
    weights = ("regular", "italic", "semibold", "semibolditalic")
    sources += [sans / f"source-sans-pro-{weight}.woff" for weight in weights]
    sources.append(Path(__file__).with_name("slides.js"))
    folder.mkdir(parents=True, exist_ok=True)
    for source in sources:
        shutil.copyfile(source, folder / source.name)
    for source, name in ((reveal, "LICENSE-reveal.js"), (sans, "LICENSE-source-sans-pro")):
        shutil.copyfile(source / "LICENSE", folder / name)
    shutil.copyfile(fonts / "LICENSE_DEJAVU", folder / "LICENSE-dejavu")
    style = Path(__file__).with_name("slides.css").read_text(encoding="utf-8")
    colours = HtmlFormatter(style="default").get_style_defs(".highlight")
    (folder / "slides.css").write_text(f"{style}\n{colours}\n", encoding="utf-8")


def write(path: Path, folder: Path) -> Path:
    """Write the deck of a notebook into ``folder``, beside its assets; return its path."""
    copy_assets(folder / "assets")
    target = folder / f"{path.stem}.html"
    target.write_text(deck(path), encoding="utf-8")
    return target


def main() -> int:
    """Write a deck of each notebook."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="+", type=Path)
    for path in parser.parse_args().notebooks:
        print(write(path, BUILD / "slides"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
