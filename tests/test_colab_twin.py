"""Every notebook in a twin of Colab: its versions, its kind of kernel, a folder without the course.

`make test-colab` runs it, and `make test-all`. The twin is a virtual environment in build/, kept
for the next time, with the versions of tests/colab/versions.txt: on Python 3.13, as in Colab, and
with Colab's torch, where that can be had; else on this Python with this torch. TWIN_PYTHON names an
interpreter.
The course comes from a local server in place of GitHub, or from the uploaded zip file.
"""

import os
import platform
import shutil
import subprocess
import sys
import threading
import time
import tomllib
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path

import make_colab_zip
import pytest
from fresh import copy_course, run_notebook
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell
from notebook_checks import NOTEBOOKS, ROOT, code_cells, read, tags, texts
from set_home import lacking

pytestmark = pytest.mark.slow

VERSIONS = ROOT / "tests" / "colab" / "versions.txt"
STARTUP = ROOT / "tests" / "colab" / "startup"
PACKAGES = lacking(ROOT)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
BUILD = PROJECT["build-system"]["requires"]
COLABS_PYTHON = "3.13"
PAIR = ("torch", "torchvision")
LAST_CELL = """
import sys
from importlib.metadata import version
import dae_helpers, numpy, torch, IPython
loaded = {"numpy": numpy.__version__, "torch": torch.__version__, "ipython": IPython.__version__}
for name, loaded_version in loaded.items():
    assert version(name) == loaded_version.partition("+")[0] or version(name) == loaded_version
print("course:", dae_helpers.__file__)
"""


class CannotBeHad(Exception):
    """An interpreter or a package is not to be had here."""


def call(*command, **options):
    """Run a command outside of the cut network; gives what it printed."""
    hidden = {"PYTHONPATH", "PIP_REQUIRE_VIRTUALENV", "VIRTUAL_ENV"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    try:
        done = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, env=environment, **options
        )
    except OSError as error:
        raise CannotBeHad(f"{command[0]}: {error}") from None
    if done.returncode:
        raise CannotBeHad(" ".join((done.stderr or done.stdout).split())[-300:])
    return done.stdout.strip()


def version_of(python):
    return call(python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])")


def find_python(version):
    """An interpreter of this version, from PATH or pyenv."""
    places = [shutil.which(f"python{version}")]
    if shutil.which("pyenv"):
        try:
            places.append(Path(call("pyenv", "prefix", version), "bin", "python"))
        except CannotBeHad:
            pass
    for place in filter(None, places):
        try:
            if version_of(place) == version:
                return place
        except CannotBeHad:  # a shim of pyenv without a version behind it
            pass
    raise CannotBeHad(f"there is no Python {version}")


def link_packages(names, target):
    """Hard links to installed packages and to what they need for Linux on CUDA; or copies."""

    def link(source, copy):
        try:
            os.link(source, copy)
        except OSError:
            shutil.copy2(source, copy)

    todo, done = list(names), set()
    while todo:
        name = todo.pop()
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        if name in done or package.files is None:
            continue
        done.add(name)
        for file in package.files:
            source = Path(package.locate_file(file))
            if ".." in file.parts or not source.exists() or "__pycache__" in file.parts:
                continue
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            if not (target / file).exists():
                link(source, target / file)
        needed = [line.split(";")[0] for line in package.requires or []]
        needed = [line.replace("[", " ").split()[0].split("=")[0] for line in needed]
        todo += [name for name in needed if name.startswith(("nvidia-", "cuda-", "triton"))]


class Twin:
    """A virtual environment with Colab's versions, in build/; made, or taken up again."""

    def __init__(self, python, own_torch):
        self.version = version_of(python)
        self.folder = ROOT / "build" / f"colab-{self.version}{'' if own_torch else '-torch-here'}"
        self.python = self.folder / ("Scripts" if os.name == "nt" else "bin") / "python"
        stamp, pins = self.folder / "complete", VERSIONS.read_text(encoding="utf-8")
        pins += "" if own_torch else "".join(metadata.version(name) for name in PAIR)
        started = time.monotonic()
        self.reused = stamp.exists() and stamp.read_text(encoding="utf-8") == pins
        if not self.reused:
            call(python, "-m", "venv", "--clear", self.folder)
        place = "import sysconfig; print(sysconfig.get_path('purelib'))"
        self.site = Path(call(self.python, "-c", place))
        if not self.reused:
            if own_torch:
                self.pip("install", "--no-compile", "-r", VERSIONS)
            else:
                self.install_around_this_torch()
            stamp.write_text(pins, encoding="utf-8")
        self.wheels = self.folder / "wheels"
        self.pip("wheel", "--no-deps", "-w", self.wheels, *PACKAGES, *BUILD)
        self.seconds = time.monotonic() - started

    def install_around_this_torch(self):
        """All but torch and torchvision, which are linked from the environment of the tests."""
        lines = VERSIONS.read_text(encoding="utf-8").splitlines()
        others = self.folder / "others.txt"
        kept = [line for line in lines if line.partition("==")[0] not in PAIR]
        others.write_text("\n".join(kept), encoding="utf-8")
        link_packages(PAIR, self.site)
        needed = ["filelock", "typing-extensions", "sympy", "jinja2", "fsspec", "setuptools"]
        self.pip("install", "--no-compile", "-r", others, *needed)

    def pip(self, *arguments):
        return call(self.python, "-m", "pip", "-q", "--disable-pip-version-check", *arguments)

    def freeze(self):
        return set(self.pip("freeze", "--all").splitlines())

    def forget_added(self):
        names = [package.partition("==")[0] for package in PACKAGES]
        self.pip("uninstall", "-y", "dae-course", *names)


