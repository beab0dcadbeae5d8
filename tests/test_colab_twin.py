"""Every notebook in a twin of Colab: its versions, its kind of kernel, a folder without the course.

`make test-colab` runs it, and `make test-all`. The twin is a virtual environment in build/, kept
for the next time, with the versions of tests/colab/versions.txt: on Python 3.13, as in Colab, and
with Colab's torch, where that can be had; else on this Python with this torch. TWIN_PYTHON names an
interpreter.
The course comes from a local bare repository in place of GitHub, or from the uploaded zip file.
"""

import os
import platform
import shutil
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

import make_colab_zip
import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell
from notebook_checks import NOTEBOOKS, ROOT, code_cells, read, tags, texts
from set_home import lacking

pytestmark = pytest.mark.slow

VERSIONS = ROOT / "tests" / "colab" / "versions.txt"
STARTUP = ROOT / "tests" / "colab" / "startup"
PACKAGES = lacking(ROOT)
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
            if own_torch:
                self.pip("install", "--no-compile", "-r", VERSIONS)
            else:
                self.install_around_this_torch()
            stamp.write_text(pins, encoding="utf-8")
        self.wheels = self.folder / "wheels"
        self.pip("wheel", "--no-deps", "-w", self.wheels, *PACKAGES)
        self.seconds = time.monotonic() - started

    def install_around_this_torch(self):
        """All but torch and torchvision, which are linked from the environment of the tests."""
        lines = VERSIONS.read_text(encoding="utf-8").splitlines()
        others = self.folder / "others.txt"
        kept = [line for line in lines if line.partition("==")[0] not in PAIR]
        others.write_text("\n".join(kept), encoding="utf-8")
        site = call(self.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
        link_packages(PAIR, Path(site))
        needed = ["filelock", "typing-extensions", "sympy", "jinja2", "fsspec", "setuptools"]
        self.pip("install", "--no-compile", "-r", others, *needed)

    def pip(self, *arguments):
        return call(self.python, "-m", "pip", "-q", "--disable-pip-version-check", *arguments)

    def freeze(self):
        return set(self.pip("freeze", "--all").splitlines())

    def forget_added(self):
        self.pip("uninstall", "-y", *[package.partition("==")[0] for package in PACKAGES])


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


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A folder in place of GitHub, with a release of the course made by make home."""
    folder = tmp_path_factory.mktemp("hub") / "twin-owner"
    work = folder / "work"
    names = call("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in filter(None, names.split("\0")):
        if (ROOT / name).exists():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, work / name)
    command = [sys.executable, work / "tools" / "set_home.py"]
    call(*command, "--repo", "twin-owner/course", "--ref", "v-twin")
    git = ["git", "-C", work, "-c", "user.name=a", "-c", "user.email=a@b"]
    for line in ("init -q", "add -A", "commit -qm release", "tag v-twin"):
        call(*git, *line.split())
    call("git", "clone", "-q", "--bare", work, folder / "course")
    return folder.parent


def run_in_colab(twin, nb, content, address):
    """Run a notebook by a kernel of the twin in the folder ``content``; gives the seconds."""

    class ColabManager(AsyncKernelManager):
        @property
        def kernel_spec(self):
            launcher = [str(twin.python), "-m", "ipykernel_launcher", "--log-level=ERROR"]
            return KernelSpec(argv=[*launcher, "-f", "{connection_file}"], display_name="Colab")

    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    environment |= {
        "DAE_RUN": "smoke",
        "PYTHONPATH": str(STARTUP),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{address}/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(twin.wheels),
    }
    resources = {"metadata": {"path": str(content)}}
    client = NotebookClient(
        nb,
        km=ColabManager(),
        resources=resources,
        timeout=300,
        iopub_timeout=60,
        coalesce_streams=True,  # else a line may come in pieces
    )
    started = time.monotonic()
    client.execute(env=environment, cleanup_kc=True)
    return time.monotonic() - started


def printed(cell):
    return " ".join(text for output in cell.outputs for text in texts(output))


@pytest.mark.parametrize("way", ["badge", "zip"])
@pytest.mark.parametrize("name", [path.name for path in NOTEBOOKS])
def test_notebook(twin, hub, tmp_path, name, way):
    """From its first cell alone, whole; nothing that Colab has is changed."""
    content = tmp_path / "content"
    content.mkdir()
    if way == "badge":
        nb, address = read(hub / "twin-owner" / "work" / "notebooks" / name), hub.as_uri()
    else:
        nb, address = read(ROOT / "notebooks" / name), "file:///nowhere"
        make_colab_zip.make_zip(content / "dae_course.zip")
    nb.cells.append(new_code_cell(LAST_CELL))
    twin.forget_added()
    before = twin.freeze()
    seconds = run_in_colab(twin, nb, content, address)
    after = twin.freeze()
    twin.rows.append((name, way, seconds))
    twin.changes |= {f"- {line}" for line in before - after}
    twin.changes |= {f"+ {line}" for line in after - before}
    assert before <= after, "a package of Colab was changed"
    added = {line.lower() for line in after - before}
    assert added == {package.lower() for package in PACKAGES}
    cells = [cell for _, cell in code_cells(nb)]
    source = "https://github.com/twin-owner/course" if way == "badge" else "dae_course.zip"
    assert printed(cells[0]).startswith(f"The course comes from {source}.")
    assert f"course: {content / 'dae_course-'}" in printed(cells[-1])
    assert "smoke run in Colab" in printed(cells[1])
    assert "jupyterquiz" not in printed(cells[0])
    (quiz,) = [cell for cell in cells if "quiz" in tags(cell)]
    assert "<script" in printed(quiz), "jupyterquiz draws it"


def test_a_fault_is_told_in_a_few_lines(twin, hub, tmp_path):
    """As Colab's IPython shows it; the cells after it do not run."""
    nb = read(hub / "twin-owner" / "work" / "notebooks" / NOTEBOOKS[0].name)
    for _, cell in code_cells(nb):
        cell.outputs, cell.execution_count = [], None
    with pytest.raises(CellExecutionError):
        run_in_colab(twin, nb, tmp_path, "file:///nowhere")
    first, second = [cell for _, cell in code_cells(nb)][:2]
    said = printed(first)
    print("\n" + said)
    assert "Fetching from https://github.com/twin-owner/course failed" in said
    assert "run this cell again" in said and "Traceback" not in said
    assert len(said.splitlines()) < 12 and second.execution_count is None
    assert list(tmp_path.iterdir()) == []
