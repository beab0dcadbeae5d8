"""Makes a kernel look like Colab's: google.colab is loaded. The network is cut as in all tests."""

import runpy
from pathlib import Path

import google.colab.output  # noqa: F401

runpy.run_path(str(Path(__file__).parents[2] / "offline" / "sitecustomize.py"))
