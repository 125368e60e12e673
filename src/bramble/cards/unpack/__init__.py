"""Images as they are downloaded, compressed or raw, as a stream of what belongs on a card."""

from __future__ import annotations

import contextlib
import gzip
import lzma
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar, cast

from ...errors import BrambleError
from . import lengths
from .programs import Program

#: Bytes of a sector: every disk image is a whole number of them, and its first ends with the mark of a partition table.
SECTOR, MARK = 512, b"\x55\xaa"

#: What a file begins with → how it is packed.
MAGIC = {b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zst", b"\x1f\x8b": "gz", b"PK\x03\x04": "zip"}

#: What the unpackers of the standard library raise at files that are not whole.
_DAMAGED = (EOFError, OSError, lzma.LZMAError, zlib.error, zipfile.BadZipFile, NotImplementedError)


T = TypeVar("T")


class _Stream(Protocol):
    def readinto(self, buffer: memoryview, /) -> int: ...


@dataclass(frozen=True, kw_only=True)
class Image:
    """A file with an image of a card.

    Attributes
    ----------
    path
        Where it is.
    packing
        ``xz``, ``zst``, ``gz``, ``zip`` or, for a raw image, ``raw``: by what it begins with, not by its name.
    size
        Bytes when it is unpacked; 0 where neither the file nor anybody else says it.
    """

    path: Path
    packing: str
    size: int

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    @contextlib.contextmanager
    def open(self) -> Iterator[Unpacked]:
        """Its bytes as they belong on a card.

        Raises
        ------
        BrambleError
            It cannot be read; while it is read: it is cut off, damaged, or no image of a disk.
        """
        with contextlib.ExitStack() as stack:
            stream = _translated(self, lambda: stack.enter_context(_OPENERS[self.packing](self.path)))
            yield Unpacked(self, stream)


def image_at(path: Path, *, size: int = 0) -> Image:
    """The image in a file.

    Parameters
    ----------
    path
        The file.
    size
        Bytes when it is unpacked, where its makers say it; a file that says otherwise of itself is not theirs.

    Raises
    ------
    BrambleError
        It cannot be read, or its end is missing, or it is not the one that is meant.
    """
    try:
        with path.open("rb") as file:
            begins = file.read(8)
            packing = next((name for magic, name in MAGIC.items() if begins.startswith(magic)), "raw")
            said = lengths.of(packing, file)
    except (*_DAMAGED, lengths.CutOff) as error:
        raise _damaged(path, error) from None
    if size and said and size != said:
        why = f"it unpacks to {said} bytes, and must to {size}"
        raise BrambleError(f"{path} is cut off, or not the image it should be", why=why, hint="download it anew")
    return Image(path=path, packing=packing, size=said or size)


class Unpacked:
    """The bytes of an image, looked at while they pass: nothing that is cut off or no image comes to its end."""

    def __init__(self, image: Image, stream: _Stream) -> None:
        self._image = image
        self._stream = stream
        self._done = 0

    def readinto(self, buffer: memoryview, /) -> int:
        """Bytes put at the buffer's beginning; 0 at the end.

        Raises
        ------
        BrambleError
            The file is cut off or damaged, or it is no image of a disk.
        """
        count = _translated(self._image, lambda: self._stream.readinto(buffer))
        if self._done < SECTOR:
            self._look(buffer, count)
        self._done += count
        if count == 0:
            self._whole()
        return count

    def _look(self, buffer: memoryview, count: int) -> None:
        """The mark is at the first sector's end; pieces may be smaller."""
        for index, byte in enumerate(MARK, SECTOR - len(MARK)):
            if self._done <= index < self._done + count and buffer[index - self._done] != byte:
                hint = "an image of a whole card is needed, not of one partition, and no installer"
                raise BrambleError(f"{self._image.path} has no partition table", hint=hint)

    def _whole(self) -> None:
        size = self._image.size
        if self._done == 0 or self._done % SECTOR or (size and self._done != size):
            must = f"{size}" if size else f"a multiple of {SECTOR}"
            why = f"it has {self._done} bytes unpacked, and must have {must}"
            raise BrambleError(f"{self._image.path} is cut off or damaged", why=why, hint="download it anew")


def _damaged(path: Path, error: Exception) -> BrambleError:
    if isinstance(error, OSError) and error.errno is not None:
        return BrambleError(f"{path} cannot be read", why=error.strerror or str(error), hint=f"ls -l {path}")
    return BrambleError(f"{path} is cut off or damaged", why=str(error), hint="download it anew")


def _translated(image: Image, act: Callable[[], T]) -> T:
    try:
        return act()
    except _DAMAGED as error:
        raise _damaged(image.path, error) from None


@contextlib.contextmanager
def _raw(path: Path) -> Iterator[_Stream]:
    with path.open("rb", buffering=0) as file:
        yield cast(_Stream, file)


@contextlib.contextmanager
def _xz(path: Path) -> Iterator[_Stream]:
    if shutil.which("xz"):
        with Program.xz(path) as stream:
            yield stream
    else:
        with lzma.open(path) as stream:
            yield cast(_Stream, stream)


@contextlib.contextmanager
def _zst(path: Path) -> Iterator[_Stream]:
    if not shutil.which("zstd"):
        hint = "apt install zstd, or on macOS: brew install zstd"
        raise BrambleError(f"{path} cannot be unpacked", why="there is no zstd", hint=hint)
    with Program.zstd(path) as stream:
        yield stream


@contextlib.contextmanager
def _gz(path: Path) -> Iterator[_Stream]:
    with gzip.open(path) as stream:
        yield cast(_Stream, stream)


@contextlib.contextmanager
def _zip(path: Path) -> Iterator[_Stream]:
    with zipfile.ZipFile(path) as archive, archive.open(lengths.member(archive)) as stream:
        yield cast(_Stream, stream)


_OPENERS: dict[str, Callable[[Path], contextlib.AbstractContextManager[_Stream]]] = {
    "raw": _raw,
    "xz": _xz,
    "zst": _zst,
    "gz": _gz,
    "zip": _zip,
}
