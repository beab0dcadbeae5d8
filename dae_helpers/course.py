"""What every notebook starts with: the size of the run, the seed, the device, the look of plots."""

import os
import sys

import matplotlib as mpl
import numpy as np
import torch
from IPython import get_ipython

from .checks import check_device, need

RUNS = ("smoke", "lesson", "full")
RUN = os.environ.get("DAE_RUN", "lesson")
need(RUN in RUNS, f"DAE_RUN should be one of {', '.join(RUNS)}, but it is {RUN!r}")

SEED = 0
PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]


def pick(smoke, lesson, full=None):
    """Return the argument that fits the size of this run; ``full`` is ``lesson`` if left out.

    The one place where ``DAE_RUN`` is looked at: ``steps = pick(smoke=20, lesson=600)``.
    """
    return {"smoke": smoke, "lesson": lesson, "full": lesson if full is None else full}[RUN]


def device() -> torch.device:
    """The device that the course computes on: ``DAE_DEVICE``, else CUDA if it is there, else CPU.

    The one place that decides. Apple's GPU is taken if ``DAE_DEVICE=mps`` asks for it: networks as
    small as ours gain little there, and we have not run them. Raises ``ValueError`` for a device
    that is not there.
    """
    if named := os.environ.get("DAE_DEVICE"):
        return check_device(named)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def where() -> str:
    """Where this code runs: ``"Colab"``, ``"Jupyter"`` or ``"Python"``."""
    if "google.colab" in sys.modules:
        return "Colab"
    return "Jupyter" if "ipykernel" in sys.modules else "Python"


def start() -> None:
    """Seed PyTorch and NumPy, set the look of plots, and print one line about this run.

    Computes on one CPU thread: networks as small as ours gain little from a second one, lose a lot
    when another program keeps that core busy, and give other last digits. ``torch.set_num_threads``
    after this call sets another number.

    The palette is Okabe and Ito's, which colour-blind readers can tell apart (Wong 2011, "Points
    of view: Color blindness", Nature Methods 8:441).
    """
    torch.manual_seed(SEED)
    np.random.seed(SEED)  # scikit-learn draws from NumPy's global generator
    torch.set_num_threads(1)
    mpl.rcdefaults()  # whatever dark style the reader has set
    if "ipykernel" in sys.modules and get_ipython() and mpl.get_backend().lower() == "agg":
        get_ipython().run_line_magic("matplotlib", "inline")  # MPLBACKEND=agg would hide figures
    mpl.rcParams.update(
        {
            "axes.prop_cycle": mpl.cycler(color=PALETTE),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "figure.dpi": 90,
            "figure.facecolor": "white",
            "figure.constrained_layout.use": True,
            "image.cmap": "gray",
            "legend.frameon": False,
        }
    )
    print(f"A {RUN} run in {where()} on {device()}, PyTorch {torch.__version__.split('+')[0]}.")
