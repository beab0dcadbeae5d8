"""The first cell of each notebook: it fetches the course in Colab, and elsewhere does nothing.

Here it runs in a bare Python with a stand-in for google.colab, and git is told to take a local copy
for GitHub. tests/test_colab_twin.py runs whole notebooks with Colab's own versions.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import make_colab_zip
import pytest
import set_home
from notebook_checks import BADGE, HOME, NOTEBOOKS, ROOT, code_cells, read
from packaging.requirements import Requirement
from set_home import PLACEHOLDER, REPO, colab_cell, course_settings, lacking

PACKAGES = lacking(ROOT)
CELL = colab_cell("jane/course", "v1", PACKAGES)
KERNEL = """
import json, os, sys, types
if os.environ["PLACE"] == "colab":
    sys.modules["google.colab"] = types.ModuleType("google.colab")
path, modules, names = list(sys.path), set(sys.modules), set(globals())
for source in json.loads(os.environ["CELLS"]):
    exec(source, globals())
"""
REPORT = """
new = [name for name in globals() if name not in (*names, "path", "modules", "names", "source")]
print(json.dumps([sys.path[len(path):], sys.path[:len(path)] == path,
                  sorted(set(sys.modules) - modules), new]))
"""
pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="no git")


def git(*arguments, folder):
    names = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", *names, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A folder that stands for GitHub: in it, a small course with the tag v1."""
    folder = tmp_path_factory.mktemp("hub") / "jane"
    work = folder / "work"
    for name in ("dae_helpers", "numpy"):
        (work / name).mkdir(parents=True)
        (work / name / "__init__.py").write_text("told = 'from the course'", encoding="utf-8")
    git("init", "-q", folder=work)
    git("add", "-A", folder=work)
    git("commit", "-qm", "first", folder=work)
    git("tag", "v1", folder=work)
    git("clone", "-q", "--bare", str(work), str(folder / "course"), folder=folder)
    return folder.parent


@pytest.fixture
def colab(tmp_path, hub):
    """Runs cells one after the other in a new kernel, in a folder with a space in its name."""
    content = tmp_path / "con tent"
    content.mkdir()

    def run(*cells, place="colab", address=None, **variables):
        address = address or f"{hub.as_uri()}/"
        environment = {
            **os.environ,
            "PLACE": place,
            "CELLS": json.dumps(cells),
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{address}.insteadOf",
            "GIT_CONFIG_VALUE_0": "https://github.com/",
            "PIP_NO_INDEX": "1",
            **variables,
        }
        # -P: what lies in the working folder, or here, is no module
        options = {"cwd": content, "capture_output": True, "text": True, "timeout": 60}
        command = [sys.executable, "-P", "-c", KERNEL]
        # A session of its own, as a kernel has: git finds no terminal to ask for a password.
        return subprocess.run(command, env=environment, start_new_session=True, **options)

    run.content = content
    return run


def left(colab):
    return sorted(path.name for path in colab.content.iterdir())


def assert_stopped(result, colab, before=()):
    """Two short lines, no traceback, nothing left."""
    assert result.returncode == 1 and "Traceback" not in result.stdout + result.stderr
    assert left(colab) == sorted(before), "nothing half is left"
    return " ".join(f"{result.stdout} {result.stderr}".split())


# The cell


def test_elsewhere_it_does_nothing(colab):
    before = time.monotonic()
    result = colab(CELL, REPORT, place="elsewhere")
    seconds = time.monotonic() - before
    assert json.loads(result.stdout) == [[], True, [], []], result.stderr
    assert left(colab) == [] and seconds < 5


def test_by_the_badge_and_twice(colab):
    """The second run, in the same kernel and in a new one, fetches nothing and changes nothing."""
    result = colab(CELL, "print(1)", CELL, "print(2)", REPORT)
    said, *numbers, report = result.stdout.splitlines()
    assert said.startswith("The course comes from https://github.com/jane/course."), result.stderr
    assert numbers == ["1", "2"] and left(colab) == ["dae_course-v1"]
    assert json.loads(report)[:2] == [[str(colab.content / "dae_course-v1")], True]
    again = colab(CELL, "import dae_helpers; print(dae_helpers.told)", address="file:///nowhere/")
    assert again.stdout.splitlines() == [said, "from the course"]
    assert left(colab) == ["dae_course-v1"]


def test_it_does_not_shadow(colab):
    """What Colab has stays what is imported, even if the course had a module of that name."""
    tell = "import numpy; print(hasattr(numpy, 'told'), numpy.__version__)"
    known = colab(tell).stdout
    assert known.startswith("False")
    assert colab(CELL, tell).stdout.splitlines()[1:] == known.splitlines()


