"""Files and folders on their way as one file, a .tar.gz: packed here, unpacked there, and nowhere else there."""

from __future__ import annotations

import hashlib
import lzma
import os
import posixpath
import re
import tarfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from ..errors import BrambleError, UsageError
from ..runner.copying import CHUNK
from ..runner.copying.found import Entry, Found
from ..runner.copying.placer import Placer
from ..runner.step import StepError

_NS = 10**9

#: Characters that a path may have.
_LONGEST = 4096

#: What a damaged archive makes `tarfile` raise, and one that somebody made up.
_DAMAGED = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, ValueError, KeyError, RecursionError)


def pack(found: Sequence[Found], out: IO[bytes]) -> None:
    """Write what was found, with its permissions and times; links are links there.

    Raises
    ------
    UsageError
        A file cannot be read any more.
    BrambleError
        There is no room for the archive.
    """
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=1, format=tarfile.PAX_FORMAT) as tar:
        for one in found:
            header = _header(one.entry)
            try:
                if one.entry.kind != "file":
                    tar.addfile(header)
                    continue
                with one.open() as file:
                    header.size = os.fstat(file.fileno()).st_size
                    tar.addfile(header, file)
            except OSError as error:
                raise UsageError(f"{one.source} cannot be packed", why=error.strerror or str(error)) from None


def unpack(
    archive: IO[bytes], folder: Path, name: str, *, within: str = "", tell: Callable[[int, int], None] | None = None
) -> None:
    """Lay what an archive has into a folder, never through a link: that of a stranger may say what it likes.

    Parameters
    ----------
    archive
        A .tar, perhaps compressed.
    folder
        It is made where there is none; what is in it besides stays.
    name
        What the archive is called in errors.
    within
        Only what is in this folder of the archive, and without its name.
    tell
        Called with how many entries and bytes there were so far; what it raises ends this.

    Raises
    ------
    UsageError
        It is no archive, or a damaged one; or it has a path that leads out of the folder, or a device.
    BrambleError
        It cannot be written.
    """
    try:
        placer = Placer(str(folder))
    except OSError as error:
        raise BrambleError(f"{folder} cannot be written", why=error.strerror or str(error)) from None
    try:
        with tarfile.open(fileobj=archive) as tar:
            _Unpacking(tar, placer, tell).all(within)
        placer.finish()
    except _DAMAGED as error:
        raise _odd(name, str(error)) from None
    except StepError as error:
        raise UsageError(f"{name} cannot be unpacked: it reaches out of its folder", why=str(error)) from None
    except OSError as error:
        if error.errno is None:  # so do those who read compressed files
            raise _odd(name, str(error)) from None
        raise BrambleError(f"{name} cannot be unpacked", why=error.strerror or str(error)) from None
    finally:
        placer.close()


class _Unpacking:
    """An archive on its way into a folder."""

    def __init__(self, tar: tarfile.TarFile, placer: Placer, tell: Callable[[int, int], None] | None) -> None:
        self._tar, self._placer, self._tell = tar, placer, tell
        self._folders: set[str] = set()
        self._count = self._size = 0

    def all(self, within: str) -> None:
        for member in self._tar:
            path = posixpath.normpath(member.name.lstrip("/"))
            if within:
                first, _, path = path.partition("/")
                if first != within or not path:
                    continue
            if len(path) > _LONGEST:
                raise StepError(f"{path[:40]}… is too long for a path")
            if path != ".":
                self._parents(path)
                self._one(member, _entry(member, path))

    def _parents(self, path: str) -> None:
        """Archives need not name the folders that their files are in."""
        parts = path.split("/")
        for depth in range(1, len(parts)):
            parent = "/".join(parts[:depth])
            if parent not in self._folders:
                self._count_in(1, 0)
                self._folders.add(parent)
                self._placer.lacking([Entry(path=parent, kind="folder", mode=0o755)])

    def _one(self, member: tarfile.TarInfo, entry: Entry) -> None:
        self._count_in(1, 0)
        self._placer.lacking([entry])
        if entry.kind == "folder":
            self._folders.add(entry.path)
        elif entry.kind == "file":
            self._file(member, entry)

    def _file(self, member: tarfile.TarInfo, entry: Entry) -> None:
        content = self._tar.extractfile(member)
        if content is None:
            raise StepError(f"{member.name} has no content")
        digest = hashlib.sha256()
        self._placer.begin(entry)
        # A hard link has the content of the file that it is another name of.
        while data := content.read(CHUNK):
            digest.update(data)
            self._placer.write(data)
            self._count_in(0, len(data))
        self._placer.end(digest.digest())

    def _count_in(self, entries: int, size: int) -> None:
        self._count, self._size = self._count + entries, self._size + size
        if self._tell is not None:
            self._tell(self._count, self._size)


def _header(entry: Entry) -> tarfile.TarInfo:
    header = tarfile.TarInfo(entry.path)
    header.type = {"file": tarfile.REGTYPE, "folder": tarfile.DIRTYPE, "link": tarfile.SYMTYPE}[entry.kind]
    header.mode, header.linkname = entry.mode, entry.target
    header.mtime = entry.mtime // _NS
    # To the nanosecond; as a float it would be another time.
    header.pax_headers = {"mtime": f"{entry.mtime // _NS}.{entry.mtime % _NS:09}"}
    return header


def _entry(member: tarfile.TarInfo, path: str) -> Entry:
    """As it is laid here: its owner can read it, and look into folders."""
    mtime = _time(member.pax_headers.get("mtime") or str(member.mtime))
    if member.isdir():
        return Entry(path=path, kind="folder", mode=member.mode & 0o777 | 0o700, mtime=mtime)
    if member.issym():
        return Entry(path=path, kind="link", target=member.linkname)
    if member.isreg() or member.islnk():
        return Entry(path=path, kind="file", mode=member.mode & 0o777 | 0o400, mtime=mtime)
    raise StepError(f"{member.name} is neither file nor folder nor link")


def _time(text: str) -> int:
    """Nanoseconds, of seconds with a point in them; 0 where it is none of our time."""
    found = re.fullmatch(r"(\d{1,10})(?:\.(\d{1,9})\d*)?", text)
    return int(found[1]) * _NS + int((found[2] or "").ljust(9, "0")) if found else 0


def _odd(name: str, why: str) -> UsageError:
    return UsageError(f"{name} is no .tar or .tar.gz, or it is damaged", why=why)
