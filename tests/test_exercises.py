"""The checks of the exercises: right answers pass, typical mistakes are named, nothing else does.

A new exercise needs a row in ``exercise_rows_NN.py``: right answers, and wrong ones, each with
words of the message that names the mistake. Where that is possible, a right answer changes its
inputs.
"""

import importlib
import inspect
import pkgutil

import numpy as np
import pytest
import torch

from dae_helpers import classroom
from dae_helpers.classroom.exercise import close, exercise

TIMES = 5
MODULES = [
    importlib.import_module(f"dae_helpers.classroom.{module.name}")
    for module in pkgutil.iter_modules(classroom.__path__)
    if module.name.startswith("exercises_")
]
ROWS = {
    name: row
    for module in MODULES
    for name, row in importlib.import_module(f"exercise_rows_{module.__name__[-2:]}").ROWS.items()
}
CHECKS = {
    name: check
    for module in MODULES
    for name, check in inspect.getmembers(module, inspect.isfunction)
    if check.__module__ == module.__name__ and hasattr(check, "__wrapped__")  # not their helpers
}


CONSTANTS = [
    *(0, 1, 2, 7, 28, 576, 44_081, -1, True, 0.0, 0.1, 1 / 3, 0.5, 0.8, 13.0),
    *("", "right", [], [1.0], (0.5,) * 4, {}),
    *(torch.zeros(()), torch.zeros(5), torch.ones(4), torch.zeros(50, 1, 20, 12)),
    *(np.zeros((40, 6)), np.zeros((40, 2))),
]
# A missing row makes one test red, and not the whole file.
NAMES = [name for name in CHECKS if name in ROWS]
WRONG = [
    pytest.param(name, answer, words, id=f"{name}-{words}")
    for name in NAMES
    for answer, words in ROWS[name].wrong
]


@pytest.fixture
def ask(capsys):
    """Puts an answer to a check; gives its verdict and its one line."""

    def put(check, answer):
        capsys.readouterr()
        verdict = CHECKS.get(check, check)(answer)
        captured = capsys.readouterr()
        (line,) = captured.out.splitlines()
        assert captured.err == ""
        assert verdict is (line == "Right.")
        return verdict, line

    return put


@pytest.fixture
def seeded(monkeypatch):
    """The inputs of a check are those of a seed, so that a test always sees the same."""
    seeds = iter(range(10**6))
    monkeypatch.setattr(torch, "seed", lambda: torch.manual_seed(next(seeds)))


def test_every_exercise_has_a_row():
    assert set(ROWS) == set(CHECKS)
    assert len(CHECKS) == 4 * len(MODULES)
    assert all(row.wrong for row in ROWS.values())
    assert all(check.__doc__.startswith("Exercise ") for check in CHECKS.values())


@pytest.mark.parametrize("name", CHECKS)
def test_stub_is_not_yet_an_answer(ask, name):
    verdict, line = ask(name, lambda *inputs: ...)
    assert verdict is False
    assert line.startswith("Not yet")


@pytest.mark.parametrize("name", NAMES)
def test_a_forgotten_return_is_named(ask, name):
    def forgetful(*inputs):
        ROWS[name].right(*inputs)

    for answer in (forgetful, lambda *inputs: None):
        verdict, line = ask(name, answer)
        assert verdict is False
        assert line.startswith("Not quite") and "`return` missing" in line


@pytest.mark.parametrize("name", NAMES)
def test_right_answer_always_passes(ask, name, seeded):
    for answer in (ROWS[name].right, *ROWS[name].also):
        for _ in range(TIMES):
            assert ask(name, answer) == (True, "Right.")


@pytest.mark.parametrize(("name", "answer", "words"), WRONG)
def test_typical_mistake_is_named(ask, name, answer, words, seeded):
    for _ in range(TIMES):
        verdict, line = ask(name, answer)
        assert verdict is False
        assert line.startswith("Not quite: ") and words in line


@pytest.mark.parametrize("name", CHECKS)
def test_no_constant_passes(ask, name, seeded):
    for constant in CONSTANTS:
        passed = sum(ask(name, lambda *a, value=constant: value)[0] for _ in range(TIMES))
        assert passed == 0, f"{constant!r} passes {passed} of {TIMES} times"


@pytest.mark.parametrize("name", CHECKS)
def test_answer_that_fails_is_reported(ask, name):
    def answer(*inputs):
        raise ZeroDivisionError("somewhere in\n  the answer")

    assert ask(name, answer) == (
        False,
        "Not quite: your code stopped with ZeroDivisionError: somewhere in the answer.",
    )
    verdict, line = ask(name, lambda: 0)
    assert verdict is False
    assert "TypeError" in line


@exercise
def twice(answer):
    """Twice a tensor, an array, and the numbers of a list; asked for two times."""
    inputs = torch.rand(3), np.random.default_rng().random(3), torch.rand(3).tolist()
    results = [answer(*inputs), answer(*inputs)]
    right = [[2 * x for x in each] for each in inputs]
    return None if all(close(result, right) for result in results) else "wrong"


def twice_in_place(a, b, c):
    a *= 2
    b *= 2
    c[:] = [2 * x for x in c]
    return [a.tolist(), b.tolist(), c]


def test_an_answer_may_change_its_inputs(ask):
    assert ask(twice, twice_in_place)[0]


def test_an_answer_may_keep_its_inputs_and_change_them_later(ask):
    kept = []

    def answer(*inputs):
        for a, b, c in kept:
            a.zero_()
            b[:] = 0
            c.clear()
        kept.append(inputs)
        return [[2 * float(x) for x in each] for each in inputs]

    assert ask(twice, answer)[0]
    assert len(kept) > 2


def test_an_exercise_can_hand_out_the_inputs_themselves(ask):
    inputs = []

    @exercise(copies=False)
    def in_place(answer):
        inputs.append(torch.ones(2))
        answer(inputs[-1])
        return None if inputs[-1].sum() == 0 else "unchanged"

    assert ask(in_place, lambda x: x.zero_())[0]
    assert ask(in_place, lambda x: 0 * x) == (False, "Not quite: unchanged")


def test_a_view_of_the_input_is_a_result_like_any_other(ask):
    @exercise
    def last(answer):
        x = torch.rand(3)
        first, second = answer(x), answer(x)
        return None if close(first, x[1:]) and close(second, x[1:]) else "wrong"

    assert ask(last, lambda x: x[1:])[0]
    assert ask(last, lambda x: x.mul_(2)[1:]) == (False, "Not quite: wrong")


def test_inputs_are_drawn_anew_and_the_random_numbers_of_the_reader_stay(ask):
    seen = []

    def answer(*inputs):
        seen.append(inputs[0].sum().item())
        return twice_in_place(*inputs)

    state = torch.get_rng_state()
    for _ in range(2):
        assert ask(twice, answer)[0]
    assert len(seen) > 2 and len(set(seen)) == len(seen) / 2, "two answers to each drawing"
    assert torch.equal(torch.get_rng_state(), state)


def test_ctrl_c_is_not_an_answer():
    def answer(*inputs):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        twice(answer)
