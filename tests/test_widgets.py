"""Explorers follow their controls, and leave a picture where no kernel is."""

import base64
import html
import sys
import types

import numpy as np
import pytest
from matplotlib.figure import Figure

from dae_helpers.classroom import widgets
from dae_helpers.classroom.widgets import choice, drawing_pad, explore, slider


@pytest.fixture
def shown(monkeypatch):
    """What was displayed, as in a notebook: a list of (arguments, options)."""
    calls = []
    monkeypatch.setattr(widgets, "get_ipython", lambda: types.SimpleNamespace(kernel="a kernel"))
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
    ((bundle,), options), ((keys,), _) = shown
    assert options == {"raw": True}
    assert set(bundle) == {"application/vnd.jupyter.widget-view+json", "image/png", "text/plain"}
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == box.model_id
    assert base64.b64decode(bundle["image/png"]) == picture(box)
    assert bundle["text/plain"].strip()


def test_keys_are_kept_for_controls_and_the_script_is_not_kept_in_a_notebook(figure, shown):
    box = explore(figure, lambda digit: None, digit=choice("digit", [1, 2]))
    script = shown[1][0][0]["text/html"]
    assert script.startswith("<!-- live")
    assert "lmSuppressShortcuts" in script
    assert "dae-explorer" in script and "dae-explorer" in box._dom_classes


def test_layout_stays_as_it_was_at_first(shown):
    figure = Figure(figsize=(3, 1), layout="constrained")
    axis = figure.add_subplot()
    size = slider("size", [6, 60], 6)
    explore(figure, lambda size: axis.set_title("a title", fontsize=size), size=size)
    place = axis.get_position().bounds
    size.value = 60
    assert axis.get_position().bounds == place


PAGES = {"one": np.full((28, 28), 0.2), "two": np.eye(28)}


@pytest.fixture(params=["canvas", "list only"])
def pad(request, monkeypatch):
    if request.param == "list only":
        monkeypatch.setattr(widgets, "anywidget", None)
    return drawing_pad("start from", PAGES)


def test_pad_starts_with_the_first_image_and_follows_the_list(pad):
    assert pad.value == bytes([51]) * 784
    picker = pad.children[0]
    assert picker.description == "start from" and list(picker.options) == ["one", "two"]
    picker.value = "two"
    assert np.array_equal(np.frombuffer(pad.value, np.uint8).reshape(28, 28), 255 * np.eye(28))


def test_pad_moves_an_explorer(pad, figure, shown):
    seen = []
    explore(figure, lambda drawing: seen.append(drawing), drawing=pad)
    pad.children[0].value = "two"
    assert len(seen) == 2 and seen[0] != seen[1]


def test_pad_has_a_canvas_only_with_anywidget(monkeypatch):
    assert len(drawing_pad("start from", PAGES).children) == 2
    monkeypatch.setattr(widgets, "anywidget", None)
    assert len(drawing_pad("start from", PAGES).children) == 1


def test_pad_takes_what_the_browser_sends():
    pad = drawing_pad("start from", PAGES)
    canvas = pad.children[1]
    assert canvas.value == pad.value
    canvas.set_state({"value": memoryview(bytes([7]) * 784)})
    assert pad.value == bytes([7]) * 784
    pad.children[0].value = "two"
    assert canvas.value == pad.value


def test_colab_is_asked_to_show_the_pad(monkeypatch):  # anywidget does that
    calls, output = [], types.ModuleType("google.colab.output")
    output.enable_custom_widget_manager = lambda: calls.append(1)
    monkeypatch.setitem(sys.modules, "google", types.ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    monkeypatch.setitem(sys.modules, "google.colab.output", output)
    sys.modules["anywidget._util"].enable_custom_widget_manager_once.cache_clear()
    drawing_pad("start from", PAGES)
    assert calls == [1]


def test_pad_wants_images_of_28_by_28():
    with pytest.raises(ValueError, match=r"\(28, 28\).*\(1, 28, 28\)"):
        drawing_pad("start from", {"one": np.zeros((1, 28, 28))})


def test_error_of_the_first_picture_is_raised(figure, shown):
    with pytest.raises(ZeroDivisionError):
        explore(figure, lambda digit: digit / 0, digit=choice("digit", [2]))
    assert shown == []


def test_error_of_a_move_is_said_above_the_picture_until_a_move_succeeds(figure, shown):
    def update(digit):
        if digit == 2:
            raise ValueError("<b> in the reader's own code")
        figure.axes[0].set_title(digit)

    digit = choice("digit", [1, 2, 3])
    box = explore(figure, update, digit=digit)
    first = picture(box)
    with pytest.raises(ValueError, match="reader's own"):  # for the log of the kernel
        digit.value = 2
    assert box.children[0] is digit
    said = html.unescape(box.children[1].value)
    assert said == "update() stopped with ValueError: <b> in the reader's own code"
    assert "<b>" not in box.children[1].value
    assert picture(box) == first
    digit.value = 3
    assert len(box.children) == 2 and picture(box) != first


@pytest.mark.parametrize("shell", [None, types.SimpleNamespace()], ids=["Python", "IPython"])
def test_a_script_goes_on_after_one_line(figure, shown, shell, monkeypatch, capsys):
    monkeypatch.setattr(widgets, "get_ipython", lambda: shell)
    pad = drawing_pad("start from", PAGES)
    box = explore(figure, lambda drawing: figure.axes[0].set_title(drawing[0]), drawing=pad)
    (line,) = capsys.readouterr().out.splitlines()
    assert "notebook" in line and shown == []
    first = picture(box)
    pad.children[0].value = "two"
    assert picture(box) != first


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
