"""What the helper costs: an epoch of training, its memory, and preparing the pairs.

An epoch: the classic loop (a ``DataLoader`` over a list of tuples, contiguous weights), ours
(``minibatch_gd`` on ``CorruptedDigits``), and bare forward, backward and step on mini-batches that
are already there, in the memory format of ours. The maths is the same.
"""

import argparse
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable

import torch
from measure import in_turn, seconds, spread, table
from torch.utils.data import DataLoader, TensorDataset
from torchvision.transforms import ToTensor
from torchvision.transforms.functional import to_pil_image

from dae_helpers import CorruptedDigits, DenoisingAutoencoder, load_mnist, minibatch_gd
from dae_helpers.data import Digits
from dae_helpers.noise import gaussian_noise
from dae_helpers.training import minibatch_loss

LR, NAMES = 0.01, ("classic", "ours", "bare")


def gradient_step(model: torch.nn.Module, corrupted: torch.Tensor, original: torch.Tensor) -> None:
    """Forward, backward, and the hand-written step."""
    loss = minibatch_loss(model, corrupted, original)
    loss.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter -= LR * parameter.grad
            parameter.grad = None
    loss.item()


def contender(name: str, digits: Digits, batch_size: int) -> Callable[[], None]:
    """A function that goes once over the corrupted digits, prepared in the contender's way."""
    if name == "classic":
        tuples = [(gaussian_noise(image), image) for image in digits.images]

        def classic() -> None:
            model = DenoisingAutoencoder()
            for inputs, targets in DataLoader(tuples, batch_size=batch_size, shuffle=True):
                gradient_step(model, inputs, targets)

        return classic
    pairs = CorruptedDigits(digits, seed=0)
    if name == "ours":
        one = TensorDataset(pairs.corrupted[:1], pairs.original[:1])
        options = {"lr": LR, "batch_size": batch_size, "progress": False}
        return lambda: minibatch_gd(DenoisingAutoencoder(), 1, pairs, one, **options)
    last = [x.contiguous(memory_format=torch.channels_last) for x in pairs[:]]
    batches = list(zip(*(x.split(batch_size) for x in last), strict=True))

    def bare() -> None:
        model = DenoisingAutoencoder().to(memory_format=torch.channels_last)
        for inputs, targets in batches:
            gradient_step(model, inputs, targets)

    return bare


def one_alone(name: str, batch_size: int) -> None:
    """Print the seconds and the peak memory (MB) of one whole epoch: a process of its own."""
    epoch = contender(name, load_mnist(train=True), batch_size)
    print(seconds(epoch), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--count", type=int, default=6400, help="pairs in a measured epoch")
    parser.add_argument("--whole", type=int, default=3, help="rounds of whole epochs")
    parser.add_argument("--alone", nargs=2, metavar=("NAME", "BATCH"), help="one epoch, no table")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.alone:
        one_alone(args.alone[0], int(args.alone[1]))
        return
    digits = load_mnist(train=True)
    some = Digits(digits.images[: args.count], digits.labels[: args.count], digits.source)
    print(f"## An epoch of training\n\n{len(some):,} pairs, {args.rounds} rounds, in turn; one ")
    print("thread. Ratios of seconds: median (lowest to highest). Lower is faster.\n")
    rows = []
    for batch_size in (32, 128):
        found = in_turn({name: contender(name, some, batch_size) for name in NAMES}, args.rounds)
        for other in ("bare", "classic"):
            ratios = [a / b for a, b in zip(found["ours"], found[other], strict=True)]
            rows.append((batch_size, f"ours / {other}", spread(ratios, 3)))
    table(("batch", "ratio", "seconds"), rows)

    print(f"A whole epoch of all digits, each in a process of its own, in turn, {args.whole} ")
    print("rounds:\n")
    rows = []
    for batch_size in (32, 128):
        found = {name: [] for name in NAMES}
        for _ in range(args.whole):
            for name in NAMES:
                command = [sys.executable, __file__, "--alone", name, str(batch_size)]
                said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                found[name].append([float(x) for x in said.split()[-2:]])
        for name, runs in found.items():
            times, memory = zip(*runs, strict=True)
            rows.append((batch_size, name, spread(times, 1), f"{statistics.median(memory):,.0f}"))
    table(("batch", "loop", "seconds", "peak memory of the process, MB"), rows)

    print("## Preparing pairs\n\nAll 70,000 digits, three rounds in turn.\n")
    test = load_mnist(train=False)
    images = torch.cat([digits.images, test.images])
    pictures = [to_pil_image(image) for image in images]
    every = Digits(images, torch.cat([digits.labels, test.labels]), "both files")
    found = in_turn(
        {
            "one by one": lambda: [(gaussian_noise(x := ToTensor()(p)), x) for p in pictures],
            "at once": lambda: CorruptedDigits(every),
        },
        3,
    )
    ratios = [a / b for a, b in zip(*found.values(), strict=True)]
    rows = [(name, spread(times)) for name, times in found.items()]
    table(("how", "seconds"), [*rows, ("ratio", spread(ratios, 0))])


if __name__ == "__main__":
    main()
