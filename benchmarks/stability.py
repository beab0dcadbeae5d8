"""Does the recipe work on every seed? Ten seeds, with and without the dark start, two data sets."""

import argparse
import statistics
from concurrent.futures import ProcessPoolExecutor
from itertools import product

import torch
from measure import COLLAPSED, table
from pretrain import figures, prepare, training_digits
from torch import nn
from torch.utils.data import TensorDataset

from dae_helpers import load_mnist, minibatch_gd
from dae_helpers.checkpoints import read_manifest
from dae_helpers.data import embedded_digits

DATA = ("full", "embedded")


def train(data: str, steps: int, dark: bool, seed: int) -> dict[str, float]:
    """MSE, PSNR and SSIM on the test digits after training by the recipe ``fast``."""
    torch.set_num_threads(1)
    digits = training_digits() if data == "full" else embedded_digits(train=True)
    test = load_mnist(train=False) if data == "full" else embedded_digits(train=False)
    model, pairs, options = prepare("fast", digits, seed=seed, steps=steps)
    if not dark:
        *_, output_bias = model.parameters()
        nn.init.zeros_(output_bias)
    one = TensorDataset(digits.images[:1], digits.images[:1])
    minibatch_gd(model, 10, pairs, one, **options, progress=False)
    return figures(model, test)


def main() -> None:
    """Train, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--steps", type=int, nargs="*", default=[800, 3600])
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    cases = list(product(DATA, args.steps, (True, False)))
    jobs = [(*case, seed) for case in cases for seed in range(args.seeds)]
    with ProcessPoolExecutor(args.processes) as pool:
        found = list(pool.map(train, *zip(*jobs, strict=True)))
    rows = read_manifest()["mnistmodel400.pt"]
    longest = {"full": rows["mnist_test"], "embedded": rows["embedded_test"]}
    print(f"## Stability\n\nThe recipe `fast` on {args.seeds} seeds (mini-batches of 16, so 3,600 ")
    print("steps are 57,600 digits, less than one epoch). PSNR in dB, mean over the test digits: ")
    print(f"worst, median, best seed. Collapsed: below {COLLAPSED:g} dB.\n")
    lines = []
    for number, (data, steps, dark) in enumerate(cases):
        results = found[number * args.seeds :][: args.seeds]
        psnr = [result["psnr"] for result in results]
        better = sum(result["mse"] < longest[data]["mse"] for result in results)
        lines.append(
            (
                data,
                f"{steps:,}",
                "logit of the mean" if dark else "0",
                *(f"{f(psnr):.2f}" for f in (min, statistics.median, max)),
                f"{sum(value < COLLAPSED for value in psnr)} of {args.seeds}",
                f"{better} of {args.seeds}",
            )
        )
    head = ("digits", "steps", "output bias", "worst", "median", "best", "collapsed")
    table((*head, "lower MSE than 400 classic epochs"), lines)


if __name__ == "__main__":
    main()
