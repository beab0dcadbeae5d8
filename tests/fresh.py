"""A fresh copy of the course, and notebooks run by another Python, as on another machine."""

import os
import shutil
import subprocess
import time

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from notebook_checks import ROOT


def copy_course(target):
    """What a clone would hold if all were committed; without git, what lies there."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        unwanted = shutil.ignore_patterns(".venv", "build", "*.egg-info", "__pycache__", ".*_cache")
        return shutil.copytree(ROOT, target, ignore=unwanted)
    for name in filter(None, done.stdout.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


def run_notebook(python, nb, folder, **variables):
    """Run a notebook, a smoke run, by a kernel of this Python in this folder; gives the seconds."""

    class Manager(AsyncKernelManager):
        @property
        def kernel_spec(self):
            launcher = [str(python), "-m", "ipykernel_launcher", "--log-level=ERROR"]
            return KernelSpec(argv=[*launcher, "-f", "{connection_file}"], display_name="fresh")

    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    environment |= {"DAE_RUN": "smoke", **variables}
    client = NotebookClient(
        nb,
        km=Manager(),
        resources={"metadata": {"path": str(folder)}},
        timeout=300,
        iopub_timeout=60,
        coalesce_streams=True,  # else a line may come in pieces
    )
    started = time.monotonic()
    client.execute(env=environment, cleanup_kc=True)
    return time.monotonic() - started
