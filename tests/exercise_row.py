"""What the tests know of an exercise."""

from collections.abc import Callable
from typing import NamedTuple


class Row(NamedTuple):
    """A right answer; wrong answers with words that name the mistake; right ones of other style."""

    right: Callable
    wrong: list[tuple[Callable, str]]
    also: tuple[Callable, ...] = ()
