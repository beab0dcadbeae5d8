"""How long each notebook takes, in a smoke and a lesson run: seconds of one core.

``--times FILE`` takes seconds that ``tools/run_notebooks.py --times FILE`` has written, in place of
measuring again.
"""

import argparse
import csv
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import table

ROOT = Path(__file__).resolve().parent.parent


def run_times(run: str, notebooks: list[Path], times: Path | None) -> dict[str, float]:
    """Notebook -> seconds of a run of this size."""
    with tempfile.TemporaryDirectory() as folder:
        if times is None:
            times = Path(folder, "times.csv")
            command = [sys.executable, ROOT / "tools" / "run_notebooks.py", "--run", run]
            command += ["--out", folder, "--times", times, *notebooks]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        with open(times, newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["run"] == run]
    return {row["notebook"]: float(row["seconds"]) for row in rows}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=Path, help="a table of run_notebooks.py")
    times = parser.parse_args().times
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    smoke, lesson = (run_times(run, notebooks, times) for run in ("smoke", "lesson"))
    print("## The notebooks\n\nSeconds of one core for one run, each in a fresh kernel.\n")
    rows = [(name, f"{smoke[name]:.0f}", f"{lesson[name]:.0f}") for name in smoke]
    rows.append(("all", f"{sum(smoke.values()):.0f}", f"{sum(lesson.values()):.0f}"))
    table(("notebook", "smoke", "lesson"), rows)


if __name__ == "__main__":
    main()
