"""Windows' rules for names and paths, and figures that can be read in a dark JupyterLab."""

import ast
import base64
import io
import re
import subprocess

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from notebook_checks import NOTEBOOKS, ROOT, outputs, read
from PIL import Image

from dae_helpers import course
from dae_helpers.classroom import widgets
from dae_helpers.plotting import DRAWINGS, plot_losses, show_images

SCRIPTS = [path for folder in ("dae_helpers", "tools") for path in ROOT.glob(f"{folder}/**/*.py")]


def all_files():
    """Every file of the repository, as git names it; from a copy without git, what lies there."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True
    ).stdout.split("\0")
    found = [path.relative_to(ROOT).as_posix() for path in ROOT.glob("[a-z]*/**/*")]
    return [name for name in listed if name] or found


def name_problems(names):
    """What Windows would refuse, or mix up, in these names."""
    found = [n for n in names if re.search(r'[<>:"\\|?*\x00-\x1f]|[ .](/|$)', n)]
    found += [n for n in names if re.search(r"(?i)(^|/)(con|prn|aux|nul|com\d|lpt\d)([./]|$)", n)]
    found += [n for n in names if len(n) > 150]
    small = [n.lower() for n in names]
    return found + [n for n in names if small.count(n.lower()) > 1]


def test_file_names_suit_windows():
    names = all_files()
    assert len(names) > 40
    assert name_problems(names) == []


def test_bad_names_are_seen():
    for name in ["a:b", "what?", "ends.", "aux.py", "con/x", "a|b", "x" * 151]:
        assert name_problems([name]) == [name]
    assert name_problems(["Read", "read"]) == ["Read", "read"]


def path_problems(source):
    """Paths put together by hand, and text files without an encoding, which Windows lacks."""
    found = []
    for node in ast.walk(ast.parse(source)):
        text = ast.unparse(node) if isinstance(node, ast.expr) else ""
        if isinstance(node, ast.Attribute) and text == "os.path.join":
            found.append("os.path.join: pathlib joins with /")
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            sides = [
                side.value for side in (node.left, node.right) if isinstance(side, ast.Constant)
            ]
            if any(isinstance(side, str) and re.match(r"[/\\]|.*[/\\]$", side) for side in sides):
                found.append(f"a path by hand: {text}")
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if re.match(r"/(tmp|home|usr|var)/|[A-Z]:\\", node.value):
                found.append(f"a path of one system: {node.value}")
        if isinstance(node, ast.Call) and text.startswith("open(") and "encoding" not in text:
            modes = [arg.value for arg in node.args[1:] if isinstance(arg, ast.Constant)]
            if not any("b" in mode for mode in modes):
                found.append(f"no encoding: {text}")
        if isinstance(node, ast.Call) and re.search(r"\.(read|write)_text\(", text):
            if "encoding" not in text.rpartition("_text(")[2]:
                found.append(f"no encoding: {text}")
    return found


def test_paths_are_pathlibs_and_text_has_an_encoding():
    assert len(SCRIPTS) > 20
    found = {path.name: path_problems(path.read_text(encoding="utf-8")) for path in SCRIPTS}
    # pretrain.py reads numbers and commas, on which all encodings agree.
    found["pretrain.py"] = [one for one in found["pretrain.py"] if "no encoding" not in one]
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_paths_by_hand_are_seen():
    for source in (
        "import os\nos.path.join(a, b)",
        "a + '/b'",
        "'/tmp/x'",
        "'C:\\\\data'",
        "open(p)",
        "p.read_text()",
    ):
        assert path_problems(source) != [], source


# A dark theme: every picture brings its own white ground


def ground(png):
    """The share of opaque pixels, and the brightness of the four corners, 0 to 255."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))
    corners = pixels[[0, 0, -1, -1], [0, -1, 0, -1], :3]
    return (pixels[..., 3] == 255).mean(), corners.min()


def test_stored_pictures_are_opaque_and_light():
    for path in NOTEBOOKS:
        pictures = [
            output.data["image/png"]
            for _, output in outputs(read(path))
            if "image/png" in output.get("data", {})
        ]
        assert pictures, f"{path.name} has no picture"
        for number, picture in enumerate(pictures, 1):
            assert ground(base64.b64decode(picture)) == (1.0, 255), f"{path.name}, {number}"


def test_drawings_are_opaque_and_light():
    drawings = [path for path in DRAWINGS.iterdir() if path.name.endswith(".png")]
    assert len(drawings) >= 3
    for path in drawings:
        assert ground(path.read_bytes()) == (1.0, 255), path.name


def inline_png():
    """The current figure as a notebook shows it."""
    file = io.BytesIO()
    plt.gcf().savefig(file, format="png")
    plt.close("all")
    return file.getvalue()


def test_figures_stay_light_in_a_dark_style(monkeypatch, capsys):
    """Even where the reader's own matplotlib style is dark, course.start() sets its own."""
    monkeypatch.setattr(plt, "show", lambda: None)
    with plt.style.context("dark_background"):
        course.start()
        show_images({"digits": [np.zeros((28, 28))]})
        assert ground(inline_png()) == (1.0, 255)
        plot_losses({"loss": (range(3), [3, 2, 1])}, "epochs")
        axis = plt.gcf().axes[0]
        for colour in (axis.xaxis.label.get_color(), axis.spines["left"].get_edgecolor()[:3]):
            assert colour in ("black", (0, 0, 0)), "dark ink on light ground"
        assert axis.get_facecolor()[:3] == (1, 1, 1)
        assert ground(inline_png()) == (1.0, 255)
        figure = Figure()
        figure.subplots()
        assert ground(widgets._png(figure)) == (1.0, 255)
