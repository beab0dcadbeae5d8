"""The first cell of each notebook: it installs the course in Colab, and elsewhere does nothing.

Here it runs in a bare Python with a stand-in for google.colab. Most tests also have a stand-in for
pip, which keeps a record; what fails, fails by pip itself. tests/test_colab_twin.py runs whole
notebooks with Colab's own versions.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import make_colab_zip
import pytest
import set_home
from notebook_checks import NOTEBOOKS, ROOT, code_cells, read
from packaging.requirements import Requirement
from set_home import COLAB, colab_cell, course_settings, lacking

PACKAGES = lacking(ROOT)
CELL = colab_cell("jane/course", "v1", PACKAGES)
AT_HOME = "https://github.com/jane/course/archive/v1.zip"
NO_HOME = colab_cell("", "main", PACKAGES)
KERNEL = """
import json, os, signal, sys, types
signal.signal(signal.SIGINT, signal.default_int_handler)
if os.environ["PLACE"] == "colab":
    sys.modules["google.colab"] = types.ModuleType("google.colab")
path, modules, names = list(sys.path), set(sys.modules), set(globals())
for source in json.loads(os.environ["CELLS"]):
    exec(source, globals())
"""
REPORT = """
new = [name for name in globals() if name not in (*names, "path", "modules", "names", "source")]
print(json.dumps([sys.path == path, sorted(set(sys.modules) - modules), sorted(new)]))
"""
TELL = "import dae_helpers; print('from', dae_helpers.source)"
# Installs a package that knows where it is from; or says what it was told to say, and fails.
PIP = """
import os, pathlib, sys, time
folder = pathlib.Path(__file__).parent.parent
with open(folder / "calls", "a", encoding="utf-8") as file:
    print(*sys.argv[1:], file=file)
time.sleep(float(os.environ.get("PIP_TAKES", 0)))
if "PIP_SAYS" in os.environ:
    sys.exit(os.environ["PIP_SAYS"])
