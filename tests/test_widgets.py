"""Explorers follow their controls, and leave a picture where no kernel is."""

import base64

import pytest
from matplotlib.figure import Figure

from dae_helpers import widgets
from dae_helpers.widgets import choice, explore, slider


@pytest.fixture
def shown(monkeypatch):
    """What was displayed: a list of (arguments, options)."""
    calls = []
    monkeypatch.setattr(widgets, "display", lambda *args, **options: calls.append((args, options)))
    return calls


@pytest.fixture
def figure():
    figure = Figure(figsize=(2, 1))
    figure.add_subplot().set_title("start")
    return figure


def picture(box):
    return bytes(box.children[-1].value)


def test_update_is_called_at_once_and_at_every_change(figure, shown):
    calls = []

    def update(var, digit):
        calls.append((var, digit))

    var, digit = slider("variance", [0.0, 0.1, 0.2], 0.1), choice("digit", [3, 5, 8])
    explore(figure, update, var=var, digit=digit)
    assert calls == [(0.1, 3)]
    var.value = 0.2
    digit.value = 8
    assert calls == [(0.1, 3), (0.2, 3), (0.2, 8)]
    digit.value = 8
    assert len(calls) == 3, "nothing moved"


def test_picture_follows_every_control(figure, shown):
    def update(word, bar):
        figure.axes[0].set_title(word)
        figure.axes[0].set_xlim(0, bar)

    word, bar = choice("word", ["one", "two"]), slider("bar", [1, 2], 1)
    box = explore(figure, update, word=word, bar=bar)
    first = picture(box)
    assert first.startswith(b"\x89PNG")
    word.value = "two"
    second = picture(box)
    bar.value = 2
    third = picture(box)
    assert len({first, second, third}) == 3
    word.value, bar.value = "one", 1
    assert picture(box) == first


def test_controls_stand_above_the_picture(figure, shown):
    a, b = choice("a", [1]), choice("b", [2])
    box = explore(figure, lambda a, b: None, a=a, b=b)
    assert list(box.children[:-1]) == [a, b]
    assert box.children[-1].format == "png"


def test_what_is_displayed_shows_without_a_kernel_too(figure, shown):
    box = explore(figure, lambda digit: None, digit=choice("digit", [1, 2]))
    (((bundle,), options),) = shown
    assert options == {"raw": True}
    assert set(bundle) == {"application/vnd.jupyter.widget-view+json", "image/png", "text/plain"}
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == box.model_id
    assert base64.b64decode(bundle["image/png"]) == picture(box)
    assert bundle["text/plain"].strip()


def test_error_in_update_is_raised(figure, shown):
    def update(digit):
        if digit == 2:
            raise ZeroDivisionError("in the reader's own code")

    digit = choice("digit", [1, 2])
    explore(figure, update, digit=digit)
    with pytest.raises(ZeroDivisionError):
        digit.value = 2
    with pytest.raises(ZeroDivisionError):
        explore(figure, update, digit=choice("digit", [2]))


def test_controls_have_labels():
    control = slider("variance", (0.0, 0.1), 0.1)
    assert control.description == "variance" and control.value == 0.1
    assert list(control.options) == [0.0, 0.1]
    menu = choice("noise", ("Gaussian", "masking"))
    assert menu.description == "noise" and menu.value == "Gaussian"
    assert choice("noise", ["a", "b"], "b").value == "b"
    assert list(choice("noise", {"a": 1, "b": 2}).options) == ["a", "b"]


def test_slider_starts_at_one_of_its_values():
    with pytest.raises(Exception, match="(?i)invalid selection"):
        slider("variance", [0.0, 0.1], 0.05)
