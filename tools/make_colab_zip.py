"""Pack the course for Colab without a public home: ``python tools/make_colab_zip.py``.

Writes ``build/dae_course.zip``: the helper package, the weights and drawings, and the notebooks
without outputs. Uploaded into Colab's file pane, it serves the first cell of each notebook. The
same files give the same zip, byte for byte.
"""

import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import nbformat
from nbconvert.preprocessors import ClearOutputPreprocessor
from run_notebooks import read

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("LICENSE", "dae_helpers/*.*", "denoising_models/*.*", "notebooks/*.ipynb")


def content(path: Path) -> bytes:
    """What of a file goes into the zip: all of it, but of a notebook no outputs."""
    if path.suffix != ".ipynb":
        return path.read_bytes()
    nb, _ = ClearOutputPreprocessor().preprocess(read(path), {})
    return (nbformat.writes(nb) + "\n").encode()


def make_zip(target: Path, root: Path = ROOT) -> None:
    """Write the zip file, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    with ZipFile(part, "w", ZIP_DEFLATED) as file:
        for path in sorted(path for pattern in PARTS for path in root.glob(pattern)):
            file.writestr(ZipInfo(path.relative_to(root).as_posix()), content(path), ZIP_DEFLATED)
    part.replace(target)


def main() -> int:
    """Write the zip file and say how large it is."""
    target = ROOT / "build" / "dae_course.zip"
    make_zip(target)
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