package = folder.parent / "site" / "dae_helpers"
package.mkdir(exist_ok=True)
(package / "__init__.py").unlink(missing_ok=True)
(package / "__init__.py").write_text(f"source = {sys.argv[4]!r}", encoding="utf-8")
"""
shells = pytest.mark.skipif(sys.platform == "win32", reason="Colab's shell is not Windows'")


class Colab:
    """Runs cells one after the other in a new kernel, in a folder with a space in its name."""

    def __init__(self, folder):
        self.content, self.site, self.stand_in = (
            folder / name for name in ("con tent", "site", "stand-in")
        )
        self.pip = self.stand_in / "pip" / "__main__.py"
        for made in (self.content, self.site, self.pip.parent):
            made.mkdir(parents=True)
        self.pip.with_name("__init__.py").touch()
        self.pip.write_text(PIP, encoding="utf-8")
        self.upload = self.content / "dae_course.zip"

    def start(self, *cells, place="colab", **variables):
        known = [str(self.stand_in), str(self.site), os.environ["PYTHONPATH"]]
        environment = {
            **os.environ,
            "PLACE": place,
            "CELLS": json.dumps(cells),
            "PYTHONPATH": os.pathsep.join(known),
            "PIP_NO_INDEX": "1",
            "PIP_RETRIES": "0",
            "PIP_TARGET": str(self.site),  # nothing can come into the environment of the tests
            **variables,
        }
        return subprocess.Popen(
            # -S: without the packages installed here; -P: without what lies in the working folder
            [sys.executable, "-S", "-P", "-c", KERNEL],
            cwd=self.content,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # as a kernel has
        )

    def run(self, *cells, **options):
        """Gives what was printed, of a run that should come through."""
        process = self.start(*cells, **options)
        printed, errors = process.communicate(timeout=60)
        assert process.returncode == 0 and errors == "", errors
        return printed.splitlines()

    def stopped(self, *cells, **options):
        """Gives the message of a run that should stop: one short line, no traceback."""
        process = self.start(*cells, "print('went on')", **options)
        printed, errors = process.communicate(timeout=60)
        assert process.returncode == 1 and printed == ""
        assert "Traceback" not in errors and len(errors.strip().splitlines()) == 1, errors
        assert not list(self.site.iterdir()), "nothing half is left"
        return errors.strip()

    @property
    def calls(self):
        """The arguments of each call of the stand-in for pip."""
        record = self.stand_in / "calls"
        return record.read_text(encoding="utf-8").splitlines() if record.exists() else []

    def upload_something(self):
        """Write another file to the place of the upload, as the file pane does."""
        self.upload.unlink(missing_ok=True)
        with zipfile.ZipFile(self.upload, "w") as file:
            file.writestr("a/pyproject.toml", "")
            file.writestr("b", "")


@pytest.fixture
def colab(tmp_path):
    return Colab(tmp_path)


@pytest.fixture
def real_pip(colab):
    """The same with pip itself, which cannot reach the network, and installs beside the tests."""
    shutil.rmtree(colab.pip.parent)
    return colab


def install_by_hand(colab):
    """A course that complains when it is imported."""
    (colab.site / "dae_helpers").mkdir()
    (colab.site / "dae_helpers" / "__init__.py").write_text("1 / 0", encoding="utf-8")


# The cell


def test_it_is_short():
    lines = [line.strip() for line in CELL.splitlines()]
    assert CELL.startswith("# @title ")
    assert sum(bool(line) and not line.startswith("#") for line in lines) <= 12
    longest = colab_cell(f"{'j' * 39}/{'c' * 100}", "v1", PACKAGES)
    assert max(map(len, longest.replace(f"{'j' * 39}/{'c' * 100}", "").splitlines())) <= 100


def test_elsewhere_it_does_nothing(colab):
    install_by_hand(colab)
    colab.upload_something()
    before = time.monotonic()
    (said,) = colab.run(CELL, REPORT, place="elsewhere")
    seconds = time.monotonic() - before
    same_path, modules, names = json.loads(said)
    assert same_path and names == ["importlib"]
    assert not {"subprocess", "dae_helpers", "pip"} & set(modules)
    assert colab.calls == [] and seconds < 5


def test_elsewhere_and_not_installed(colab, quoted):
    """In place of a bare ModuleNotFoundError in the next cell."""
    colab.upload_something()
    quoted(colab.stopped(CELL, place="elsewhere"))
    assert colab.calls == []


@shells
def test_by_the_badge_and_twice(colab):
    """The second run, in the same kernel and in a new one, installs nothing and says nothing."""
    assert colab.run(CELL, CELL, TELL) == [f"from {AT_HOME}"]
    assert colab.calls == [f"install -qq --no-deps {AT_HOME} {' '.join(PACKAGES)}"]
    assert colab.run(CELL, TELL, PIP_SAYS="no network") == [f"from {AT_HOME}"]
    assert len(colab.calls) == 1


@shells
def test_by_an_uploaded_file(colab):
    """It goes before the home, and a newer one before what is installed."""
    colab.upload_something()
    assert colab.run(CELL, CELL, TELL) == ["from dae_course.zip"]
    assert colab.run(NO_HOME, TELL) == ["from dae_course.zip"]
    assert colab.calls == [f"install -qq --no-deps dae_course.zip {' '.join(PACKAGES)}"]
    colab.upload_something()
    assert colab.run(CELL, CELL) == []
    assert len(colab.calls) == 2, "a newer file counts, once"


@shells
def test_an_upload_goes_before_what_came_from_the_home(colab):
    assert colab.run(CELL, TELL) == [f"from {AT_HOME}"]
    colab.upload_something()
    os.utime(colab.upload, (0, 0))  # unpacked or copied with the time that it was made
    assert colab.run(CELL, TELL) == ["from dae_course.zip"]


@shells
def test_a_newer_upload_that_fails_is_told_until_it_works(colab):
    colab.upload_something()
    colab.run(CELL)
    colab.upload_something()
    for _ in range(2):
        process = colab.start(CELL, TELL, PIP_SAYS="first\nthe reason\n")
        printed, errors = process.communicate(timeout=60)
        assert process.returncode == 1 and printed == ""
        assert "Upload" in errors and "the reason" in errors and "first" not in errors
    assert colab.run(CELL, TELL) == ["from dae_course.zip"] and len(colab.calls) == 4


@shells
def test_no_network(real_pip, quoted):
    quoted(real_pip.stopped(CELL))


class NotFound(BaseHTTPRequestHandler):
    """GitHub's answer about a repository or tag that is not there, and about a private one."""

    def do_GET(self):
        self.send_error(404)

    def log_message(self, *args):
        pass