def test_by_an_uploaded_file(colab, tmp_path):
    make_colab_zip.make_zip(colab.content / "dae_course.zip")
    tell = "import importlib.util as u; print(u.find_spec('dae_helpers').origin)"
    result = colab(CELL, tell, CELL, address="file:///nowhere/")
    said, origin = result.stdout.splitlines()
    assert said.startswith("The course comes from dae_course.zip."), result.stderr
    (folder,) = [name for name in left(colab) if name != "dae_course.zip"]
    assert Path(origin) == colab.content / folder / "dae_helpers" / "__init__.py"
    for path in (ROOT / "denoising_models").glob("*.pt"):
        assert (colab.content / folder / "denoising_models" / path.name).exists()
    newer = tmp_path / "newer.zip"
    with zipfile.ZipFile(newer, "w") as file:
        file.writestr("dae_helpers/__init__.py", "")
    newer.replace(colab.content / "dae_course.zip")
    origin = colab(CELL, tell).stdout.splitlines()[1]
    assert Path(origin).stat().st_size == 0, "a newer file counts"


def test_no_network(colab, quoted):
    result = colab(CELL, "print('went on')", address="http://127.0.0.1:9/")
    quoted(assert_stopped(result, colab))


class LikeGitHub(BaseHTTPRequestHandler):
    """Of a repository that is not there, or private, GitHub says: sign in first."""

    def do_GET(self):
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="GitHub"')
        self.end_headers()

    def log_message(self, *args):
        pass


def test_wrong_address(colab, quoted):
    wrong = colab_cell("jane/cours", "v1", PACKAGES)
    with ThreadingHTTPServer(("127.0.0.1", 0), LikeGitHub) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        result = colab(wrong, "print('went on')", address=address)
        server.shutdown()
    quoted(assert_stopped(result, colab))


def test_wrong_version(colab, quoted):
    wrong = colab_cell("jane/course", "v2", PACKAGES)
    quoted(assert_stopped(colab(wrong, "print('went on')"), colab))


def test_half_an_upload(colab, quoted):
    make_colab_zip.make_zip(colab.content / "dae_course.zip")
    with open(colab.content / "dae_course.zip", "r+b") as file:
        file.truncate(100_000)
    quoted(assert_stopped(colab(CELL, "print('went on')"), colab, ["dae_course.zip"]))


def test_package_that_cannot_be_had(colab, quoted):
    wanted = colab_cell("jane/course", "v1", ["no-such-package-of-ours==1.0"])
    quoted(assert_stopped(colab(wanted, "print('went on')"), colab))


def test_no_home_yet(colab):
    """The placeholder gives no address, so that nobody's code is taken for the course."""
    cell = colab_cell(PLACEHOLDER, "main", PACKAGES)
    assert "OWNER" not in cell
    said = assert_stopped(colab(cell, address="file:///nowhere/"), colab)
    assert "upload dae_course.zip" in said


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script takes the place of git")
def test_interrupted_while_it_fetches(colab, tmp_path):
    """The kernel is interrupted when half of the course is there."""
    fake, started = tmp_path / "git", tmp_path / "started"
    fake.write_text(
        f'#!/bin/sh\nfor last; do :; done\nmkdir "$last"; echo > "{started}"; exec sleep 30\n',
        encoding="utf-8",
    )
    fake.chmod(0o755)
    environment = {**os.environ, "PLACE": "colab", "CELLS": json.dumps([CELL])}
    environment["PATH"] = f"{tmp_path}{os.pathsep}{environment['PATH']}"
    wake = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", wake + KERNEL],
        cwd=colab.content,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 30
    while not started.exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    assert len(left(colab)) == 1
    process.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in process.communicate(timeout=20)[1]
    assert left(colab) == []


# One setting, and all in step


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_first_cell_is_in_step(path):
    settings = course_settings(ROOT)
    _, first = code_cells(read(path))[0]
    assert first.source == colab_cell(settings["home"], settings["ref"], PACKAGES), "make home"
    assert dict(first.metadata) == set_home.METADATA and first.outputs == []


def test_nothing_is_left_for_make_home_to_do():
    settings = course_settings(ROOT)
    for path, text in set_home.new_texts(ROOT, settings["home"], settings["ref"]).items():
        assert text == path.read_text(encoding="utf-8"), f"{path.name}: make home"


def test_readme_has_the_badge_of_every_notebook():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in NOTEBOOKS if f"]({BADGE}{path.name})" not in text] == []


