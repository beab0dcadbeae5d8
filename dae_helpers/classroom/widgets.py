"""Interactive explorers: a figure that follows its controls, and a pad to draw a digit on."""

import base64
import html
import io
from collections.abc import Callable, Mapping
from pathlib import Path

import ipywidgets
import numpy as np
import traitlets
from IPython import get_ipython
from IPython.display import display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

try:
    import anywidget
except ImportError:  # the pad is then a plain list of digits
    anywidget = None

__all__ = ["choice", "drawing_pad", "explore", "slider"]

DPI = 80
LOOK = {"style": {"description_width": "8em"}, "layout": {"width": "32em"}}


# JupyterLab's shortcuts would take the arrow keys (and `m`, `d d` ...) from a focused control. The
# attribute has to be on the control itself, and no trait of a widget sets one.
KEYS = """<!-- live: not kept in a saved notebook --><script>(function keep(tries) {
  document.querySelectorAll(".dae-explorer *").forEach((e) => {
    e.dataset.lmSuppressShortcuts = "true";
  });
  if (tries > 0) setTimeout(keep, 500, tries - 1);
})(20);</script>"""


def slider(description: str, values, value):
    """A labelled slider over a list of ``values``, which starts at ``value``."""
    return ipywidgets.SelectionSlider(
        description=description, options=list(values), value=value, **LOOK
    )


def choice(description: str, names, value=None):
    """A labelled drop-down list of ``names``, which starts at ``value`` or the first."""
    names = list(names)
    return ipywidgets.Dropdown(
        description=description, options=names, value=names[0] if value is None else value, **LOOK
    )


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer, pil_kwargs={"compress_level": 3})
    return buffer.getvalue()


def explore(figure: Figure, update: Callable[..., None], **controls) -> ipywidgets.VBox:
    """Show ``figure`` below its ``controls``; call ``update(**values)`` when one of them moves.

    ``update`` should change the artists of ``figure`` (``set_data``, ``set_title``): that is
    several times faster than to draw new ones. The layout is fixed after the first picture, so
    that nothing jumps. What is displayed is also a static picture, so a front-end without a kernel
    shows the first state. An error in ``update`` is raised; when it comes with a move, its one line
    stands above the picture until a move succeeds. A plain Python script shows nothing but a line.
    Returns the widget, for tests.
    """
    width = f"{round(DPI * figure.get_figwidth())}px"
    picture = ipywidgets.Image(format="png", layout={"width": width, "max_width": "100%"})
    problem, box = ipywidgets.HTML(), ipywidgets.VBox()
    box.add_class("dae-explorer")

    def refresh(_change=None) -> None:
        shown = [picture]
        try:
            update(**{name: control.value for name, control in controls.items()})
            picture.value = _png(figure)
        except Exception as error:  # a kernel keeps what a callback raises to its log
            problem.value = html.escape(f"update() stopped with {type(error).__name__}: {error}")
            shown = [problem, picture]
            raise
        finally:
            box.children = [*controls.values(), *shown]

    figure.set_dpi(DPI)
    refresh()
    figure.set_layout_engine("none")
    for control in controls.values():
        control.observe(refresh, names="value")
    if not hasattr(get_ipython(), "kernel"):
        print("an interactive explorer: it shows in a notebook")
        return box
    view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
    display(
        {
            "application/vnd.jupyter.widget-view+json": view,
            "image/png": base64.b64encode(picture.value).decode(),
            "text/plain": "an interactive explorer (it needs a running kernel)",
        },
        raw=True,
    )
    display({"text/html": KEYS, "text/plain": ""}, raw=True)
    return box


class _DrawingPad(ipywidgets.VBox):
    """A list of digits, with a canvas below it where anywidget is installed."""

    value = traitlets.Bytes()


def drawing_pad(description: str, images: Mapping[str, np.ndarray]) -> ipywidgets.VBox:
    """A control to draw a digit on by mouse, finger or keys, or to choose one of ``images``.

    ``images``: label -> (28, 28), values in [0, 1]; the first one is shown at the start. The
    control's ``value`` holds 784 bytes, row by row, 0 (black) to 255 (white). Where the canvas
    cannot run (it takes the package anywidget), the list of images still does.
    """
    pixels = {label: _to_bytes(image) for label, image in images.items()}
    picker = choice(description, pixels)
    pad = _DrawingPad([picker], value=pixels[picker.value])
    if anywidget:
        canvas = _make_canvas(pad.value)
        pad.children = [picker, canvas]
        traitlets.link((pad, "value"), (canvas, "value"))
    picker.observe(lambda change: pad.set_trait("value", pixels[change["new"]]), names="value")
    return pad


def _to_bytes(image) -> bytes:
    image = np.asarray(image)
    if image.shape != (28, 28):
        raise ValueError(f"images should have the shape (28, 28), but one has {image.shape}")
    return (image * 255).round().clip(0, 255).astype(np.uint8).tobytes()


def _make_canvas(value: bytes):
    class Canvas(anywidget.AnyWidget):
        _esm = Path(__file__).with_name("canvas.js").read_text(encoding="utf-8")
        value = traitlets.CBytes().tag(sync=True)  # a memoryview arrives

    return Canvas(value=value)
