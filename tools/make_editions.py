"""Write editions of the notebooks: ``python tools/make_editions.py student notebooks/*.ipynb``.

student: no solutions and no outputs, for handing out. solutions: the solutions open. pages: one
HTML page a notebook, solutions folded. handout: the same for paper, without solutions and without
the lecturer's notes, and a PDF beside it where there is Chromium. Pages and handouts need no
network. The notebooks are the one master; editions go to build/.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from nbconvert.preprocessors import ClearOutputPreprocessor, TagRemovePreprocessor
from nbformat import NotebookNode
from offline_html import OFFLINE, OfflineExporter, mend_text
from run_notebooks import read
from run_notebooks import write as write_notebook

BUILD = Path(__file__).resolve().parent.parent / "build"
SOLUTION_TAGS = {"solution", "solution-text"}
CLAIMS = "## What this notebook claims"  # the text above the cell with the tag claims
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# The template of nbconvert, but for one block: it has no support for folded cells.
FOLDED = (
    """
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_css -%}
{{- super() -}}
<style>
.solution > summary { cursor: pointer; font: 14px sans-serif; margin: 0.5em 7em; }
.formula-line { text-align: center; margin: 1em 0; }
</style>
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
    + OFFLINE
)
# For paper: code breaks its lines rather than losing their ends, and what belongs together stays.
PRINTED = (
    """
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_css -%}
{{- super() -}}
<style>
:root { --jp-content-font-size1: 13px; --jp-code-font-size: 10.5px; --jp-ui-font-size1: 12px; }
@page { size: A4; margin: 15mm 16mm; }
body.jp-Notebook { max-width: 180mm; margin: 0 auto; padding: 0; overflow: visible; }
.jp-Cell { padding: 2px 0; }
.jp-Cell pre, .highlight pre { white-space: pre-wrap !important; overflow-wrap: anywhere; }
.jp-InputArea, .jp-InputArea-editor, .jp-OutputArea, .jp-OutputArea-child, .jp-OutputArea-output,
.jp-Cell-inputWrapper, .jp-Cell-outputWrapper { overflow: visible !important; display: block; }
.jp-OutputArea-output { width: auto !important; padding-left: 0 !important; }
.jp-RenderedImage img { max-width: 100%; max-height: 215mm; break-inside: avoid; }
.jp-RenderedHTMLCommon h1, .jp-RenderedHTMLCommon h2, .jp-RenderedHTMLCommon h3 {
  break-after: avoid; }
.jp-RenderedHTMLCommon p { orphans: 3; widows: 3; }
.jp-RenderedHTMLCommon table, .jp-RenderedHTMLCommon tr, .jp-RenderedHTMLCommon blockquote,
.jp-CodeMirrorEditor, .jp-RenderedImage, .jp-RenderedText { break-inside: avoid; }
.formula-line { text-align: center; margin: 0.8em 0; }
.jp-RenderedHTML details { display: none; }
</style>
{%- endblock html_head_css -%}
"""
    + OFFLINE
)


def without(tags: set[str], nb: NotebookNode) -> NotebookNode:
    """Without cells that have one of the tags, and without notes for the lecturer."""
    nb, _ = TagRemovePreprocessor(remove_cell_tags=tags).preprocess(nb, {})
    nb.cells = [cell for cell in nb.cells if not is_note(cell)]
    return nb


def is_note(cell: NotebookNode) -> bool:
    """Whether a cell is a note for the lecturer."""
    return cell.metadata.get("slideshow", {}).get("slide_type") == "notes"


def student(nb: NotebookNode) -> NotebookNode:
    """Without solutions, outputs, and notes for the lecturer."""
    nb, _ = ClearOutputPreprocessor().preprocess(without(SOLUTION_TAGS, nb), {})
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
    mend_text(nb)
    return OfflineExporter(raw_template=FOLDED).from_notebook_node(nb)[0]


def handout(nb: NotebookNode) -> str:
    """As an HTML page for paper: hints open, no solutions, no checks, no answers to the quiz."""
    nb = without(SOLUTION_TAGS | {"check", "setup", "claims"}, nb)
    nb.cells = [cell for cell in nb.cells if not cell.source.startswith(CLAIMS)]
    mend_text(nb)
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace("<details>", "<details open>")
        elif {"explorer", "quiz"} & set(cell.metadata.get("tags", [])):
            cell.metadata["transient"] = {"remove_source": True}
    exporter = OfflineExporter(raw_template=PRINTED)
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = True
    return exporter.from_notebook_node(nb)[0]


def print_pdf(source: Path) -> bool:
    """Print an HTML page to a PDF beside it; false if there is no Chromium."""
    if not CHROMIUM:
        return False
    with tempfile.TemporaryDirectory() as profile:
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
        options += [f"--user-data-dir={profile}", f"--print-to-pdf={source.with_suffix('.pdf')}"]
        command = [CHROMIUM, *options, source.resolve().as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
    return True


def write(edition: str, path: Path, folder: Path) -> Path:
    """Write one edition of one notebook into ``folder``; return its path."""
    nb, target = read(path), folder / path.name
    if edition in HTML:
        target = target.with_suffix(".html")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(HTML[edition](nb), encoding="utf-8")
    else:
        write_notebook({"student": student, "solutions": solutions}[edition](nb), target)
    return target


HTML = {"pages": page, "handout": handout}


def main() -> int:
    """Write an edition of each notebook."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("edition", choices=["student", "solutions", "pages", "handout"])
    parser.add_argument("notebooks", nargs="+", type=Path)
    args = parser.parse_args()
    for path in args.notebooks:
        target = write(args.edition, path, BUILD / args.edition)
        print(target)
        if args.edition == "handout":
            printed = print_pdf(target)
            print(target.with_suffix(".pdf") if printed else "no PDF: Chromium was not found")
    return 0


if __name__ == "__main__":
    sys.exit(main())
