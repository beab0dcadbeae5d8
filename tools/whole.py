"""Write a file whole or not at all: the one place where the scripts do it."""

import contextlib
import os
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(content: bytes, path: str | os.PathLike) -> None:
    """Write a file, whole or not at all.

    It is written beside ``path`` under a name of this process's own, then moved there, so a full
    disk or a kill leaves the old file as it was, and two processes do not get into each other's
    way. Raises ``OSError`` if there is no room or the folder cannot be written.
    """
    path = Path(path)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        advice = "what was there is as it was: make room, or save in another folder"
        raise type(error)(error.errno, f"{error.strerror}, {advice}", str(path)) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
