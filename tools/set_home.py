"""Write the home of the course everywhere: ``python tools/set_home.py --repo owner/name``.

The home (owner/name on GitHub) and the version (a branch or tag) are set in ``pyproject.toml``,
under ``[tool.course]``. This script changes them there, and writes them into each badge, each link
to the course's own pages, and the first code cell of each notebook, which fetches the course in
Colab; a notebook that has no such cell gets one. Without options it writes what is set. All or
nothing: the new texts are made before the first file is written.
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

ROOT = Path(__file__).resolve().parent.parent
CELL = Path(__file__).with_name("colab_cell.py")
METADATA = {
    "tags": ["colab", "setup"],
    "cellView": "form",
    "jupyter": {"source_hidden": True},
    "slideshow": {"slide_type": "skip"},
}
PLACEHOLDER = "OWNER/denoising-autoencoders"
REPO = re.compile(r"[A-Za-z\d](?:-?[A-Za-z\d]){0,38}/(?!.*\.git$)[\w.-]{1,100}", re.ASCII)
REF = re.compile(r"\w[\w.-]*", re.ASCII)


def course_settings(root: Path) -> dict[str, str]:
    """The settings under ``[tool.course]``: ``home`` and ``ref``."""
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
    """The source of the cell that fetches the course in Colab; the placeholder gives no address."""
    source = CELL.read_text(encoding="utf-8").rstrip()
    address = "" if home == PLACEHOLDER else home
    listed = ", ".join(f'"{package}"' for package in packages)
    for old, new in (
        ('HOME, REF = "", "main"', f'HOME, REF = "{address}", "{ref}"'),
        ("LACKING = []", f"LACKING = [{listed}]"),
    ):
        assert source.count(old) == 1, f"{CELL.name} should hold {old}"
        source = source.replace(old, new)
    return source


def with_links(text: str, old: dict[str, str], home: str, ref: str) -> str:
    """Text in which badges and links to the course's own pages lead to ``home`` at ``ref``."""
    badge = r"(?<=colab\.research\.google\.com/github/)[\w.-]+/[\w.-]+/blob/[\w.-]+"
    page = rf"(?<=https://github\.com/){re.escape(old['home'])}(?![\w.-])"
    version = rf"(?<=https://github\.com/{re.escape(home)}/(?:blob|tree)/){re.escape(old['ref'])}"
    text = re.sub(badge, f"{home}/blob/{ref}", text)
    text = re.sub(page, home, text)
    return re.sub(rf"{version}(?![\w.-])", ref, text)


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
    old, texts = course_settings(root), {}
    source = colab_cell(home, ref, lacking(root))
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        nb = with_cell(nbformat.v4.reads_json(path.read_text(encoding="utf-8")), source)
        for cell in nb.cells:
            if cell.cell_type == "markdown":
                cell.source = with_links(cell.source, old, home, ref)
        texts[path] = nbformat.v4.writes_json(nb) + "\n"
    readme = root / "README.md"
    texts[readme] = with_links(readme.read_text(encoding="utf-8"), old, home, ref)
    settings = root / "pyproject.toml"
    texts[settings] = settings.read_text(encoding="utf-8")
    for name, value in (("home", home), ("ref", ref)):
        line = rf'(?m)^{name} = "[^"\n]*"'
        assert len(re.findall(line, texts[settings])) == 1, f"one line {name} = ... expected"
        texts[settings] = re.sub(line, f'{name} = "{value}"', texts[settings])
    return texts


def set_home(root: Path, home: str, ref: str) -> list[Path]:
    """Write ``home`` and ``ref`` everywhere; gives the changed files. ``ValueError`` if bad."""
    if not REPO.fullmatch(home):
        raise ValueError(f"REPO should be owner/name, as in REPO=jane/course, but it is {home!r}")
    if not REF.fullmatch(ref):
        raise ValueError(f"REF should be a branch or tag of letters, digits, . _ -, not {ref!r}")
    changed = []
    for path, text in new_texts(root, home, ref).items():
        if text != path.read_text(encoding="utf-8"):
            path.write_text(text, encoding="utf-8", newline="\n")
            changed.append(path)
    return changed


def main() -> int:
    """Read the command line, write, and say what was written."""
    old = course_settings(ROOT)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repo", default=old["home"], help="owner/name on GitHub")
    parser.add_argument("--ref", default=old["ref"], help="branch or tag that Colab fetches")
    args = parser.parse_args()
    try:
        changed = set_home(ROOT, args.repo, args.ref)
    except ValueError as error:
        print(f"{error}. Nothing was changed.", file=sys.stderr)
        return 1
    print(f"The home is {args.repo}, the version {args.ref}; files changed: {len(changed)}")
    for path in changed:
        print(f"  {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
