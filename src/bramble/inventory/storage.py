"""Writing files so that a reader sees the old text or the new one, and two writers wait for each other."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..errors import BrambleError


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Make the folder of ``path`` if it is missing, and keep other writers of bramble out of it.

    Raises
    ------
    BrambleError
        The folder cannot be made or used.
    """
    try:
        _make(path.parent)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise BrambleError(f"{path.parent} cannot be used", why=error.strerror or "") from None
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def replace(path: Path, text: str, mode: int = 0o644) -> None:
    """Put ``text`` in place of the file's in one go; a new file gets ``mode``, an old one keeps mode and owner.

    Raises
    ------
    BrambleError
        It cannot be written; the file is as it was.
    """
    target = path.resolve()  # a link, as dotfile managers make them, stays one
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with open(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            owner = target.parent.stat()
            with contextlib.suppress(FileNotFoundError):
                owner = target.stat()
                mode = stat.S_IMODE(owner.st_mode)
            if os.geteuid() == 0:
                os.fchown(handle, owner.st_uid, owner.st_gid)
            os.fchmod(handle, mode)
            file.flush()
            os.fsync(handle)
        os.replace(temporary, target)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise BrambleError(f"{path} cannot be written", why=error.strerror or "") from None


def put(path: Path, content: bytes, mode: int, *, called: str = "") -> None:
    """Put a file in place at once, with this mode whatever was there; its folder is made for its user alone.

    Parameters
    ----------
    called
        What an error calls it; else its path.

    Raises
    ------
    BrambleError
        It cannot be written; what was there is as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)
        os.replace(temporary, path)
    except OSError as error:
        raise BrambleError(f"{called or path} cannot be written", why=error.strerror or "") from None


def _make(folder: Path) -> None:
    """Make a folder for its user alone. Root, who burns cards by ``sudo -E``, makes it for whose home it is in."""
    if folder.is_dir():
        return
    _make(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        owner = folder.parent.stat()
        os.chown(folder, owner.st_uid, owner.st_gid)
