"""pyproject.toml, constraints.txt and environment.yml agree, and hold nothing of one machine."""

import importlib
import importlib.metadata
import re
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
DEPENDENCIES = [
    Requirement(line) for line in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]
]
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


def pins_of(name, **marker_values):
    """The versions pinned for a package, here or in another environment."""
    return [
        next(iter(pin.specifier)).version
        for pin in PINS
        if canonicalize_name(pin.name) == canonicalize_name(name)
        and (pin.marker is None or pin.marker.evaluate(marker_values))
    ]


def test_every_pin_is_exact():
    for pin in PINS:
        assert [specifier.operator for specifier in pin.specifier] == ["=="], pin


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("dependency", DEPENDENCIES, ids=lambda dependency: dependency.name)
def test_every_dependency_has_one_pin_in_its_bound(dependency, platform, python):
    pins = pins_of(dependency.name, **environment(platform, python))
    assert len(pins) == 1
    assert dependency.specifier.contains(pins[0])


def installed_names():
    """All packages that the course needs here, by what the installed ones say that they need."""
    names, todo = set(), list(DEPENDENCIES)
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        if name in names:
            continue
        names.add(name)
        lines = map(Requirement, importlib.metadata.requires(name) or [])
        todo += [r for r in lines if r.marker is None or r.marker.evaluate({"extra": ""})]
    return names


def test_every_installed_requirement_has_a_pin():
    assert [name for name in sorted(installed_names()) if len(pins_of(name)) != 1] == []


@pytest.mark.parametrize("name", ["torch", "torchvision"])
def test_pinned_pair_is_installed_and_imports(name):
    assert [importlib.metadata.version(name).partition("+")[0]] == pins_of(name)
    assert importlib.import_module(name).__version__.partition("+")[0] == pins_of(name)[0]


def test_environment_has_the_same_pins_and_python():
    *conda, pip_part = yaml.safe_load(TEXT["environment.yml"])["dependencies"]
    assert pip_part == {"pip": ["-c constraints.txt", "-e .[dev]"]}
    python, pip = conda
    assert pip == "pip"
    assert SpecifierSet(PROJECT["requires-python"]).contains(python.removeprefix("python="))


def test_ruff_expects_the_oldest_python():
    oldest = PROJECT["requires-python"].removeprefix(">=")
    assert PYPROJECT["tool"]["ruff"]["target-version"] == "py" + oldest.replace(".", "")


@pytest.mark.parametrize("name", FILES)
def test_no_registry_and_no_machine_path(name):
    of_one_machine = r"https?:|file:|index-url|find-links|/(root|home|tmp|opt|work|Users)/|[A-Z]:\\"
    assert re.findall(of_one_machine, TEXT[name]) == []


def test_home_is_owner_and_name():
    assert re.fullmatch(r"[\w.-]+/[\w.-]+", PYPROJECT["tool"]["course"]["home"])
