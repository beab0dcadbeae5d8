"""How far each network gets: the marks that the course names, each with its time."""

import argparse

import torch
from measure import table
from pretrain import RECIPES, figures, training_digits
from time_to_quality import timed_recipe

from dae_helpers import load_mnist
from dae_helpers.data import embedded_digits

# Small batches and a high learning rate suit less than one epoch; six epochs want neither.
RECIPES["long"] = RECIPES["fast"] | {"batch_size": 32, "lr": 1e-2}


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shorter", type=int, default=1, help="divide all steps, for a trial")
    parser.add_argument("--only", choices=RECIPES, help="one recipe")
    args = parser.parse_args()
    torch.set_num_threads(1)
    full, embedded = training_digits(), embedded_digits(train=True)
    test = load_mnist(train=False)
    print("## How far it goes\n\nEach once, seed 0, one thread, without the time of tests. PSNR ")
    print("and MSE on the test digits of MNIST. `long` is `fast` with mini-batches of 32 and a ")
    print("highest learning rate of 0.01.\n")
    rows = []
    for recipe, digits, steps in (
        ("fast", embedded, 3600),
        ("fast", full, 3600),
        ("fast", full, 22_000),
        ("long", full, 11_000),
        ("skip", embedded, 3000),
        ("skip", full, 9000),
        ("skip", full, 18_000),
    ):
        if args.only not in (None, recipe):
            continue
        model, took = timed_recipe(recipe, digits, seed=0, steps=steps // args.shorter)
        result = figures(model, test)
        seen = steps // args.shorter * RECIPES[recipe]["batch_size"] / len(digits)
        epochs = f"{seen:.2g}" if seen < 1 else f"{seen:.1f}"
        row = (f"`{recipe}`", f"{len(digits):,}", f"{steps // args.shorter:,}", epochs)
        rows.append((*row, f"{took:.0f}", f"{result['psnr']:.2f}", f"{result['mse']:.5f}"))
    table(("recipe", "trained on", "steps", "epochs", "seconds", "PSNR, dB", "MSE"), rows)


if __name__ == "__main__":
    main()
