"""A JupyterLab of its own and a headless Chromium, for the tests that look at a page."""

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
SETTINGS = {  # all cells in the page at once; no news from the network
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"  # the one picture from outside
EMPTY_SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
PATIENCE = 120_000  # milliseconds; the machine may be busy


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@contextmanager
def jupyterlab(folder: Path, state: Path):
    """Start JupyterLab on loopback in ``folder``, its settings in ``state``; gives its address."""
    for name, values in SETTINGS.items():
        file = state / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    names = {"SETTINGS": "settings", "WORKSPACES": "workspaces"}
    environment = os.environ | {
        f"JUPYTERLAB_{name}_DIR": str(state / part) for name, part in names.items()
    }
    environment |= {"JUPYTER_CONFIG_DIR": str(state / "config"), "DAE_RUN": "smoke"}
    port, log = free_port(), state / "log.txt"
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token="]
    with log.open("w") as output:
        server = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=output
        )
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/api", timeout=5).close()
                break
            except OSError:
                assert server.poll() is None, log.read_text()
                time.sleep(0.5)
        yield address
    finally:
        server.terminate()
        server.wait(60)


def watch(page: Page, address: str, badge: bool = True) -> list[str]:
    """A list that fills with errors of the page, and with requests that leave this machine.

    The badge of the notebooks is answered here; where it should not be asked for, it is reported.
    """
    problems = []
    page.on("pageerror", lambda error: problems.append(f"error on the page: {error}"))
    page.on(
        "console",
        lambda m: problems.append(f"console: {m.text}") if m.type == "error" else None,
    )
    if badge:
        page.route(BADGE, lambda route: route.fulfill(content_type="image/svg+xml", body=EMPTY_SVG))
    own = [address, address.replace("http", "ws"), "data:", "blob:", *[BADGE] * badge]
    local = re.compile("|".join(map(re.escape, own)))
    page.on(
        "request",
        lambda r: None if local.match(r.url) else problems.append(f"a request to {r.url}"),
    )
    return problems


def open_notebook(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/lab/tree/{name}?reset")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=PATIENCE)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=PATIENCE)


def menu(page: Page, *names: str) -> None:
    """Choose an entry of the menu bar."""
    for name in names:
        page.get_by_role("menuitem", name=name, exact=True).click()


def run_all(page: Page) -> None:
    """Clear what is stored, run all cells, and wait until the last one has run or one failed."""
    menu(page, "Edit", "Clear Outputs of All Cells")
    last = page.locator(".jp-CodeCell .jp-InputPrompt").last
    expect(last).to_have_text(re.compile(r"\[ \]"), timeout=PATIENCE)
    menu(page, "Run", "Run All Cells")
    failed = page.locator(".jp-OutputArea-output", has_text="Traceback (most recent call last)")
    done = last.filter(has_text=re.compile(r"\[\d+\]"))
    done.or_(failed).first.wait_for(timeout=5 * PATIENCE)
    assert failed.count() == 0, failed.first.inner_text()


def picture_of(explorer: Locator) -> str:
    """A fingerprint of the picture that an explorer shows."""
    source = explorer.locator("img.widget-image, .widget-image img").evaluate(
        """async (image) => {
            const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer());
            let text = ''; for (const byte of bytes) text += byte + ','; return text; }"""
    )
    return hashlib.sha256(source.encode()).hexdigest()
