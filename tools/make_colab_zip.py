"""Pack the course for Colab without a public home: ``python tools/make_colab_zip.py``.

Writes ``build/dae_course.zip``: what pip needs to install the helper package with its weights and
drawings, and the notebooks without outputs. Uploaded into Colab's file pane, it serves the first
cell of each notebook. The same files give the same zip, byte for byte.
"""

import io
import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import nbformat
from whole import write_whole

ROOT = Path(__file__).resolve().parent.parent
PARTS = (
    "LICENSE",
    "README.md",
    "pyproject.toml",
    "dae_helpers/**/*.py",
    "dae_helpers/**/*.js*",
    "denoising_models/*.*",
    "notebooks/*.ipynb",
)


def content(path: Path) -> bytes:
    """What of a file goes into the zip: all of it, but of a notebook no outputs."""
    if path.suffix != ".ipynb":
        return path.read_bytes()
    nb = nbformat.v4.reads_json(path.read_text(encoding="utf-8"))
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return (nbformat.v4.writes_json(nb) + "\n").encode()


def make_zip(target: Path, root: Path = ROOT) -> None:
    """Write the zip file, whole or not at all."""
    zipped = io.BytesIO()
    with ZipFile(zipped, "w", ZIP_DEFLATED) as file:
        for path in sorted(path for pattern in PARTS for path in root.glob(pattern)):
            file.writestr(ZipInfo(path.relative_to(root).as_posix()), content(path), ZIP_DEFLATED)
    write_whole(zipped.getvalue(), target)


def main() -> int:
    """Write the zip file and say how large it is."""
    target = ROOT / "build" / "dae_course.zip"
    make_zip(target)
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
