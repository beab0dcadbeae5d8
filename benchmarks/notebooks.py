"""How long each notebook takes, in a smoke and a lesson run, and how long ``make test`` takes."""

import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import table

ROOT = Path(__file__).resolve().parent.parent
PAGE = "tests/test_benchmarks.py::test_the_page_holds_all_parts"  # it is just being made


def run_times(run: str, notebooks: list[Path]) -> dict[str, float]:
    """Notebook -> seconds of a run of this size."""
    with tempfile.TemporaryDirectory() as folder:
        times = Path(folder, "times.csv")
        command = [sys.executable, ROOT / "tools" / "run_notebooks.py", "--run", run]
        command += ["--out", folder, "--times", times, *notebooks]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        with open(times, newline="") as file:
            return {row["notebook"]: float(row["seconds"]) for row in csv.DictReader(file)}


def main() -> None:
    """Measure and print."""
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    smoke, lesson = run_times("smoke", notebooks), run_times("lesson", notebooks)
    environment = {k: v for k, v in os.environ.items() if k not in ("DAE_DATA", "PYTHONPATH")}
    started = time.perf_counter()
    command = ["make", "test", f"ARGS=--deselect {PAGE}"]
    tests = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    took = time.perf_counter() - started
    outcome = "passed" if tests.returncode == 0 else "FAILED"
    print(tests.stdout[-3000:] if tests.returncode else "", file=sys.stderr)
    print("## The notebooks and the tests\n\nSeconds of one run, each in a fresh kernel.\n")
    rows = [(name, f"{smoke[name]:.0f}", f"{lesson[name]:.0f}") for name in smoke]
    rows.append(("all", f"{sum(smoke.values()):.0f}", f"{sum(lesson.values()):.0f}"))
    table(("notebook", "smoke", "lesson"), rows)
    print(f"`make test`, with everything installed, {outcome} in {took:.0f} seconds.\n")


if __name__ == "__main__":
    main()
