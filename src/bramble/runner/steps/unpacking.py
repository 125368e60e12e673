"""A tar archive into a folder of its own, so that nothing of it comes to lie anywhere else."""

from __future__ import annotations

import os
import posixpath
import shutil
import tarfile
import time
from collections.abc import Iterable
from typing import IO, cast

from ..step import FREE_SPACE, StepError
from ..system import Cancelled, System

#: Bytes that are written at a time.
CHUNK = 1 << 20

#: Bytes that must stay free beside what is unpacked.
SPARE = 50_000_000

#: Seconds between two words on how far it is.
TICK = 2.0


def unpack(system: System, archive: str, folder: str) -> None:
    """Unpack an archive into a folder, which is made. Where all of it lies in one folder, that one is left out.

    Files belong to root, can be read by everybody, and are written to disk when this returns. Links are made last, so
    that nothing is written through one. When it fails or is interrupted, what was unpacked is there: the caller's to
    take away.

    Parameters
    ----------
    archive, folder
        Real paths. The archive may be compressed as Python knows it (gzip, bzip2, xz).

    Raises
    ------
    StepError
        It is no archive, holds what would lead outside of the folder or is no file, folder or link, or there is too
        little room for it.
    Cancelled
        The run was interrupted.
    """
    try:
        with tarfile.open(archive, "r:*") as tar:
            entries = {name: entry for entry in tar for name in [_name(entry)] if name}
            _require_space(os.path.dirname(folder), sum(entry.size for entry in entries.values() if entry.isreg()))
            _Unpacking(system, tar, folder, entries).run()
    except (tarfile.TarError, EOFError) as error:
        raise StepError("what was brought is no archive that can be unpacked", why=str(error)) from None


class _Unpacking:
    def __init__(
        self, system: System, tar: tarfile.TarFile, folder: str, entries: "dict[str, tarfile.TarInfo]"
    ) -> None:
        self._system, self._tar, self._folder = system, tar, folder
        top = _top(entries)
        self._entries = {name[len(top) :]: entry for name, entry in entries.items() if name + "/" != top}
        self._top = top
        self._total = sum(entry.size for entry in self._entries.values() if entry.isreg())
        self._done = 0
        self._told = time.monotonic()

    def run(self) -> None:
        os.mkdir(self._folder, 0o755)
        kept: "dict[str, list[str]]" = {"files": [], "hard": [], "soft": []}
        for name, entry in self._entries.items():
            if entry.isdir():
                os.makedirs(self._place(name), 0o755, exist_ok=True)
            elif entry.isreg():
                kept["files"].append(name)
            elif entry.islnk():
                kept["hard"].append(name)
            elif entry.issym():
                kept["soft"].append(name)
            else:
                raise StepError(f"{name} in the archive is a device or the like, and nothing of it was unpacked")
        for name in kept["files"]:
            self._write(name, self._entries[name])
        for name in kept["hard"]:
            self._write(name, self._meant(name))
        for name in kept["soft"]:
            os.makedirs(os.path.dirname(self._place(name)), 0o755, exist_ok=True)
            os.symlink(self._entries[name].linkname, self._place(name))
        self._require_inside(kept["soft"])
        os.sync()  # once: a sync for each of thousands of files takes minutes on a card

    def _place(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def _write(self, name: str, entry: tarfile.TarInfo) -> None:
        path = self._place(name)
        os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
        with cast("IO[bytes]", self._tar.extractfile(entry)) as content, open(path, "xb") as file:
            for data in iter(lambda: content.read(CHUNK), b""):
                file.write(data)
                self._tell(len(data))
            os.fchmod(file.fileno(), 0o755 if entry.mode & 0o111 else 0o644)
        os.utime(path, (int(entry.mtime), int(entry.mtime)))

    def _meant(self, name: str) -> tarfile.TarInfo:
        """The file that a hard link stands for: it becomes a copy of its own."""
        target = posixpath.normpath(self._entries[name].linkname)
        found = self._entries.get(target[len(self._top) :]) if target.startswith(self._top) else None
        if found is None or not found.isreg():
            raise _outside(name)
        return found

    def _require_inside(self, links: "Iterable[str]") -> None:
        # Only now: where a link leads may depend on others.
        inside = os.path.realpath(self._folder) + os.sep
        for name in links:
            if not (os.path.realpath(self._place(name)) + os.sep).startswith(inside):
                raise _outside(name)

    def _tell(self, size: int) -> None:
        self._done += size
        if self._system.cancel.is_set():
            raise Cancelled
        if not self._system.time_left():
            raise StepError("it was not unpacked in time", hint="run it again, with more time: --timeout SECONDS")
        if time.monotonic() - self._told >= TICK:
            self._told = time.monotonic()
            self._system.progress(f"unpacked {self._done / 1e6:.0f} of {self._total / 1e6:.0f} MB")


def _name(entry: tarfile.TarInfo) -> str:
    """Where an entry lies in the archive; empty for its root."""
    name = posixpath.normpath(entry.name)
    if name.startswith(("/", "../")) or name == "..":
        raise _outside(entry.name)
    return "" if name == "." else name


def _top(entries: "dict[str, tarfile.TarInfo]") -> str:
    """The one folder in which all lies, with a slash; empty where there is none."""
    first = {name.partition("/")[0] for name in entries}
    if len(first) != 1:
        return ""
    (only,) = first
    return "" if only in entries and not entries[only].isdir() else f"{only}/"


def _require_space(folder: str, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size + SPARE > free:
        raise StepError(
            f"its disk is too full: {size / 1e6:.0f} MB are to be unpacked, and {free / 1e6:.0f} MB are free",
            why=f"{SPARE / 1e6:.0f} MB more must stay free",
            hint=FREE_SPACE,
        )


def _outside(name: str) -> StepError:
    return StepError(
        f"{name} in the archive leads out of it, and nothing of it was unpacked",
        why="it could overwrite what belongs to others",
        hint="do not use this archive: whoever made it made a mistake, or means harm",
    )
