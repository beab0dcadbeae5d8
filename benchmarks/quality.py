"""How well, and how fast, does each method denoise? Classical methods, and all weights."""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from measure import table
from torch import Tensor

from dae_helpers import CorruptedDigits, load_mnist, load_pretrained, psnr, ssim
from dae_helpers.checkpoints import pretrained_epochs
from dae_helpers.data import Digits
from dae_helpers.evaluation import CLASSICAL, best_setting, classical, denoise, mean_ci

try:
    from bm3d import bm3d  # for non-commercial use only: an extra, not a dependency
except ImportError:
    bm3d = None

BM3D_SIGMAS = (0.15, 0.2, 0.25, 0.3, 0.35)


def by_bm3d(images: Tensor, sigma: float) -> Tensor:
    """Denoise (N, 1, H, W) by BM3D, one by one; the result is clamped."""
    done = np.stack([bm3d(image, sigma) for image in images[:, 0].double().numpy()])
    return torch.from_numpy(done).float().unsqueeze(1).clamp_(0, 1)


def milliseconds(method: Callable[[Tensor], Tensor], images: Tensor) -> float:
    """Median time an image over five calls."""
    method(images[:2])
    times = []
    for _ in range(5):
        started = time.perf_counter()
        method(images)
        times.append((time.perf_counter() - started) * 1000 / len(images))
    return float(np.median(times))


def main() -> None:
    """Tune on training digits, measure on test digits, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--judged", type=int, default=10_000, help="test digits")
    parser.add_argument("--few", type=int, default=300, help="test digits that BM3D gets")
    parser.add_argument("--tuned", type=int, default=200, help="training digits")
    args = parser.parse_args()
    torch.set_num_threads(1)
    train, test = load_mnist(train=True), load_mnist(train=False)
    tuning = CorruptedDigits(Digits(train.images[: args.tuned], train.labels[: args.tuned], ""))
    pairs = CorruptedDigits(test, seed=1)
    corrupted, original = pairs.corrupted[: args.judged], pairs.original[: args.judged]

    methods = {"doing nothing": ("", lambda images: images)}
    for name in CLASSICAL:
        setting = best_setting(name, tuning.corrupted, tuning.original)
        methods[name] = (
            setting,
            lambda images, name=name, setting=setting: classical(name, images, setting),
        )
    if bm3d is not None:
        part = tuning[: args.tuned // 8]
        sigma = min(BM3D_SIGMAS, key=lambda s: (by_bm3d(part[0], s) - part[1]).square().mean())
        methods["BM3D"] = (sigma, lambda images: by_bm3d(images, sigma))
    for which in [*pretrained_epochs(), "fast", "skip"]:
        model = load_pretrained(which)
        name = f"classic, {which} epochs" if isinstance(which, int) else f"`{which}`"
        methods[name] = ("", lambda images, model=model: denoise(model, images))

    print(f"## Quality\n\nVariance 0.1, clamped. {len(corrupted):,} test digits, BM3D only the ")
    print(f"first {args.few}; every method on these in the last column. Settings: lowest MSE on ")
    print(f"{args.tuned} *training* digits (BM3D {args.tuned // 8}). ± is the 95 % confidence ")
    print("interval of the mean. Milliseconds an image, one thread: all in one call, and one by ")
    print("one.\n")
    rows = []
    for name, (setting, method) in methods.items():
        slow = name == "BM3D"
        some = corrupted[: args.few] if slow else corrupted
        output, truth = method(some), original[: len(some)]
        each = psnr(output, truth)
        mean, ci = mean_ci(each)
        together = milliseconds(method, corrupted[: 2 if slow else 100])
        alone = milliseconds(
            lambda x, m=method: [m(i[None]) for i in x], corrupted[: 2 if slow else 20]
        )
        rows.append(
            (
                name,
                setting,
                "" if slow else f"{(output - truth).square().mean():.5f}",
                "" if slow else f"{mean:.2f} ± {ci:.2f}",
                "" if slow else f"{ssim(output, truth).mean():.3f}",
                f"{together:.2f}",
                f"{alone:.2f}",
                f"{each[: args.few].mean():.2f}",
            )
        )
    if bm3d is None:
        rows.append(("BM3D", "not installed: `pip install -e .[bench]`", *[""] * 6))
    head = ("method", "setting", "MSE", "PSNR, dB", "SSIM", "ms together", "ms one by one")
    table((*head, f"PSNR, first {args.few}"), rows)


if __name__ == "__main__":
    main()
