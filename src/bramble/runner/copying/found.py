"""What lies at some paths: files, folders and links, as they are told to the other side."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import IO, Any, NamedTuple

from ..dataclass import dataclass
from ..step import StepError

#: Bytes that are read at a time.
CHUNK = 1 << 18


@dataclass(frozen=True)
class Entry:
    """A file, a folder or a link on its way.

    Attributes
    ----------
    path
        Relative, below the folder that it comes into.
    kind
        ``file``, ``folder`` or ``link``.
    mode, mtime
        Permissions; nanoseconds since the epoch when it was last changed.
    size, sha256
        Bytes of a file, and their hash where it is known beforehand.
    target
        What a link says.
    """

    path: str
    kind: str
    mode: int = 0o644
    mtime: int = 0
    size: int = 0
    sha256: str = ""
    target: str = ""


class Found(NamedTuple):
    """An entry and where it lies here; ``followed``: its path was named, so a link there means what it points to."""

    entry: Entry
    source: str
    followed: bool

    def open(self) -> "IO[bytes]":
        """The file, which must not have become a link meanwhile."""
        return open(os.open(self.source, os.O_RDONLY | (0 if self.followed else os.O_NOFOLLOW)), "rb")


def find(paths: "list[str]", *, hashed: bool = False) -> "tuple[list[Found], list[str]]":
    """All that lies at these paths, folders before what is in them, and what was left out: sockets, devices, pipes.

    Parameters
    ----------
    hashed
        Read all files, to tell their hashes.

    Raises
    ------
    StepError
        One is not there, or cannot be read; or it is none of those kinds itself.
    OSError
        The disk cannot be read.
    """
    found: list[Found] = []
    left_out: list[str] = []
    for path in map(os.path.abspath, paths):
        name = os.path.basename(path)
        if not name:
            raise StepError(f"{path} is no folder to copy", hint="name what is in it")
        try:
            about = os.stat(path)
        except OSError as error:
            raise StepError(f"{path} cannot be read", why=error.strerror or "", hint=_as_root(error)) from None
        before = len(found)
        _walk(path, name, about, True, found, left_out)
        if len(found) == before:
            raise StepError(f"{path} is neither file nor folder")
    shut = [one.source for one in found if not _readable(one)]
    if shut:
        more = f", and {len(shut) - 1} more" if len(shut) > 1 else ""
        raise StepError(f"{shut[0]} cannot be read", why=f"permission denied{more}", hint="as root: --sudo")
    if hashed:
        found = [one._replace(entry=_hashed(one)) if one.entry.kind == "file" else one for one in found]
    return found, left_out


def _walk(
    path: str, name: str, about: os.stat_result, followed: bool, found: "list[Found]", left_out: "list[str]"
) -> None:
    common: dict[str, Any] = {"path": name, "mode": stat.S_IMODE(about.st_mode) & 0o777, "mtime": about.st_mtime_ns}
    if stat.S_ISREG(about.st_mode):
        found.append(Found(Entry(kind="file", size=about.st_size, **common), path, followed))
    elif stat.S_ISLNK(about.st_mode):
        found.append(Found(Entry(kind="link", target=os.readlink(path), **common), path, False))
    elif stat.S_ISDIR(about.st_mode):
        found.append(Found(Entry(kind="folder", **common), path, followed))
        if os.access(path, os.R_OK | os.X_OK):
            for item in sorted(os.scandir(path), key=lambda item: item.name):
                below = item.stat(follow_symlinks=False)
                _walk(item.path, f"{name}/{item.name}", below, False, found, left_out)
    else:
        left_out.append(path)


def _readable(one: Found) -> bool:
    wanted = {"file": os.R_OK, "folder": os.R_OK | os.X_OK, "link": os.F_OK}[one.entry.kind]
    return one.entry.kind == "link" or os.access(one.source, wanted)


def _hashed(one: Found) -> Entry:
    digest = hashlib.sha256()
    size = 0
    with one.open() as file:
        for data in iter(lambda: file.read(CHUNK), b""):
            digest.update(data)
            size += len(data)
    old = one.entry
    return Entry(path=old.path, kind="file", mode=old.mode, mtime=old.mtime, size=size, sha256=digest.hexdigest())


def _as_root(error: OSError) -> str:
    return "as root: --sudo" if isinstance(error, PermissionError) else ""
