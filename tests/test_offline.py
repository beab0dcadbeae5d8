"""The cut network reaches kernels, however they are started."""

import socket
import sys

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, RunningKernel
from run_notebooks import execute

KERNEL = f"""
import os, socket, sys
assert sys.prefix == {sys.prefix!r}, sys.prefix
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


def test_this_process_is_cut_off():
    with pytest.raises(OSError, match="cut off in tests"):
        socket.create_connection(("192.0.2.1", 80), timeout=5)


def test_kernel_of_run_notebooks_is_cut_off(monkeypatch, tmp_path):
    monkeypatch.setenv("DAE_RUN", "smoke")
    cells = [new_code_cell(source) for source in (KERNEL, REFUSED, LOOPBACK)]
    execute(new_notebook(cells=cells), tmp_path)


def test_kernel_of_nbval_is_cut_off(monkeypatch, tmp_path):
    """As ``--nbval-current-env`` starts it."""
    monkeypatch.setenv("DAE_RUN", "smoke")
    kernel = RunningKernel(CURRENT_ENV_KERNEL_NAME, cwd=str(tmp_path))
    try:
        for source in (KERNEL, REFUSED, LOOPBACK):
            asked = kernel.execute_cell_input(source, allow_stdin=False)
            answer = kernel.kc.get_shell_msg(timeout=60)
            assert answer["parent_header"]["msg_id"] == asked
            assert answer["content"]["status"] == "ok", answer["content"]["traceback"]
    finally:
        kernel.stop()
