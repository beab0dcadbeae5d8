"""How long each recipe takes to the quality of 400 epochs of the classic one."""

import argparse

import torch
from cost import contender
from measure import seconds, spread, table
from pretrain import figures, prepare, training_digits
from torch.utils.data import TensorDataset

from dae_helpers import load_mnist, minibatch_gd
from dae_helpers.checkpoints import read_manifest
from dae_helpers.data import Digits


def timed_recipe(recipe: str, digits: Digits, seed: int, steps: int | None = None):
    """The network trained by a recipe, and the seconds that this took, without any test."""
    model, pairs, options = prepare(recipe, digits, seed=seed, steps=steps)
    one = TensorDataset(digits.images[:1], digits.images[:1])
    train = lambda: minibatch_gd(model, 10, pairs, one, **options, progress=False)  # noqa: E731
    return model, seconds(train)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10, help="each with a seed of its own")
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--count", type=int, default=6400, help="digits in a timed classic epoch")
    args = parser.parse_args()
    torch.set_num_threads(1)
    digits, test = training_digits(), load_mnist(train=False)
    some = Digits(digits.images[: args.count], digits.labels[: args.count], digits.source)
    loops = {name: contender(name, some, 32) for name in ("classic", "ours")}
    scale = 400 * len(digits) / len(some)
    target = read_manifest()["mnistmodel400.pt"]["mnist_test"]
    found, ours = {name: [] for name in loops}, []
    for seed in range(args.rounds):
        for name, loop in loops.items():
            found[name].append(seconds(loop) * scale)
        model, took = timed_recipe("fast", digits, seed, args.steps)
        ours.append((took, figures(model, test)))
    print("## Time to the quality of 400 classic epochs\n")
    print(f"Target: test MSE {target['mse']:.5f}. In turn, {args.rounds} rounds, one thread: an ")
    print(f"epoch of {len(some):,} digits of the classic recipe, times {scale:,.0f}; and the ")
    print(f"recipe `fast` in {args.steps} mini-batches, with another seed in each round.\n")
    times = [took for took, _ in ours]
    mses = [result["mse"] for _, result in ours]
    rows = [
        ("classic recipe, classic loop", spread(found["classic"], 0), f"{target['mse']:.5f}"),
        ("classic recipe, `minibatch_gd`", spread(found["ours"], 0), f"{target['mse']:.5f}"),
        (f"`fast`, {args.steps} steps", spread(times, 1), spread(mses, 5)),
    ]
    table(("recipe", "seconds", "test MSE"), rows)
    better = sum(mse < target["mse"] for mse in mses)
    print(f"`fast` has the lower MSE on {better} of {args.rounds} seeds. Ratios of seconds:\n")
    rows = []
    for name in loops:
        ratios = [a / b for a, b in zip(found[name], times, strict=True)]
        rows.append((f"{name} loop / `fast`", spread(ratios, 0)))
    table(("ratio", "median (lowest to highest)"), rows)


if __name__ == "__main__":
    main()
