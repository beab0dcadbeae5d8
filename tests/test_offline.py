"""The cut network reaches kernels, however they are started."""

import os
import socket
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from run_notebooks import execute

KERNEL = """
import os, socket, sys
assert sys.prefix == {prefix!r}, sys.prefix
assert os.environ["DAE_RUN"] == "smoke" and not os.listdir(os.environ["DAE_DATA"])
"""
REFUSED = """
for attempt in (
    lambda: socket.create_connection(("192.0.2.1", 80), timeout=5),  # an address for documentation
    lambda: socket.socket().connect_ex(("192.0.2.1", 80)),
    lambda: socket.getaddrinfo("example.org", 80),
):
    try:
        attempt()
    except OSError as error:
        assert "cut off in tests" in str(error), error
    else:
        raise AssertionError("the network is open")
"""
LOOPBACK = """
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(("localhost", server.getsockname()[1]), timeout=5)
client.close(); server.close()
"""


@pytest.fixture
def notebook(monkeypatch):
    monkeypatch.setenv("DAE_RUN", "smoke")
    cells = [KERNEL.format(prefix=sys.prefix), REFUSED, LOOPBACK]
    return new_notebook(cells=[new_code_cell(source) for source in cells])


def test_this_process_is_cut_off():
    with pytest.raises(OSError, match="cut off in tests"):
        socket.create_connection(("192.0.2.1", 80), timeout=5)


def test_kernel_of_run_notebooks_is_cut_off(notebook, tmp_path):
    execute(notebook, tmp_path)


def test_kernel_of_nbval_is_cut_off(notebook, tmp_path):
    nbformat.write(notebook, tmp_path / "offline.ipynb")
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env"]
    result = subprocess.run(
        [*command, "-q", "offline.ipynb"],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "3 passed" in result.stdout
