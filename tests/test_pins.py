"""What gets installed: the files that say so agree, and make installs when they change, only then.

pyproject.toml, constraints.txt and environment.yml, and what the Makefile makes of them.
"""

import importlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
import yaml
from notebook_checks import ROOT
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

FILES = ("pyproject.toml", "constraints.txt", "environment.yml")
TEXT = {name: (ROOT / name).read_text(encoding="utf-8") for name in FILES}
PYPROJECT = tomllib.loads(TEXT["pyproject.toml"])
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
PINS = [
    Requirement(line)
    for line in TEXT["constraints.txt"].splitlines()
    if line and not line.startswith("#")
]
PLATFORMS = {
    "Linux x86_64": ("linux", "Linux", "posix", "x86_64"),
    "Linux aarch64": ("linux", "Linux", "posix", "aarch64"),
    "macOS arm64": ("darwin", "Darwin", "posix", "arm64"),
    "Windows x86_64": ("win32", "Windows", "nt", "AMD64"),
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def environment(platform, python):
    """What markers are evaluated with."""
    names = ("sys_platform", "platform_system", "os_name", "platform_machine")
    return {
        **dict(zip(names, PLATFORMS[platform], strict=True)),
        "python_version": python,
        "python_full_version": f"{python}.9",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }


def declared(*extras):
    """What pyproject.toml asks for, with these extras; without the course itself."""
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]
    found = [Requirement(line) for line in lines]
    return [requirement for requirement in found if requirement.name != PROJECT["name"]]


def pins_of(name, **marker_values):
    """The versions pinned for a package, here or in another environment."""
    return [
        next(iter(pin.specifier)).version
        for pin in PINS
        if canonicalize_name(pin.name) == canonicalize_name(name)
        and (pin.marker is None or pin.marker.evaluate(marker_values))
    ]


def installed_names(*extras):
    """All packages that the course needs here, by what the installed ones say that they need."""
    names, todo = set(), declared(*extras)
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        if name in names:
            continue
        names.add(name)
        lines = map(Requirement, importlib.metadata.requires(name) or [])
        todo += [r for r in lines if r.marker is None or r.marker.evaluate({"extra": ""})]
    return names


def test_every_pin_is_exact():
    assert [pin for pin in PINS if [one.operator for one in pin.specifier] != ["=="]] == []


def test_every_dependency_has_one_pin_in_its_bound_everywhere():
    wrong = []
    for platform in PLATFORMS:
        for python in PYTHONS:
            for dependency in declared(*EXTRAS):
                pins = pins_of(dependency.name, **environment(platform, python))
                if len(pins) != 1 or not dependency.specifier.contains(pins[0]):
                    wrong.append(f"{platform}, Python {python}: {dependency} is pinned to {pins}")
    assert wrong == []


def test_every_installed_requirement_has_a_pin():
    names = installed_names("lab", "dev")
    assert [name for name in sorted(names) if len(pins_of(name)) != 1] == []


def test_pins_allow_every_python():
    """By what the installed packages say; it holds where the pin is the same for all Pythons."""
    wrong = []
    for pin in PINS:
        try:
            metadata = importlib.metadata.metadata(pin.name)
        except importlib.metadata.PackageNotFoundError:
            continue
        allowed = SpecifierSet(metadata["Requires-Python"] or "")
        for python in PYTHONS:
            here = pins_of(pin.name, **environment("Linux x86_64", python))
            if metadata["Version"].partition("+")[0] in here and not allowed.contains(
                f"{python}.9"
            ):
                wrong.append(f"{pin.name} {metadata['Version']} does not allow Python {python}")
    assert wrong == []


@pytest.mark.parametrize("name", ["torch", "torchvision"])
def test_pinned_pair_is_installed_and_imports(name):
    assert [importlib.metadata.version(name).partition("+")[0]] == pins_of(name)
    assert importlib.import_module(name).__version__.partition("+")[0] == pins_of(name)[0]