@shells
def test_wrong_address(real_pip, quoted):
    with ThreadingHTTPServer(("127.0.0.1", 0), NotFound) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        wrong = CELL.replace("https://github.com", f"http://127.0.0.1:{server.server_port}")
        message = real_pip.stopped(wrong)
        server.shutdown()
    quoted(message)


@shells
def test_half_an_upload(real_pip, quoted):
    make_colab_zip.make_zip(real_pip.upload)
    with open(real_pip.upload, "r+b") as file:
        file.truncate(100_000)
    quoted(real_pip.stopped(CELL))


@shells
def test_not_a_course(real_pip, quoted):
    """Another zip file by that name."""
    with zipfile.ZipFile(real_pip.upload, "w") as file:
        file.writestr("notes/a.txt", "")
        file.writestr("b.txt", "")
    quoted(real_pip.stopped(CELL))


@shells
def test_package_that_cannot_be_had(colab, quoted):
    """Pip's last line; the one before it is as true and longer."""
    pip = "ERROR: Could not find it\nERROR: No matching distribution found for jupyterquiz==2.9\n\n"
    quoted(colab.stopped(CELL, PIP_SAYS=pip))
    assert len(colab.calls) == 1


@shells
def test_no_home_yet(real_pip, quoted):
    """Nobody's code is taken for the course: there is no address."""
    assert "://" not in NO_HOME
    quoted(real_pip.stopped(NO_HOME))


@shells
def test_interrupted_while_it_installs(colab):
    """The kernel and all that it started are interrupted, as Jupyter does; then it runs again."""
    process = colab.start(CELL, PIP_TAKES="30")
    deadline = time.monotonic() + 30
    while not colab.calls:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    assert "KeyboardInterrupt" in process.stderr.read()
    assert process.wait(timeout=20) != 0
    assert colab.run(CELL, TELL) == [f"from {AT_HOME}"]


def test_only_what_colab_lacks_is_installed():
    project = set_home.tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lines = (ROOT / "tests" / "colab" / "versions.txt").read_text(encoding="utf-8").splitlines()
    versions = {
        line.partition("==")[0].lower(): line.partition("==")[2].partition(" ")[0]
        for line in lines
        if not line.startswith("#")
    }
    added = [package.partition("==")[0] for package in PACKAGES]
    for requirement in map(Requirement, project["project"]["dependencies"]):
        name = requirement.name.lower()
        assert (name in added) != (name in versions)
        assert name in added or requirement.specifier.contains(versions[name]), name
    assert added == ["jupyterquiz"]
    for never in ("torch", "torchvision", "numpy", "ipython", "mlxtend"):
        assert never in versions
    assert "--no-deps" in CELL, "pip must not resolve what Colab has"


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


