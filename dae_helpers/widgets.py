"""Interactive explorers: a figure that follows its controls."""

import base64
import io
from collections.abc import Callable

import ipywidgets
from IPython.display import display
from matplotlib.figure import Figure

__all__ = ["choice", "explore", "slider"]


def slider(description: str, values, value):
    """A labelled slider over a list of ``values``, which starts at ``value``."""
    return ipywidgets.SelectionSlider(
        description=description,
        options=list(values),
        value=value,
        style={"description_width": "7em"},
        layout={"width": "30em"},
    )


def choice(description: str, names, value=None):
    """A labelled drop-down list of ``names``, which starts at ``value`` or the first."""
    names = list(names)
    return ipywidgets.Dropdown(
        description=description,
        options=names,
        value=names[0] if value is None else value,
        style={"description_width": "7em"},
        layout={"width": "30em"},
    )


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=80, facecolor="white")
    return buffer.getvalue()


def explore(figure: Figure, update: Callable[..., None], **controls) -> ipywidgets.VBox:
    """Show ``figure`` above its ``controls``; call ``update(**values)`` when one of them moves.

    ``update`` changes the artists of ``figure`` (``set_data``, ``set_title``), which is faster
    than a new figure. What is displayed is also a static picture, so a front-end without a kernel
    shows the first state. Returns the widget, for tests.
    """
    picture = ipywidgets.Image(format="png")

    def refresh(_change=None) -> None:
        update(**{name: control.value for name, control in controls.items()})
        picture.value = _png(figure)

    for control in controls.values():
        control.observe(refresh, names="value")
    refresh()
    box = ipywidgets.VBox([*controls.values(), picture])
    view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
    display(
        {
            "application/vnd.jupyter.widget-view+json": view,
            "image/png": base64.b64encode(picture.value).decode(),
            "text/plain": "an interactive explorer (it needs a running kernel)",
        },
        raw=True,
    )
    return box
