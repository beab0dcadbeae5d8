"""A small MNIST, and a mirror of it on loopback that can misbehave like the real ones."""

import contextlib
import functools
import gzip
import hashlib
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from dae_helpers import data


def idx_files() -> dict[str, bytes]:
    """Name -> bytes of 30 and 20 pictures of random numbers in MNIST's own format."""
    files, rng = {}, np.random.default_rng(0)
    for part, n in (("train", 30), ("t10k", 20)):
        pixels = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8).tobytes()
        files[f"{part}-images-idx3-ubyte"] = struct.pack(">4i", 0x803, n, 28, 28) + pixels
        labels = rng.integers(0, 10, n, dtype=np.uint8).tobytes()
        files[f"{part}-labels-idx1-ubyte"] = struct.pack(">2i", 0x801, n) + labels
    return files


FILES = idx_files()
PACKED = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in FILES.items()}
HASHES = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
RESOURCES = [(name, hashlib.md5(content).hexdigest()) for name, content in PACKED.items()]
embedded_digits = functools.cache(data.embedded_digits)  # to fall back on; read once
PAGE = b"<!doctype html><title>Sign in</title><p>Welcome to the guest network."


def write_files(folder, files=FILES) -> Path:
    """Put the files where ``load_mnist`` looks for them; returns the folder they are in."""
    raw = Path(folder, "MNIST", "raw")
    raw.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (raw / name).write_bytes(content)
    return raw


class Mirror(ThreadingHTTPServer):
    """Serves the packed files; ``how`` says in which way it fails, None that it works.

    ``sending`` is set when an answer is on its way; ``over`` when the server shuts down.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, how=None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.how, self.asked = how, 0
        self.sending, self.over = threading.Event(), threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/"

    def handle_error(self, request, client_address) -> None:
        """Say nothing about clients that went away."""


class Handler(BaseHTTPRequestHandler):
    """Answers as the mirror's ``how`` demands."""

    def do_GET(self) -> None:
        """Send one file, or fail."""
        how, content = self.server.how, PACKED[self.path.strip("/")]
        self.server.asked += 1
        if isinstance(how, int):
            return self.send_error(how)
        if how == "silent":
            self.server.sending.set()
            self.server.over.wait()
            return None
        content = PAGE if how == "HTML" else content
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if how == "half":
            content = content[: len(content) // 2]
        if how == "drip":
            for byte in content[:-1]:  # the last one never comes
                self.wfile.write(bytes([byte]))
                self.server.sending.set()
                if self.server.over.wait(0.02):
                    break
        elif how == "slow":
            time.sleep(0.2)
            self.wfile.write(content)
        else:
            self.wfile.write(content)
        return None

    def log_message(self, *args) -> None:
        """Keep quiet."""


@contextlib.contextmanager
def running(how=None):
    """A mirror that serves in a thread of its own."""
    mirror = Mirror(how)
    threading.Thread(target=mirror.serve_forever, kwargs={"poll_interval": 0.05}).start()
    try:
        yield mirror
    finally:
        mirror.over.set()
        mirror.shutdown()
        mirror.server_close()