def test_colab_has_all_else_that_the_course_needs():
    project = set_home.tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lines = (ROOT / "tests" / "colab" / "versions.txt").read_text(encoding="utf-8").splitlines()
    versions = {
        line.partition("==")[0].lower(): line.partition("==")[2]
        for line in lines
        if not line.startswith("#")
    }
    added = [package.partition("==")[0] for package in PACKAGES]
    for requirement in map(Requirement, project["project"]["dependencies"]):
        name = requirement.name.lower()
        assert (name in added) != (name in versions)
        assert name in added or requirement.specifier.contains(versions[name]), name
    assert added == ["jupyterquiz", "torchinfo"]
    for never in ("torch", "torchvision", "numpy", "ipython", "mlxtend"):
        assert never in versions
    assert "--no-deps" in CELL, "pip must not resolve what Colab has"


@pytest.fixture
def copy_of_course(tmp_path):
    """What ``make home`` reads and writes."""
    for name in ("tools", "notebooks", "tests/colab"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("README.md", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def files(root):
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def run_set_home(root, *options):
    command = [sys.executable, "-B", str(root / "tools" / "set_home.py"), *options]
    return subprocess.run(command, capture_output=True, text=True)


def test_make_home_writes_it_everywhere_and_back(copy_of_course):
    before = files(copy_of_course)
    result = run_set_home(copy_of_course, "--repo", "jane/my-course", "--ref", "v1.0")
    assert result.returncode == 0 and "pyproject.toml" in result.stdout, result.stderr
    after = {path: text.decode() for path, text in files(copy_of_course).items()}
    names = [path for path in after if path.suffix == ".ipynb" or path.name == "README.md"]
    assert len(names) == len(NOTEBOOKS) + 1
    for path in names:
        assert HOME not in after[path], path
        assert "jane/my-course/blob/v1.0/notebooks/" in after[path]
        assert path.suffix == ".md" or 'HOME, REF = \\"jane/my-course\\", \\"v1.0\\"' in after[path]
    settings = course_settings(ROOT)
    run_set_home(copy_of_course, "--repo", settings["home"], "--ref", settings["ref"])
    assert files(copy_of_course) == before


@pytest.mark.parametrize(
    "bad",
    ["", "course", "https://github.com/jane/course", "jane/course.git", "jane/a/b", "ja ne/c"]
    + ['jane/c"', "-jane/c", "jane/", "/course", "jane/course\n"],
)
def test_a_bad_home_changes_nothing(copy_of_course, bad):
    assert not REPO.fullmatch(bad)
    if bad in ("", "https://github.com/jane/course"):
        before = files(copy_of_course)
        result = run_set_home(copy_of_course, "--repo", bad)
        assert result.returncode == 1 and result.stdout == ""
        assert "owner/name" in result.stderr and "Nothing was changed" in result.stderr
        assert "Traceback" not in result.stderr and files(copy_of_course) == before


@pytest.mark.parametrize("bad", ["", "a/b", "-b", "a b", 'v"'])
def test_a_bad_version_changes_nothing(copy_of_course, bad):
    assert not set_home.REF.fullmatch(bad)
    with pytest.raises(ValueError, match="REF should be"):
        set_home.set_home(copy_of_course, "jane/course", bad)


def test_a_new_notebook_gets_the_cell(copy_of_course):
    """It stays one run: the counts move on by one. Twice changes nothing."""
    path = copy_of_course / "notebooks" / NOTEBOOKS[0].name
    nb = read(path)
    nb.cells = [cell for cell in nb.cells if "colab" not in cell.metadata.get("tags", [])]
    for count, (_, cell) in enumerate(code_cells(nb), 1):
        cell.execution_count = count
    path.write_text(set_home.nbformat.v4.writes_json(nb) + "\n", encoding="utf-8")
    assert run_set_home(copy_of_course).returncode == 0
    assert path.read_bytes() == NOTEBOOKS[0].read_bytes()
    assert "files changed: 0" in run_set_home(copy_of_course).stdout


# The file to upload


def test_zip_is_small_the_same_again_and_without_outputs(tmp_path):
    make_colab_zip.make_zip(tmp_path / "a.zip")
    make_colab_zip.make_zip(tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert (tmp_path / "a.zip").stat().st_size < 4_000_000
    with zipfile.ZipFile(tmp_path / "a.zip") as file:
        for path in NOTEBOOKS:
            text = file.read(f"notebooks/{path.name}")
            assert b"image/png" not in text
    assert {path.name for path in tmp_path.iterdir()} == {"a.zip", "b.zip"}
