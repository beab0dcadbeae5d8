"""MNIST's mirror fails in every way we know: the course goes on, and nothing half stays behind."""

import os
import signal
import socket
import subprocess
import sys
import threading

import mirror
import pytest
import torch

from dae_helpers import data, load_mnist


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """An empty cache, and a small MNIST whose hashes count as the real ones."""
    folder = tmp_path / "cache" / "dae_helpers"
    monkeypatch.delenv("DAE_DATA", raising=False)
    monkeypatch.setattr(data.platformdirs, "user_cache_path", lambda name: folder)
    monkeypatch.setattr(data, "SHA256", mirror.HASHES)
    monkeypatch.setattr(data, "embedded_digits", mirror.embedded_digits)
    monkeypatch.setattr(data.MNIST, "resources", mirror.RESOURCES)
    return folder


@pytest.fixture
def serve(monkeypatch):
    """Start a mirror of which torchvision downloads."""
    with mirror.running() as server:
        monkeypatch.setattr(data.MNIST, "mirrors", [server.url])
        yield server


def said(capsys):
    """The line that says where the digits came from."""
    (line,) = [s for s in capsys.readouterr().out.splitlines() if s.startswith("Data:")]
    return line


def assert_embedded_and_clean(digits, cache):
    assert len(digits) == 4000 and "embedded" in digits.source
    assert [str(path) for path in cache.rglob("*")] == [], "nothing half is left"


def test_mirror_that_works(serve, cache, capsys):
    """The others fail for the right reason: this one comes through."""
    digits = load_mnist()
    assert len(digits) == 30 and said(capsys) == "Data: 30 digits from MNIST's training file."
    pixels = mirror.FILES["train-images-idx3-ubyte"][16:]
    assert (digits.images * 255).round().to(torch.uint8).numpy().tobytes() == pixels
    assert digits.labels.tolist() == list(mirror.FILES["train-labels-idx1-ubyte"][8:])
    asked = serve.asked
    assert asked > 0 and len(load_mnist(train=False)) == 20 and serve.asked == asked


@pytest.mark.parametrize("how", [403, 503, "HTML", "half"])
def test_mirror_that_fails(serve, cache, capsys, quoted, how):
    serve.how = how
    assert_embedded_and_clean(load_mnist(), cache)
    quoted(said(capsys))
    serve.how = None
    assert len(load_mnist()) == 30, "run again, it works"


def test_mirror_that_fails_at_the_last_file(serve, cache, capsys, monkeypatch):
    monkeypatch.setitem(mirror.PACKED, "t10k-labels-idx1-ubyte.gz", b"half of")
    assert_embedded_and_clean(load_mnist(), cache)
    assert "t10k-labels-idx1-ubyte.gz" in said(capsys)


@pytest.mark.parametrize("how", ["drip", "silent"])
def test_slow_mirror_is_interrupted(serve, cache, capsys, quoted, interruptible, how):
    serve.how = how
    reader = threading.main_thread().ident

    def press_stop():
        assert serve.sending.wait(60)
        signal.pthread_kill(reader, signal.SIGINT)

    threading.Thread(target=press_stop).start()
    assert_embedded_and_clean(load_mnist(), cache)
    for line in capsys.readouterr().out.splitlines():
        quoted(line)
    serve.how = None
    assert len(load_mnist()) == 30


def test_silent_mirror_is_given_up(serve, cache, capsys, quoted, monkeypatch):
    serve.how = "silent"
    limit = socket.setdefaulttimeout
    limits = []

    def shorter(seconds):
        limits.append(seconds)
        limit(0.3 if seconds else seconds)

    monkeypatch.setattr(data.socket, "setdefaulttimeout", shorter)
    assert_embedded_and_clean(load_mnist(), cache)
    assert limits == [20, None], "20 seconds without a byte"
    quoted(said(capsys))


def test_no_network(cache, capsys, quoted, monkeypatch):
    monkeypatch.setattr(data.MNIST, "mirrors", ["http://192.0.2.1/"])  # cut off: unreachable
    assert_embedded_and_clean(load_mnist(), cache)
    quoted(said(capsys))


def test_closed_port(cache, capsys, quoted, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setattr(data.MNIST, "mirrors", [f"http://127.0.0.1:{port}/"])
    assert_embedded_and_clean(load_mnist(), cache)
    quoted(said(capsys))


def test_name_resolution_fails(cache, capsys, quoted, monkeypatch):
    def fail(*args, **kwargs):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert_embedded_and_clean(load_mnist(), cache)
    quoted(said(capsys))


KERNEL = """
import sys
sys.path.insert(0, {tests!r})
import mirror
from dae_helpers import data, load_mnist
data.SHA256, data.MNIST.resources, data.MNIST.mirrors = mirror.HASHES, mirror.RESOURCES, [{url!r}]
print("ready", flush=True)
sys.stdin.readline()
print(len(load_mnist()), len(load_mnist(train=False)))
"""


def start_kernels(url, cache, count):
    """Processes that wait for a line, then load MNIST into the same cache."""
    code = KERNEL.format(tests=os.path.dirname(__file__), url=url)
    environment = {name: value for name, value in os.environ.items() if name != "DAE_DATA"}
    environment |= {name: str(cache) for name in ("XDG_CACHE_HOME", "HOME", "LOCALAPPDATA")}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    kernels = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, text=True, **pipes)
        for _ in range(count)
    ]
    for kernel in kernels:
        assert kernel.stdout.readline() == "ready\n", kernel.stderr.read()
    return kernels


def whole_sets(cache):
    """The folders with MNIST in them, and what else there is."""
    files = [path for path in cache.rglob("*") if path.is_file()]
    found = {path.name: path.read_bytes() for path in files}
    return found, {path.parent for path in files}


@pytest.mark.slow
@pytest.mark.parametrize("damaged", [False, True])
def test_two_kernels_at_once(serve, tmp_path, damaged):
    serve.how = "slow"
    kernels = start_kernels(serve.url, tmp_path, 2)
    if damaged:
        cached = data.platformdirs.user_cache_path("dae_helpers")
        mirror.write_files(cached, {**mirror.FILES, "train-images-idx3-ubyte": b"half"})
    asked = serve.asked
    for kernel in kernels:
        kernel.stdin.write("go\n")
        kernel.stdin.flush()
    for kernel in kernels:
        out, error = kernel.communicate(timeout=60)
        assert kernel.returncode == 0, error
        assert out.splitlines()[-1] == "30 20", out
    assert serve.asked >= asked + 8, "both were downloading"


@pytest.mark.slow
def test_kernel_killed_in_the_download(serve, tmp_path):
    serve.how = "drip"
    first, second = start_kernels(serve.url, tmp_path, 2)
    first.stdin.write("go\n")
    first.stdin.flush()
    assert serve.sending.wait(30)
    first.kill()
    first.communicate()
    serve.how = None
    out, error = second.communicate("go\n", timeout=60)
    assert out.splitlines()[-1] == "30 20", out + error
    found, folders = whole_sets(tmp_path)
    assert {name: found[name] for name in mirror.FILES} == mirror.FILES
