"""What the helper costs, as ratios measured in turn: ``python benchmarks/cost.py``.

1. An epoch of training: the classic loop (a ``DataLoader`` over a list of tuples, contiguous
   weights), ours (``minibatch_gd`` on ``CorruptedDigits``), and bare forward, backward and step on
   batches that are already there, in ours' memory format. The maths is the same.
2. Preparing training pairs: one image at a time into a list, and all at once.

Each round measures all of them, one after the other; the ratios are medians over the rounds.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch.utils.data import DataLoader, TensorDataset
from torchvision.transforms import ToTensor
from torchvision.transforms.functional import to_pil_image

from dae_helpers import CorruptedDigits, DenoisingAutoencoder, load_mnist, minibatch_gd
from dae_helpers.noise import gaussian_noise
from dae_helpers.training import minibatch_loss

LR = 0.01


def seconds(function: Callable[[], object]) -> float:
    """How long one call takes."""
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def gradient_step(model: torch.nn.Module, corrupted: torch.Tensor, original: torch.Tensor) -> None:
    """Forward, backward, and the hand-written step."""
    loss = minibatch_loss(model, corrupted, original)
    loss.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter -= LR * parameter.grad
            parameter.grad = None
    loss.item()


def epoch_contenders(pairs: CorruptedDigits, count: int, batch_size: int) -> dict[str, Callable]:
    """Three ways to go once over the first ``count`` pairs."""
    corrupted, original = pairs[:count]
    tuples = list(zip(corrupted, original, strict=True))
    as_last = [x.contiguous(memory_format=torch.channels_last) for x in (corrupted, original)]
    batches = list(zip(*(x.split(batch_size) for x in as_last), strict=True))
    part = CorruptedDigits.__new__(CorruptedDigits)  # the same pairs, no noise drawn again
    part.original, part.corrupted, part.fresh = original, corrupted, False
    one = TensorDataset(corrupted[:1], original[:1])

    def classic() -> None:
        model = DenoisingAutoencoder()
        for inputs, targets in DataLoader(tuples, batch_size=batch_size, shuffle=True):
            gradient_step(model, inputs, targets)

    def ours() -> None:
        minibatch_gd(DenoisingAutoencoder(), 1, part, one, lr=LR, batch_size=batch_size)

    def bare() -> None:
        model = DenoisingAutoencoder().to(memory_format=torch.channels_last)
        for inputs, targets in batches:
            gradient_step(model, inputs, targets)

    return {"classic": classic, "ours": ours, "bare": bare}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--count", type=int, default=6400, help="pairs in a measured epoch")
    args = parser.parse_args()
    digits = load_mnist(train=True)
    pairs = CorruptedDigits(digits, seed=0)
    for batch_size in (32, 128):
        contenders = epoch_contenders(pairs, min(args.count, len(pairs)), batch_size)
        for contender in contenders.values():
            contender()  # a warm-up
        rounds = [{k: seconds(f) for k, f in contenders.items()} for _ in range(args.rounds)]
        for a, b in (("ours", "bare"), ("ours", "classic")):
            ratios = [row[a] / row[b] for row in rounds]
            print(
                f"batch {batch_size:3}: {a} / {b}: median {statistics.median(ratios):.3f} "
                f"({min(ratios):.3f} to {max(ratios):.3f})"
            )
    pictures = [to_pil_image(image) for image in digits.images]
    rounds = []
    for _ in range(3):
        one_by_one = seconds(lambda: [(gaussian_noise(x := ToTensor()(p)), x) for p in pictures])
        rounds.append((one_by_one, seconds(lambda: CorruptedDigits(digits))))
    slow, fast = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"pairs: {slow:.1f} s one by one, {fast:.2f} s at once, {slow / fast:.0f} times")


if __name__ == "__main__":
    main()
