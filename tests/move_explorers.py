"""A cell for the end of a notebook: moves every control of its explorers, and times the answers.

Everything is inside one function, so that no name of the notebook is taken.
"""


def move_explorers():
    """Print the number of controls, the usual seconds of a move, and those of a new figure."""
    import io
    import json
    import statistics
    import time

    import ipywidgets
    from matplotlib.figure import Figure

    def seconds(action):
        started = time.perf_counter()
        action()
        return time.perf_counter() - started

    def fresh_figure():
        drawn = Figure(figsize=(8, 2.8), layout="constrained")
        for axis in drawn.subplots(1, 3):
            axis.imshow([[0, 1], [1, 0]], cmap="gray")
            axis.set_title("a title")
        drawn.savefig(io.BytesIO(), format="png", dpi=80)

    def stops(control):
        """Some of the values that a control can take, the first and the last among them."""
        if not hasattr(control, "options"):
            return [bytes([i]) * 784 for i in (0, 255)]  # a drawing pad
        values = [value for _, value in control._options_full]
        return [*values[:: max(1, len(values) // 8)], values[-1]]

    boxes = [value for value in globals().values() if isinstance(value, ipywidgets.VBox)]
    moved, times, fresh = 0, [], []
    for box in [box for box in boxes if "dae-explorer" in box._dom_classes]:
        *controls, picture = box.children
        for control in controls:
            start, pictures = control.value, {bytes(picture.value)}
            for value in [*stops(control), start]:
                if value != control.value:
                    times.append(seconds(lambda c=control, v=value: c.set_trait("value", v)))
                    pictures.add(bytes(picture.value))
            fresh.append(seconds(fresh_figure))
            moved += 1
            name = getattr(control, "description", "pad")
            assert len(pictures) > 1, f"the picture does not follow {name!r}"
    print(json.dumps([moved, statistics.median(times), statistics.median(fresh)]))


move_explorers()
