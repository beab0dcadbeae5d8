"""What all tests share: embedded digits, a smoke run, no network. Set before any kernel starts."""

import collections
import os
import runpy
import shutil
import tempfile
from pathlib import Path

OFFLINE = Path(__file__).parent / "tests" / "offline"
EMPTY = tempfile.mkdtemp(prefix="no-mnist-")

os.environ.setdefault("DAE_RUN", "smoke")
os.environ["DAE_DATA"] = EMPTY
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [str(OFFLINE), os.environ.get("PYTHONPATH")])
)
os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # else kernels warn on stderr
runpy.run_path(str(OFFLINE / "sitecustomize.py"))  # for this process; kernels import it themselves


def pytest_unconfigure(config):
    shutil.rmtree(EMPTY, ignore_errors=True)


# Two workers take one file after the other: what takes longest comes first, so that neither is left
# alone with it at the end. Lesson runs take most of the slow run, notebooks of the quick one.
FIRST = "lesson repeatability colab_twin slides browser pretrain editions faults_process wheel"
FIRST = [*(f"tests/test_{name}.py" for name in FIRST.split()), "notebooks/"]
FIRST += [f"tests/test_{name}.py" for name in ("exercises", "imports", "colab")]


def pytest_collection_modifyitems(items):
    def rank(item):
        places = [i for i, start in enumerate(FIRST) if item.nodeid.startswith(start)]
        return min(places, default=len(FIRST))

    items.sort(key=rank)


def pytest_terminal_summary(terminalreporter, config):
    """The seconds of each file, after a run of several workers."""
    seconds = collections.Counter()
    for report in sum(terminalreporter.stats.values(), []):
        if hasattr(report, "duration"):
            seconds[report.nodeid.partition("::")[0]] += report.duration
    if getattr(config.option, "numprocesses", None):
        for name, spent in [*seconds.most_common(20), ("all", sum(seconds.values()))]:
            terminalreporter.write_line(f"{spent:8.1f} s  {name}")
