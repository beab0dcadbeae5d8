"""Execute notebooks and keep their outputs: ``python tools/run_notebooks.py notebooks/*.ipynb``.

Each notebook runs from top to bottom in a kernel of this Python, in its own folder. It is written
when it came through whole; at the first cell that fails, the script stops and the file stays as it
was. What belongs to one screen or one run only is taken out of the outputs.
"""

import argparse
import csv
import os
import sys
import time
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError
from nbformat import NotebookNode
from whole import write_whole

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
LIVE = "<!-- live"  # from here on, HTML is for a page with a kernel: a script
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
    # Live slides in JupyterLab: this theme brings its fonts along.
    "rise": {"theme": "white", "transition": "none", "center": False, "scroll": True},
}


class OwnKernelManager(AsyncKernelManager):
    """Starts kernels of the Python that runs this script, whatever else is installed."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """The kernel of this interpreter."""
        launcher = [sys.executable, "-m", "ipykernel_launcher", "--log-level=ERROR"]
        argv = [*launcher, "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")


class CellFailed(Exception):
    """A cell of a notebook raised an error, or its kernel died."""


def read(path: Path) -> NotebookNode:
    """Read a notebook."""
    return nbformat.read(path, as_version=4)


def write(nb: NotebookNode, path: Path) -> None:
    """Write a notebook, whole or not at all."""
    write_whole((nbformat.writes(nb) + "\n").encode(), path)


def describe_failure(nb: NotebookNode, index: int, error: Exception) -> str:
    """Which cell failed, its source, and the error."""
    cell = nb.cells[index]
    failures = [output for output in cell.outputs if output.output_type == "error"]
    said = "\n".join(failures[-1].traceback) if failures else f"{type(error).__name__}: {error}"
    return f"cell {index + 1} of {len(nb.cells)} failed:\n\n{cell.source}\n\n{said}"


def execute(nb: NotebookNode, folder: Path, timeout: int | None = None) -> None:
    """Run all cells in ``folder``; outputs go into ``nb``. Raises ``CellFailed``."""
    running = [0]
    client = NotebookClient(
        nb,
        kernel_manager_class=OwnKernelManager,
        resources={"metadata": {"path": str(folder)}},
        timeout=timeout,
        coalesce_streams=True,
        record_timing=False,
        store_widget_state=False,
        on_cell_start=lambda cell, cell_index: running.append(cell_index),
    )
    try:
        client.execute()
    except (CellControlSignal, DeadKernelError) as error:
        raise CellFailed(describe_failure(nb, running[-1], error)) from None


def terminal_line(line: str) -> str:
    """What a terminal shows in the end of a line with carriage returns in it."""
    shown = ""
    for part in line.split("\r"):
        shown = part + shown[len(part) :]
    return shown.rstrip() if "\r" in line else line


def clean_stream(output: NotebookNode) -> bool:
    """Take progress bars out of printed text; false if nothing is left."""
    output.text = "\n".join(terminal_line(line) for line in output.text.split("\n"))
    return bool(output.text.strip())


def clean_output(output: NotebookNode) -> bool:
    """Clean one output in place; false if it should go."""
    if output.output_type == "stream":
        return clean_stream(output)
    data = output.get("data", {})
    if "image/png" in data:
        data.pop(WIDGET_VIEW, None)  # the picture stays where no kernel is
    if LIVE in data.get("text/html", ""):
        data["text/html"] = data["text/html"].partition(LIVE)[0]
        return bool(data["text/html"])
    return True


def clean(nb: NotebookNode) -> None:
    """Take out what must not be committed, in place."""
    kept = {name: value for name, value in nb.metadata.items() if name != "widgets"}
    nb.metadata = nbformat.from_dict({**kept, **METADATA})
    for cell in nb.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if clean_output(output)]


def children_seconds() -> float:
    """Processor seconds of the child processes that have ended: whatever else the machine did."""
    times = os.times()
    return times.children_user + times.children_system


def run(path: Path, out: Path | None) -> float:
    """Execute one notebook, write it, and return the seconds of one core that its kernel used."""
    nb = read(path)
    started, used = time.monotonic(), children_seconds()
    execute(nb, path.resolve().parent)
    seconds = children_seconds() - used or time.monotonic() - started  # Windows does not count
    clean(nb)
    write(nb, out / path.name if out else path)
    return seconds


def append_times(path: Path, rows: list[tuple[str, str, float]]) -> None:
    """Append ``notebook,run,seconds`` to a CSV file."""
    new = not path.exists()
    with open(path, "a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(["notebook", "run", "seconds"])
        writer.writerows((name, size, f"{seconds:.1f}") for name, size, seconds in rows)


def print_table(rows: list[tuple[str, str, float]]) -> None:
    """Print the time of each notebook, and their sum."""
    print(f"\n{'notebook':<32}{'run':<8}{'seconds':>8}")
    for name, size, seconds in [*rows, ("all", "", sum(row[2] for row in rows))]:
        print(f"{name:<32}{size:<8}{seconds:8.1f}")


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--run", choices=["smoke", "lesson", "full"], help="sets DAE_RUN")
    parser.add_argument("--out", type=Path, help="folder for executed copies, else in place")
    parser.add_argument("--times", type=Path, help="CSV file to append the seconds to")
    return parser.parse_args()


def main() -> int:
    """Execute the notebooks one after the other; 1 if one of them failed."""
    args = parse_arguments()
    if args.run:
        os.environ["DAE_RUN"] = args.run
    size = os.environ.get("DAE_RUN", "lesson")
    rows = []
    for path in args.notebooks:
        print(f"{path} ...", end=" ", flush=True)
        try:
            seconds = run(path, args.out)
        except CellFailed as failure:
            print(f"\n\n{path}: {failure}\n\n{path} was not written.", file=sys.stderr)
            return 1
        print(f"{seconds:.1f} s", flush=True)
        rows.append((path.name, size, seconds))
        if args.times:
            append_times(args.times, rows[-1:])
    print_table(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
