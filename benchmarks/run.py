"""Run all benchmarks and write ``benchmarks/results.md``: ``make bench``.

Each benchmark is a script of its own and prints a part of the page. A part is kept in
``build/bench/`` as soon as it is measured, so a run that was stopped goes on with the next part;
``--again`` measures anew. Name parts to run only these.
"""

import argparse
import datetime
import os
import platform
import subprocess
import sys
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
TOOLS = ROOT / "tools"
sys.path.insert(0, str(TOOLS))
from whole import write_whole  # noqa: E402

PARTS = (
    "time_to_quality",
    "stability",
    "how_far",
    "quality",
    "cost",
    "scaling",
    "notebooks",
)


def processor() -> str:
    """The name of this machine's processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def commit() -> str:
    """The commit that is measured, with a + if files differ from it."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty=+"], cwd=ROOT, capture_output=True, text=True
    )
    return done.stdout.strip() or "unknown"


def about() -> str:
    """The machine, the versions, the day and the commit, as a line of text."""
    return (
        f"{processor()}, {os.cpu_count()} cores, {platform.system()}, Python "
        f"{platform.python_version()}, PyTorch {torch.__version__}, {datetime.date.today()}, "
        f"commit {commit()}"
    )


def measure(part: str, folder: Path, options: list[str]) -> None:
    """Run one benchmark; keep what it prints, whole or not at all."""
    paths = [HERE, ROOT, TOOLS, os.environ.get("PYTHONPATH")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join(str(path) for path in paths if path)
    command = [sys.executable, HERE / f"{part}.py", *options]
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment)
    if said.returncode:
        sys.exit(f"benchmarks/{part}.py failed; what was measured before is in {folder}")
    about_data = ("Data: ", "Downloading")
    lines = [line for line in said.stdout.splitlines() if not line.startswith(about_data)]
    write_whole("\n".join([*lines, f"*{about()}*", ""]).encode(), folder / f"{part}.md")


def write_page(folder: Path) -> None:
    """Join the parts that were measured; say which were not."""
    there = [part for part in PARTS if (folder / f"{part}.md").exists()]
    missing = [part for part in PARTS if part not in there]
    pages = ["# Benchmarks\n\nMade by `make bench`; every ratio from things measured in turn.\n"]
    pages += [(folder / f"{part}.md").read_text(encoding="utf-8") for part in there]
    pages += [f"Not measured yet: {', '.join(missing)}.\n"] if missing else []
    (HERE / "results.md").write_text("\n".join(pages), encoding="utf-8")


def main() -> None:
    """Run the parts, then join them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all if none is named")
    parser.add_argument("--again", action="store_true", help="measure what is there already, too")
    args = parser.parse_args()
    if unknown := set(args.parts) - set(PARTS):
        parser.error(f"parts are {', '.join(PARTS)}, not {', '.join(unknown)}")
    folder = ROOT / "build" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    for part in args.parts or PARTS:
        if args.again or not (folder / f"{part}.md").exists():
            print(f"measuring {part} ...", file=sys.stderr, flush=True)
            measure(part, folder, [])
        print((folder / f"{part}.md").read_text(encoding="utf-8"))
        write_page(folder)


if __name__ == "__main__":
    main()