@pytest.fixture(scope="module")
def twin():
    """The nearest twin that can be had; a table of all runs at the end."""
    named, reasons = os.environ.get("TWIN_PYTHON"), []
    tries = [lambda: Twin(named, own_torch=True)] if named else []
    tries += [] if named else [lambda: Twin(find_python(COLABS_PYTHON), own_torch=True)]
    tries += [] if named else [lambda: Twin(sys.executable, own_torch=False)]
    for attempt in tries:
        try:
            made = attempt()
            break
        except CannotBeHad as error:
            reasons.append(str(error))
    else:
        print(f"\nskipped: a twin of Colab cannot be had: {'; '.join(reasons)}")
        pytest.skip(f"skipped: a twin of Colab cannot be had: {'; '.join(reasons)}")
    for reason in reasons:
        print(f"\nThe next best twin, because {reason}")
    made.rows, made.changes = [], set()
    yield made
    print(f"\n\nThe twin of Colab, {'kept from before' if made.reused else 'new'}: ", end="")
    print(f"{made.seconds:.0f} s; Python {made.version}, {platform.system()}")
    print("versions:", ", ".join(sorted(made.freeze(), key=str.lower)))
    print(f"\n{'notebook':<28}{'way':<8}{'seconds':>8}")
    for name, way, seconds in made.rows:
        print(f"{name:<28}{way:<8}{seconds:8.1f}")
    print("pip freeze, before and after:", *sorted(made.changes), sep="\n  ")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """A release of the course made by make home, and an address that serves it as GitHub does."""
    folder = tmp_path_factory.mktemp("github")
    work = copy_course(folder / "course-v-twin")  # as in GitHub's archive: the name, the version
    command = [sys.executable, work / "tools" / "set_home.py"]
    call(*command, "--repo", "twin-owner/course", "--ref", "v-twin")
    archive = folder / "twin-owner" / "course" / "archive" / "v-twin"
    shutil.make_archive(str(archive), "zip", folder, work.name)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever).start()
        yield work / "notebooks", f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def as_released(notebooks, name, address):
    """A notebook of the release, whose first cell finds GitHub at another address."""
    nb = read(notebooks / name)
    _, first = code_cells(nb)[0]
    assert "https://github.com/twin-owner/course/archive/v-twin.zip" in first.source
    first.source = first.source.replace("https://github.com", address)
    return nb


def run_in_colab(twin, nb, content):
    """Run a notebook by a kernel of the twin in the folder ``content``; gives the seconds."""
    pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(twin.wheels), "PIP_RETRIES": "0"}
    return run_notebook(twin.python, nb, content, PYTHONPATH=str(STARTUP), **pip)


def printed(cell):
    return " ".join(text for output in cell.outputs for text in texts(output))


@pytest.mark.parametrize("way", ["badge", "zip"])
@pytest.mark.parametrize("name", [path.name for path in NOTEBOOKS])
def test_notebook(twin, release, tmp_path, name, way):
    """From its first cell alone, whole; nothing that Colab has is changed."""
    if way == "badge":
        nb = as_released(release[0], name, release[1])
    else:
        nb = read(ROOT / "notebooks" / name)
        make_colab_zip.make_zip(tmp_path / "dae_course.zip")
    nb.cells.append(new_code_cell(LAST_CELL))
    twin.forget_added()
    before = twin.freeze()
    seconds = run_in_colab(twin, nb, tmp_path)
    after = twin.freeze()
    twin.rows.append((name, way, seconds))
    twin.changes |= {f"- {line}" for line in before - after}
    twin.changes |= {f"+ {line.partition(' @')[0]}" for line in after - before}
    assert before <= after, "a package of Colab was changed"
    added = {line.partition(" @")[0].lower() for line in after - before}
    assert added == {"dae-course", *(package.lower() for package in PACKAGES)}
    cells = [cell for _, cell in code_cells(nb)]
    assert cells[0].outputs == []
    assert f"course: {twin.site}" in printed(cells[-1])
    assert "smoke run in Colab" in printed(cells[1])
    (quiz,) = [cell for cell in cells if "quiz" in tags(cell)]
    assert "<script" in printed(quiz), "jupyterquiz draws it"


def test_a_fault_is_told_in_a_few_lines(twin, release, tmp_path):
    """As Colab's IPython shows it; the cells after it do not run."""
    nb = as_released(release[0], NOTEBOOKS[0].name, "http://127.0.0.1:9")
    for _, cell in code_cells(nb):
        cell.outputs, cell.execution_count = [], None
    twin.forget_added()
    with pytest.raises(CellExecutionError):
        run_in_colab(twin, nb, tmp_path)
    first, second = [cell for _, cell in code_cells(nb)][:2]
    said = printed(first)
    print("\n" + said)
    assert "Upload dae_course.zip" in said and "run again. " in said
    assert "Traceback" not in said and len(said.splitlines()) < 12
    assert second.execution_count is None and list(tmp_path.iterdir()) == []