@pytest.fixture
def copy_of_course(tmp_path):
    """What ``make home`` reads and writes."""
    for name in ("tools", "notebooks", "tests/colab"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("README.md", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def files(root):
    return {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}


def contents(root):
    return {name: path.read_bytes() for name, path in files(root).items()}


@pytest.fixture
def run_set_home(copy_of_course, monkeypatch, capsys):
    """Gives the exit status and what was printed: by the script in the copy, or in this process."""

    def run(*options, script=False):
        if script:
            command = [sys.executable, "-B", str(copy_of_course / "tools" / "set_home.py")]
            done = subprocess.run([*command, *options], capture_output=True, text=True)
            return done.returncode, done.stdout, done.stderr
        monkeypatch.setattr(set_home, "ROOT", copy_of_course)
        monkeypatch.setattr(sys, "argv", ["set_home.py", *options])
        status = set_home.main()
        return status, *capsys.readouterr()

    return run


def links_to_colab(text):
    return re.findall(rf"\]\(({re.escape(COLAB)}github/[^)]*)\)", text)


def test_make_home_writes_it_everywhere_and_takes_it_out_again(copy_of_course, run_set_home):
    """The same bytes in the end; of pyproject.toml only two lines change."""
    before = contents(copy_of_course)
    home = ("--repo", "jane/my-course", "--ref", "v1.0")
    status, printed, errors = run_set_home(*home, script=True)
    assert status == 0 and "pyproject.toml" in printed, errors
    texts = {name: path.read_text(encoding="utf-8") for name, path in files(copy_of_course).items()}
    address = f"{COLAB}github/jane/my-course/blob/v1.0/notebooks/"
    names = [path.name for path in NOTEBOOKS]
    for name in names:
        nb = read(copy_of_course / "notebooks" / name)
        assert links_to_colab(nb.cells[0].source) == [address + name]
        assert len(links_to_colab(texts[f"notebooks/{name}"])) == 1
        assert "github.com/jane/my-course/archive/v1.0.zip" in code_cells(nb)[0][1].source
    assert links_to_colab(texts["README.md"]) == [address + name for name in [names[0], *names]]
    old, new = before["pyproject.toml"].decode(), texts["pyproject.toml"]
    changed = set(new.splitlines()) - set(old.splitlines())
    assert changed == {'home = "jane/my-course"', 'ref = "v1.0"'}

    settings = course_settings(ROOT)
    run_set_home("--repo", "none", "--ref", settings["ref"])
    for name, path in files(copy_of_course).items():
        if name == "README.md" or name.endswith(".ipynb"):
            text = path.read_text(encoding="utf-8")
            assert COLAB not in text and "my-course" not in text, name
    if settings["home"]:
        run_set_home("--repo", settings["home"])
    assert contents(copy_of_course) == before


def test_without_a_home_nothing_leads_to_one():
    """No badge and no link to Colab but those that make home writes, and no placeholder."""
    settings = course_settings(ROOT)
    for path in [ROOT / "README.md", *NOTEBOOKS]:
        text = path.read_text(encoding="utf-8")
        expected = f"{COLAB}github/{settings['home']}/blob/{settings['ref']}/"
        assert all(link.startswith(expected) for link in links_to_colab(text))
        assert settings["home"] or not re.search(r"colab\.research|OWNER", text), path.name


@pytest.mark.parametrize(
    "bad",
    ["course", "https://github.com/jane/course", "jane/course.git", "jane/a/b", "ja ne/c"]
    + ['jane/c"', "-jane/c", "jane/", "/course", "jane/course\n"],
)
def test_a_bad_home_is_refused(tmp_path, bad):
    """Before anything is read: the folder is empty."""
    with pytest.raises(ValueError, match="REPO should be owner/name"):
        set_home.set_home(tmp_path, bad, "main")


@pytest.mark.parametrize("bad", ["", "a/b", "-b", "a b", 'v"'])
def test_a_bad_version_is_refused(tmp_path, bad):
    with pytest.raises(ValueError, match="REF should be"):
        set_home.set_home(tmp_path, "jane/course", bad)


def test_a_bad_home_changes_nothing(copy_of_course, run_set_home):
    before = contents(copy_of_course)
    status, printed, errors = run_set_home("--repo", "https://github.com/jane/course")
    assert status == 1 and printed == ""
    assert "owner/name" in errors and "Nothing was changed" in errors
    assert contents(copy_of_course) == before


def test_a_new_notebook_gets_the_cell(copy_of_course, run_set_home):
    """It stays one run: the counts move on by one. Twice changes nothing."""
    path = copy_of_course / "notebooks" / NOTEBOOKS[0].name
    nb = read(path)
    nb.cells = [cell for cell in nb.cells if "colab" not in cell.metadata.get("tags", [])]
    for count, (_, cell) in enumerate(code_cells(nb), 1):
        cell.execution_count = count
    path.write_text(set_home.nbformat.v4.writes_json(nb) + "\n", encoding="utf-8")
    assert run_set_home()[0] == 0
    assert path.read_bytes() == NOTEBOOKS[0].read_bytes()
    assert "files changed: 0" in run_set_home()[1]


# The file to upload


def test_zip_is_small_the_same_again_and_without_outputs(tmp_path):
    make_colab_zip.make_zip(tmp_path / "a.zip")
    make_colab_zip.make_zip(tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert (tmp_path / "a.zip").stat().st_size < 4_000_000
    with zipfile.ZipFile(tmp_path / "a.zip") as file:
        for path in NOTEBOOKS:
            nb = set_home.nbformat.reads(file.read(f"notebooks/{path.name}"), as_version=4)
            assert [c.source for c in nb.cells] == [c.source for c in read(path).cells]
            assert not any(cell.outputs for _, cell in code_cells(nb))
    assert {path.name for path in tmp_path.iterdir()} == {"a.zip", "b.zip"}
