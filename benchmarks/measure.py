"""What all benchmarks share: seconds, medians, and a Markdown table."""

import statistics
import time
from collections.abc import Callable, Iterable, Sequence

COLLAPSED = 11.0  # dB; an all-black image has 10.1


def seconds(function: Callable[[], object]) -> float:
    """How long one call takes."""
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def in_turn(contenders: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of every contender in every round, after one warm-up; A B C A B C ..."""
    for contender in contenders.values():
        contender()
    table = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            table[name].append(seconds(contender))
    return table


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Median, and lowest to highest."""
    low, high = min(values), max(values)
    return f"{statistics.median(values):.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a Markdown table."""
    for row in (head, ["---"] * len(head), *rows):
        print("| " + " | ".join(map(str, row)) + " |")
    print(flush=True)
