"""Write editions of the notebooks: ``python tools/make_editions.py student notebooks/*.ipynb``.

student: no solutions and no outputs, for handing out. solutions: the solutions open. pages: one
HTML page a notebook, solutions folded. The notebooks are the one master; editions go to build/.
"""

import argparse
import re
import sys
from pathlib import Path

from nbconvert import HTMLExporter
from nbconvert.preprocessors import ClearOutputPreprocessor, TagRemovePreprocessor
from nbformat import NotebookNode
from run_notebooks import read, write_whole

BUILD = Path(__file__).resolve().parent.parent / "build"
SOLUTION_TAGS = {"solution", "solution-text"}
# The template of nbconvert, but for one block: it has no support for folded cells.
FOLDED = """
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_css -%}
{{- super() -}}
<style>.solution > summary { cursor: pointer; font: 14px sans-serif; margin: 0.5em 7em; }</style>
{%- endblock html_head_css -%}
{%- block codecell -%}
{%- if 'solution' in cell.metadata.get('tags', []) -%}
<details class="solution"><summary>Solution</summary>
{{- super() -}}
</details>
{%- else -%}
{{- super() -}}
{%- endif -%}
{%- endblock codecell -%}
"""


def student(nb: NotebookNode) -> NotebookNode:
    """Without solutions and outputs."""
    nb, _ = TagRemovePreprocessor(remove_cell_tags=SOLUTION_TAGS).preprocess(nb, {})
    nb, _ = ClearOutputPreprocessor().preprocess(nb, {})
    return nb


def solutions(nb: NotebookNode) -> NotebookNode:
    """With the solutions open."""
    for cell in nb.cells:
        cell.metadata.get("jupyter", {}).pop("source_hidden", None)
        cell.metadata.pop("cellView", None)
    return nb


def page(nb: NotebookNode) -> str:
    """As an HTML page with folded solutions; links lead to the other pages."""
    nb, _ = TagRemovePreprocessor(remove_cell_tags={"colab"}).preprocess(nb, {})
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"\]\((\w+)\.ipynb", r"](\1.html", cell.source)
    exporter = HTMLExporter(raw_template=FOLDED)
    return exporter.from_notebook_node(nb)[0]


def write(edition: str, path: Path, folder: Path) -> Path:
    """Write one edition of one notebook into ``folder``; return its path."""
    nb, target = read(path), folder / path.name
    if edition == "pages":
        target = target.with_suffix(".html")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(page(nb), encoding="utf-8")
    else:
        write_whole({"student": student, "solutions": solutions}[edition](nb), target)
    return target


def main() -> int:
    """Write an edition of each notebook."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("edition", choices=["student", "solutions", "pages"])
    parser.add_argument("notebooks", nargs="+", type=Path)
    args = parser.parse_args()
    for path in args.notebooks:
        print(write(args.edition, path, BUILD / args.edition))
    return 0


if __name__ == "__main__":
    sys.exit(main())
