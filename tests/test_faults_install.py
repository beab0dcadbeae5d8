"""A user without a home. A wheel without its repository: see test_wheel.py."""

import os
import subprocess
import sys

import pytest

from dae_helpers import data, load_mnist


def test_no_home(monkeypatch, capsys, quoted):
    """platformdirs finds no folder of the user's own: the embedded digits, and one line."""
    monkeypatch.delenv("DAE_DATA", raising=False)

    def nowhere(*names):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(data.platformdirs, "user_cache_path", nowhere)
    assert len(load_mnist()) == 4000
    quoted(capsys.readouterr().out.strip())


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may")
def test_user_id_without_an_entry(tmp_path):
    """As `docker run --user 54321`: no passwd entry, no HOME."""
    hidden = {"HOME", "DAE_DATA", "USER", "LOGNAME", "XDG_CACHE_HOME"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    tmp_path.chmod(0o777)
    environment |= {"MPLCONFIGDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    code = "import os; from dae_helpers import data; data.embedded_digits()\n"  # files of root
    code += "os.setuid(54321); data.load_mnist()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd="/"
    )
    assert done.stdout.startswith("Data: 4000 digits from the embedded"), done.stderr
    assert len(done.stdout.splitlines()) == 1