def test_a_learner_gets_no_test_tools():
    tools = {"pytest", "pytest-xdist", "nbval", "hypothesis", "playwright", "ruff", "deptry"}
    assert tools <= installed_names("lab", "dev")
    assert tools & installed_names("lab") == set()


def test_environment_has_the_same_pins_and_python():
    *conda, pip_part = yaml.safe_load(TEXT["environment.yml"])["dependencies"]
    assert pip_part == {"pip": ["-c constraints.txt", "-e .[lab]"]}
    python, pip = conda
    assert pip == "pip"
    assert SpecifierSet(PROJECT["requires-python"]).contains(python.removeprefix("python="))


def test_ruff_expects_the_oldest_python():
    oldest = PROJECT["requires-python"].removeprefix(">=")
    assert PYPROJECT["tool"]["ruff"]["target-version"] == "py" + oldest.replace(".", "")
    assert oldest == PYTHONS[0]


def test_no_registry_and_no_machine_path():
    of_one_machine = r"https?:|file:|index-url|find-links|/(root|home|tmp|opt|work|Users)/|[A-Z]:\\"
    assert {name: re.findall(of_one_machine, TEXT[name]) for name in FILES} == dict.fromkeys(
        FILES, []
    )


def test_home_is_owner_and_name_or_nothing():
    assert re.fullmatch(r"([\w.-]+/[\w.-]+)?", PYPROJECT["tool"]["course"]["home"])


def test_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert str(citation["version"]) == PROJECT["version"]
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"(?m)^## (\d\S*)", changes)[0] == PROJECT["version"]


def test_ci_installs_as_the_readme_says():
    """The lines for Windows, but not the last one, which opens JupyterLab and stays."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"(?m)^    (.*venv.*)$", readme.partition("## Installing by hand")[2])
    assert len(lines) == 3
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    steps = [step.get("run") for step in workflow["jobs"]["windows"]["steps"]]
    assert [line for line in lines[:2] if line not in steps] == []


# make installs when the content of these files changes, and never else

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="no make")


@pytest.fixture
def course(tmp_path):
    """A folder with what make reads, and an environment in which pip does what ``pip`` says."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    return tmp_path


def run_make(folder, *arguments):
    """make in ``folder``, as from a fresh shell: its output, and that it went well or did not."""
    kept = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=kept, capture_output=True, text=True, timeout=60
    )


def pip_does(folder, script):
    """Make ``script`` of the shell the environment's Python."""
    python = folder / ".venv" / "bin" / "python"
    python.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    python.chmod(0o755)


