"""Write the home of the course everywhere: ``python tools/set_home.py --repo owner/name``.

The home (owner/name on GitHub) and the version (a branch or tag) are set in ``pyproject.toml``,
under ``[tool.course]``. This script changes them there, and writes them into the first code cell of
each notebook, which installs the course in Colab, and into the badges: one below the title of each
notebook and of the README, one link in each row of the README's table. ``--repo none`` takes the
home away, and all badges with it. A notebook that lacks the cell gets it. Without options the
script writes what is set. All or nothing: the new texts are made before the first file is written.
"""

import argparse
import copy
import re
import sys
import tomllib
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from packaging.requirements import Requirement
from whole import write_whole

ROOT = Path(__file__).resolve().parent.parent
CELL = Path(__file__).with_name("colab_cell.py")
METADATA = {
    "tags": ["colab", "setup"],
    "cellView": "form",
    "jupyter": {"source_hidden": True},
    "slideshow": {"slide_type": "skip"},
}
NONE = "none"
REPO = re.compile(r"[A-Za-z\d](?:-?[A-Za-z\d]){0,38}/(?!.*\.git$)[\w.-]{1,100}", re.ASCII)
REF = re.compile(r"\w[\w.-]*", re.ASCII)
COLAB = "https://colab.research.google.com/"
TO_COLAB = rf"\]\({re.escape(COLAB)}github/[^)\s]*\)"
BADGE = re.compile(rf"\n\n\[!\[Open in Colab\]\([^)\s]*\){TO_COLAB}")
ROW = re.compile(rf"(?m)^(\| \[[^]\n]*\]\(notebooks/([\w-]+\.ipynb)\))(?: \(\[Colab{TO_COLAB}\))?")


def course_settings(root: Path) -> dict[str, str]:
    """The settings under ``[tool.course]``: ``home``, empty if there is none, and ``ref``."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["course"]


def lacking(root: Path) -> list[str]:
    """What the course needs and Colab does not have, pinned as in ``constraints.txt``."""

    def pins(name: str) -> dict[str, str]:
        lines = (root / name).read_text(encoding="utf-8").splitlines()
        return {line.partition("==")[0].lower(): line for line in lines if "==" in line}

    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [Requirement(line).name.lower() for line in project["dependencies"]]
    in_colab, pinned = pins("tests/colab/versions.txt"), pins("constraints.txt")
    return [pinned[name] for name in names if name not in in_colab]


def colab_cell(home: str, ref: str, packages: list[str]) -> str:
    """The source of the first cell. Without a home it knows the uploaded file only."""
    source = CELL.read_text(encoding="utf-8").rstrip()
    address = f"https://github.com/{home}/archive/{ref}.zip" if home else "dae_course.zip"
    for old, new in (
        ("https://github.com/HOME/archive/REF.zip", address),
        ("LACKING", " ".join(packages)),
    ):
        assert source.count(old) == 1, f"{CELL.name} should hold {old} once"
        source = source.replace(old, new)
    return source


def colab_address(home: str, ref: str, name: str) -> str:
    """Where Colab shows the notebook ``name``."""
    return f"{COLAB}github/{home}/blob/{ref}/notebooks/{name}"


def with_badge(text: str, home: str, ref: str, name: str) -> str:
    """Markdown with a badge of the notebook ``name`` below its title; without a home, with none."""
    title, newline, rest = BADGE.sub("", text).partition("\n")
    picture = f"![Open in Colab]({COLAB}assets/colab-badge.svg)"
    badge = f"\n\n[{picture}]({colab_address(home, ref, name)})" if home else ""
    return title + badge + newline + rest


def with_links(table: str, home: str, ref: str) -> str:
    """Markdown with a link to Colab in each row of a table of notebooks; or with none."""

    def row(match: re.Match) -> str:
        return match[1] + (f" ([Colab]({colab_address(home, ref, match[2])}))" if home else "")

    return ROW.sub(row, table)


def with_cell(nb: NotebookNode, source: str) -> NotebookNode:
    """A copy whose first code cell is ``source``; the others are numbered on if it is new."""
    nb = copy.deepcopy(nb)
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    cell = next((cell for cell in code if "colab" in cell.metadata.get("tags", [])), None)
    if cell is None:
        prefix = nb.cells[0].id.partition("-")[0]
        cell = nbformat.v4.new_code_cell(id=f"{prefix}-colab", metadata=copy.deepcopy(METADATA))
        nb.cells.insert(nb.cells.index(code[0]), cell)
        if code[0].execution_count == 1:  # one whole run; here the new cell would do nothing
            cell.execution_count = 1
            for counted in [*code, *(output for later in code for output in later.outputs)]:
                if counted.get("execution_count") is not None:
                    counted.execution_count += 1
    cell.source = source
    return nb


def new_texts(root: Path, home: str, ref: str) -> dict[Path, str]:
    """File -> its new text, for all files that hold the home; pyproject.toml comes last."""
    texts = {}
    source = colab_cell(home, ref, lacking(root))
    paths = sorted((root / "notebooks").glob("*.ipynb"))
    for path in paths:
        nb = with_cell(nbformat.v4.reads_json(path.read_text(encoding="utf-8")), source)
        nb.cells[0].source = with_badge(nb.cells[0].source, home, ref, path.name)
        texts[path] = nbformat.v4.writes_json(nb) + "\n"
    readme, settings = root / "README.md", root / "pyproject.toml"
    text = with_badge(readme.read_text(encoding="utf-8"), home, ref, paths[0].name)
    texts[readme] = with_links(text, home, ref)
    texts[settings] = settings.read_text(encoding="utf-8")
    for name, value in (("home", home), ("ref", ref)):
        line = rf'(?m)^{name} = "[^"\n]*"'
        assert len(re.findall(line, texts[settings])) == 1, f"one line {name} = ... expected"
        texts[settings] = re.sub(line, f'{name} = "{value}"', texts[settings])
    return texts


def set_home(root: Path, home: str, ref: str) -> list[Path]:
    """Write ``home`` (empty: none) and ``ref`` everywhere; gives the changed files.

    Raises ``ValueError`` if they are no address on GitHub.
    """
    if home and not REPO.fullmatch(home):
        raise ValueError(f"REPO should be owner/name, as in jane/course, or none, not {home!r}")
    if not REF.fullmatch(ref):
        raise ValueError(f"REF should be a branch or tag of letters, digits, . _ -, not {ref!r}")
    changed = []
    for path, text in new_texts(root, home, ref).items():
        if text != path.read_text(encoding="utf-8"):
            write_whole(text.encode(), path)
            changed.append(path)
    return changed


def main() -> int:
    """Read the command line, write, and say what was written."""
    old = course_settings(ROOT)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repo", default=old["home"] or NONE, help="owner/name on GitHub, or none")
    parser.add_argument("--ref", default=old["ref"], help="branch or tag that Colab installs")
    args = parser.parse_args()
    try:
        changed = set_home(ROOT, "" if args.repo == NONE else args.repo, args.ref)
    except ValueError as error:
        print(f"{error}. Nothing was changed.", file=sys.stderr)
        return 1
    print(f"The home is {args.repo}, the version {args.ref}; files changed: {len(changed)}")
    for path in changed:
        print(f"  {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
