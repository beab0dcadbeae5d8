"""What all tests share: embedded digits, a smoke run, no network. Set before any kernel starts."""

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