def change(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


UNCHANGED = {
    "the time": ("pyproject.toml", "", ""),
    "an option of ruff": ("pyproject.toml", "line-length = 100", "line-length = 99"),
    "the home": ("pyproject.toml", "[tool.course]", '[tool.course]\nbranch = "x"'),
    "the description": ("pyproject.toml", 'description = "', 'description = "New: '),
    "a comment": ("pyproject.toml", "# what a learner needs", "# what they need"),
    "a comment on the pins": ("constraints.txt", "# Exact versions", "# The exact versions"),
}
CHANGED = {
    "a dependency": ("pyproject.toml", '"torch>=2.6"', '"torch>=2.7"'),
    "an extra": ("pyproject.toml", 'lab = ["jupyterlab"', 'lab = ["notebook"'),
    "the oldest Python": ("pyproject.toml", '">=3.11"', '">=3.12"'),
    "the packages": ("pyproject.toml", '"dae_helpers.classroom", "', '"'),
    "a pin": ("constraints.txt", "\ntorch==", "\ntorch==9."),
}


@needs_make
def test_make_installs_once_for_each_content(course):
    pip_does(course, 'echo "$@" >> pip.txt')
    calls = course / "pip.txt"
    assert run_make(course, ".venv").returncode == 0
    assert calls.read_text().split("\n")[:-1] == ["-m pip install -c constraints.txt -e .[lab]"]
    for what, (name, old, new) in UNCHANGED.items():
        change(course / name, old, new)
        os.utime(course / name)
        assert run_make(course, ".venv").returncode == 0
        assert calls.read_text().count("install") == 1, f"{what} set off an installation"
    for number, (what, (name, old, new)) in enumerate(CHANGED.items(), 2):
        change(course / name, old, new)
        assert run_make(course, ".venv").returncode == 0
        assert calls.read_text().count("install") == number, f"{what} set off no installation"


@needs_make
def test_lab_installs_lab_and_test_adds_dev(course):
    pip_does(course, "")
    lab, test = (run_make(course, "-n", target).stdout for target in ("lab", "test"))
    assert re.findall(r"install .*\.\[(\w+)\]", lab) == ["lab", "lab"]  # said, then done
    assert re.findall(r"install .*\.\[(\w+)\]", test) == ["lab", "lab", "dev", "dev"]


@needs_make
def test_torch_without_cuda_comes_first_and_is_remembered(course):
    pip_does(course, 'echo "$@" >> pip.txt')
    calls = course / "pip.txt"
    index = "TORCH_INDEX=http://index.example/cpu"
    assert run_make(course, ".venv", "TORCH=cpu", index).returncode == 0
    pair = [f"{name}=={pins_of(name)[0]}" for name in ("torch", "torchvision")]
    first, second = calls.read_text().splitlines()
    assert first.split()[-4:] == ["--index-url", "http://index.example/cpu", *pair]
    assert "--no-deps" in first, "the rest comes from where it always comes from"
    assert second == "-m pip install -c constraints.txt -e .[lab]"

    change(course / "constraints.txt", pair[0], "torch==99.0")
    assert run_make(course, ".venv", index).returncode == 0
    assert "--index-url" in calls.read_text().splitlines()[2], "the choice was forgotten"
    assert "torch==99.0" in calls.read_text().splitlines()[2]


@needs_make
def test_torch_comes_from_the_usual_place_unless_asked_for(course):
    pip_does(course, "")
    assert "index-url" not in run_make(course, "-n", ".venv").stdout
    wrong = run_make(course, "-n", ".venv", "TORCH=gpu")
    assert wrong.returncode != 0 and "TORCH should be cpu or nothing" in wrong.stderr


@needs_make
def test_a_failed_installation_is_one_line_and_leaves_the_old_one(course):
    pip_does(course, "exit 0")
    assert run_make(course, ".venv").returncode == 0
    old = list((course / ".venv").glob(".lab-*"))
    (course / ".venv" / "bin" / "jupyter-lab").touch(mode=0o755)
    change(course / "constraints.txt", "\ntorch==", "\ntorch==9.")
    pip_does(
        course,
        'for i in 1 2 3; do echo "Collecting $i"; echo "ERROR: first" >&2; done\n'
        'echo "  ERROR: No matching distribution found for x"; echo note: it failed; exit 1',
    )
    failed = run_make(course, ".venv")
    assert failed.returncode != 0
    lines = failed.stdout.splitlines()
    assert lines[1] == "That failed: ERROR: No matching distribution found for x"
    assert len(lines) == 4 and "try again" in lines[2] and "still works" in lines[3]
    assert list((course / ".venv").glob(".lab-*")) == old
    change(course / "constraints.txt", "\ntorch==9.", "\ntorch==")
    assert "Nothing to be done" in run_make(course, ".venv").stdout, "the old one is whole"


@needs_make
@pytest.mark.skipif(sys.platform == "win32", reason="a script as Python")
def test_an_old_python_is_named(course):
    shutil.rmtree(course / ".venv")
    (course / "old").write_text('#!/bin/sh\n[ "$1" = -c ] && exit 1\necho Python 3.9.9\n')
    (course / "old").chmod(0o755)
    done = run_make(course, ".venv", "PYTHON=./old")
    assert done.returncode != 0 and not (course / ".venv").exists()
    assert "needs Python 3.11 or newer, and ./old is: Python 3.9.9" in done.stdout
