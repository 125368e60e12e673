"""Files of callers: those of one folder of the service, and none of the machine that it runs on."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import secrets
import shutil
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.filesize import decimal

from ..engine import copying, packed
from ..errors import BrambleError, NotThere, UsageError
from . import room
from .problem import Refused

#: Bytes that one file may have, and all that is in one folder, where nothing else is asked for: an image of a card is
#: some GB.
LARGEST = 16 * 10**9

#: So many files a folder may bring.
_MOST = 100_000

_log = logging.getLogger("bramble")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@=-]{0,199}")


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file, or a folder, of the service.

    Attributes
    ----------
    size
        Bytes; of a folder 0.
    changed
        Seconds since the epoch.
    """

    name: str
    kind: Literal["file", "folder"]
    size: int
    changed: float


class Files:
    """The folder with the files of callers.

    Parameters
    ----------
    largest
        Bytes that one file may have, and all that is in one folder.
    """

    def __init__(self, folder: Path, *, largest: int = LARGEST) -> None:
        self.folder, self.largest = folder, largest
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in folder.glob(".*"):  # of an upload that was cut off with the service
            try:
                _away(left)
            except OSError as error:  # which keeps nobody from all the rest
                _log.warning("%s cannot be taken away: %s", left, error)

    def all(self) -> list[StoredFile]:
        """All of them, by name."""
        found = []
        for name, there in self._entries():
            is_file = stat.S_ISREG(there.st_mode)
            size = there.st_size if is_file else 0
            found.append(StoredFile(name=name, kind="file" if is_file else "folder", size=size, changed=there.st_mtime))
        return found

    def before(self, moment: float) -> list[str]:
        """Names of those that came here before a moment, in seconds since the epoch."""
        # Not the time of the last change, which an archive may bring along.
        return [name for name, there in self._entries() if there.st_ctime < moment]

    def new(self, name: str) -> Path:
        """Where something of this name goes.

        Raises
        ------
        UsageError
            Nothing can be called so.
        """
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} cannot be the name of a file of the service",
                hint="letters and digits, and in between . _ + @ = - make one; there are no folders in it",
            )
        return self.folder / name

    def find(self, name: str) -> Path:
        """The file or folder of this name; ``app/notes.txt`` is one in a folder.

        Raises
        ------
        UsageError
            Nothing can be called so, or nothing is.
        """
        first, *inner = name.split("/")
        path = self.new(first)
        if set(inner) & {"", ".", ".."} or "\0" in name:
            raise UsageError(f"{name!r} cannot be the name of a file of the service", hint="FILE, or FOLDER/FILE")
        # A link in a folder that was fetched from a host may lead to anywhere.
        ways = [path.joinpath(*inner[:depth]) for depth in range(len(inner) + 1)]
        if not _is_there(ways):
            raise NotThere(f"the service has no file {name!r}", hint=f"PUT it there first: /api/v1/files/{first}")
        return ways[-1]

    async def put(
        self, name: str, content: AsyncIterator[bytes], *, length: int = 0, unpack: bool = False
    ) -> StoredFile:
        """Take a file in, whole or not at all; what had its name is replaced.

        Parameters
        ----------
        length
            Bytes that are said to come, where that is said: what is too large is refused before it comes.
        unpack
            It is an archive, a .tar or .tar.gz, and becomes a folder of this name.

        Raises
        ------
        UsageError
            It cannot be called so; or it is no archive, or one that reaches out of its folder.
        Refused
            It is too large, or there is no room for it.
        """
        path = self.new(name)
        self._require_fit(name, length, length)
        with self._beside(name) as part:
            with _translated(name), os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                size = 0
                async for chunk in content:
                    size += len(chunk)
                    self._require_fit(name, size, len(chunk))
                    file.write(chunk)
            if unpack:
                with self._beside(name) as folder:
                    await asyncio.to_thread(self._unpack, part, folder, name)
                    self._replace(folder, path)
            else:
                self._replace(part, path)
        return next(entry for entry in self.all() if entry.name == name)

    def remove(self, name: str) -> None:
        """Take a file or a folder away.

        Raises
        ------
        UsageError
            There is none of this name.
        """
        path = self.find(name)
        with self._beside(name) as going:  # whoever looks meanwhile, or after a kill, finds no half of it
            os.replace(path, going)

    def pack(self, name: str) -> Path:
        """A folder as a .tar.gz, in a file that the caller takes away. Links in it are links there.

        Raises
        ------
        UsageError
            There is none of this name.
        """
        found, _ = copying.gather([str(self.find(name))], hashed=False)
        part = self.folder / f".{name[:100]}.{secrets.token_hex(6)}"
        try:
            with _translated(name), part.open("xb") as file:
                packed.pack(found, file)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        return part

    def _entries(self) -> Iterator[tuple[str, os.stat_result]]:
        for path in sorted(self.folder.iterdir()):
            with suppress(FileNotFoundError):  # it was taken away meanwhile
                there = path.lstat()
                if not path.name.startswith(".") and (stat.S_ISREG(there.st_mode) or stat.S_ISDIR(there.st_mode)):
                    yield path.name, there

    def _unpack(self, archive: Path, folder: Path, name: str) -> None:
        def tell(count: int, size: int) -> None:
            if count > _MOST:
                raise Refused(413, f"{name} has more than {_MOST} files, and no folder may")
            self._require_fit(name, size)

        folder.mkdir(mode=0o700)
        with archive.open("rb") as file:
            packed.unpack(file, folder, name, tell=tell)

    def _require_fit(self, name: str, size: int, coming: int = 0) -> None:
        if size > self.largest:
            raise Refused(
                413, f"{name} is larger than {decimal(self.largest)}, and no file may be",
                hint="whoever runs the service can allow more: bramble serve --largest-file SIZE",
            )  # fmt: skip
        room.require(self.folder, name, coming)

    def _replace(self, part: Path, path: Path) -> None:
        with self._beside(path.name) as going:
            if os.path.lexists(path) and (path.is_dir() or part.is_dir()):
                os.replace(path, going)
            os.replace(part, path)

    @contextmanager
    def _beside(self, name: str) -> Iterator[Path]:
        """A place for what has no name yet, or none any more; it is gone afterwards, or at the next start."""
        part = self.folder / f".{name[:100]}.{secrets.token_hex(6)}"
        try:
            yield part
        finally:
            _away(part)


def _is_there(ways: list[Path]) -> bool:
    try:
        return ways[-1].exists() and not any(way.is_symlink() for way in ways)
    except OSError:  # no path can be so long
        return False


def _away(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def _translated(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BrambleError(f"{name} cannot be kept", why=error.strerror or str(error)) from None
