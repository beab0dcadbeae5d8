"""How cost grows: training with the number of digits and of processes, use with batch size."""

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from cost import contender
from measure import in_turn, seconds, spread, table

from dae_helpers import load_mnist, load_pretrained
from dae_helpers.data import Digits

SCRIPT = Path(__file__).resolve().parent.parent / "tools" / "pretrain.py"


def epoch_times(processes: int, limit: int, epochs: int) -> list[float]:
    """Seconds between the lines that the script prints after each epoch, the first left out."""
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    with tempfile.TemporaryDirectory() as folder:
        options = ["--recipe", "classic", "--limit", str(limit), "--epochs", str(epochs)]
        command = [sys.executable, *(launcher if processes > 1 else []), str(SCRIPT), *options]
        process = subprocess.Popen(
            [*command, "--folder", folder],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
        )
        moments = [time.monotonic() for line in process.stdout if "classic, epoch" in line]
        if process.wait() or len(moments) != epochs:
            raise RuntimeError(f"{' '.join(command)} failed")
    return [later - earlier for earlier, later in itertools.pairwise(moments)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counts", type=int, nargs="*", default=[1000, 4000, 16_000, 60_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=int, default=8192, help="digits for several processes")
    args = parser.parse_args()
    torch.set_num_threads(1)
    digits = load_mnist(train=True)
    loops = {
        count: contender("ours", Digits(digits.images[:count], digits.labels[:count], ""), 32)
        for count in args.counts
        if count <= len(digits)
    }
    found = in_turn(loops, args.rounds)
    print("## How training grows with the number of digits\n")
    print("One epoch of the classic recipe by `minibatch_gd`, mini-batches of 32, one thread.\n")
    rows = [
        (f"{count:,}", spread(times), f"{statistics.median(times) * 1e6 / count:.0f}")
        for count, times in found.items()
    ]
    table(("digits", "seconds", "microseconds a digit"), rows)

    print(f"## Several processes\n\nAn epoch of {args.limit:,} digits and its test, mini-batches ")
    print("of 32 shared by all processes (`torchrun`, gloo, one thread each), in turn.\n")
    times = {1: [], 2: []}
    for _ in range(args.rounds):
        for processes, seen in times.items():
            seen.append(statistics.median(epoch_times(processes, args.limit, 4)))
    ratios = [a / b for a, b in zip(times[1], times[2], strict=True)]
    rows = [(processes, spread(seen)) for processes, seen in times.items()]
    table(("processes", "seconds"), [*rows, ("1 / 2", spread(ratios))])

    print("## How use grows with batch size\n\nMilliseconds an image, median of 9, one thread.\n")
    rows = []
    models = {"`fast`": load_pretrained("fast"), "`skip`": load_pretrained("skip")}
    for batch_size in (1, 4, 16, 64, 256, 1024):
        images = digits.images[:batch_size]
        cells = []
        for model in models.values():
            with torch.no_grad():
                model(images)
                runs = [seconds(lambda m=model, x=images: m(x)) for _ in range(9)]
            cells.append(f"{statistics.median(runs) * 1000 / batch_size:.3f}")
        rows.append((batch_size, *cells))
    table(("batch size", *models), rows)


if __name__ == "__main__":
    main()
