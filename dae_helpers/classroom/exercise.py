"""What the checks of the exercises share; ``exercises_01`` holds those of notebook 01, and so on.

A check takes the reader's answer, prints one line and returns True or False. It tests what the
answer *does*, on inputs drawn anew at every call, so no constant passes.
"""

import copy
import functools
import inspect
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

DRAWS = 4  # so that a lucky constant does not pass


class NotYet(Exception):
    """The stub is still a stub."""


class Wrong(Exception):
    """An answer that cannot be judged any further; the text says what is wrong with it."""


def exercise(check: Callable | None = None, *, copies: bool = True, hint: str = "") -> Callable:
    """Make a check of a function that takes an answer, and returns what is wrong with it or None.

    The answer gets copies of its inputs, so that it may change them; with ``copies=False`` the
    inputs themselves, for an exercise that looks at them afterwards. ``hint`` is added where the
    answer stops with an error about types or shapes.
    """
    if check is None:
        return functools.partial(exercise, copies=copies, hint=hint)

    @functools.wraps(check)
    def ask(answer) -> bool:
        def answered(*inputs):
            result = answer(*map(own, inputs) if copies else inputs)
            if result is ...:
                raise NotYet
            if result is None:
                raise Wrong("your function returns None: is a `return` missing?")
            return result

        try:
            with torch.random.fork_rng(devices=[]):  # the reader's random numbers stay the same
                torch.seed()
                problem = next(filter(None, (check(answered) for _ in range(DRAWS))), None)
        except NotYet:
            print("Not yet: write your answer in place of the ..., then run both cells again.")
            return False
        except Wrong as wrong:
            problem = str(wrong)
        except Exception as error:
            text = " ".join(str(error).split()).rstrip(".")
            problem = f"your code stopped with {type(error).__name__}: {text}."
            if hint and isinstance(error, TypeError | ValueError | RuntimeError):
                problem += f" Hint: {hint}"
        print("Right." if problem is None else f"Not quite: {problem}")
        return problem is None

    return ask


def own(value):
    """A copy that shares no memory with ``value``; gradients pass through that of a tensor."""
    return value.clone() if isinstance(value, Tensor) else copy.deepcopy(value)


def tensor(found) -> Tensor:
    """``found`` (a tensor, an array, numbers) as doubles; the check ends if it is none of these."""
    try:
        return torch.as_tensor(found).detach().double()
    except (TypeError, ValueError, RuntimeError):
        kind = type(found).__name__
        raise Wrong(f"return numbers; your function returns a {kind} that holds others.") from None


def number(found, otherwise: str = "return a single number.") -> float:
    """``found`` as one number; the check ends with the words ``otherwise`` if it is not one."""
    found = tensor(found)
    if found.numel() != 1:
        raise Wrong(otherwise)
    return found.item()


def close(found, expected, tolerance: float = 1e-4) -> bool:
    """Whether two tensors, arrays or numbers have the same shape and nearly the same values."""
    found, expected = tensor(found), tensor(expected)
    return found.shape == expected.shape and torch.allclose(
        found, expected, rtol=tolerance, atol=tolerance
    )


def judge(found, right, mistakes: dict, otherwise: str, tolerance: float = 1e-4) -> str | None:
    """What is wrong with ``found``; None if it is ``right``.

    ``mistakes``: words -> the value that comes out of this mistake, the likeliest one first.
    """
    if close(found, right, tolerance):
        return None
    named = (words for words, value in mistakes.items() if close(found, value, tolerance))
    return next(named, otherwise)


def formula(
    answer: Callable, cases: Sequence[tuple], values: Callable, tolerance: float = 1e-4
) -> str | None:
    """What is wrong with a formula that gives one number, tried on several ``cases`` of inputs.

    ``values`` takes a case and returns what is right, and what each mistake makes of it, as for
    ``judge``. A mistake is named if it fits *all* cases, so a coincidence does not name another.
    """
    found = tensor([number(answer(*case)) for case in cases])
    right, mistakes = zip(*(values(*case) for case in cases), strict=True)
    wrong = {words: tensor([each[words] for each in mistakes]) for words in mistakes[0]}
    i = int((found - tensor(right)).abs().argmax())
    names = inspect.signature(values).parameters
    inputs = ", ".join(f"{name} {value}" for name, value in zip(names, cases[i], strict=True))
    otherwise = f"for {inputs} it should be {right[i]:.5g}, but it is {found[i]:.5g}."
    return judge(found, right, wrong, otherwise, tolerance)


def whole(low: int, high: int) -> int:
    """Draw a whole number from ``low`` to ``high``, both included."""
    return int(torch.randint(low, high + 1, ()))


def real(low: float, high: float) -> float:
    """Draw a number from ``low`` to ``high``, with three decimals."""
    return round(low + (high - low) * torch.rand(()).item(), 3)
