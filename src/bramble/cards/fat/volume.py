"""A FAT file system: its files by name."""

from __future__ import annotations

import struct

from ..blocks import Blocks
from . import directory
from .directory import ENTRY, Found
from .pages import Pages
from .partition import Partition
from .table import Geometry, NoRoom, NotFat, Table

__all__ = ["NoRoom", "NotFat", "Volume"]


class Volume:
    """Files of a boot partition.

    Names are found whichever way they are written, ``CMDLINE.TXT`` or ``cmdline.txt``, as on a mounted card. What is
    written reaches the card by `flush`.

    Parameters
    ----------
    blocks
        The card.
    partition
        Where on it the volume lies.

    Raises
    ------
    NotFat
        There is no FAT16 or FAT32 file system.
    """

    def __init__(self, blocks: Blocks, partition: Partition) -> None:
        self._pages = Pages(blocks, partition.offset)
        self._geometry = Geometry.read(self._pages.read(0, 512))
        self._table = Table(self._pages, self._geometry)

    @property
    def label(self) -> str:
        """The volume's name: ``bootfs``, ``system-boot``."""
        return directory.label(self._folder(""))

    def files(self, folder: str = "") -> dict[str, int]:
        """Name → bytes, of the files in the root directory, or in a folder of it.

        Raises
        ------
        FileNotFoundError
            There is no such folder.
        """
        return {found.name: found.size for found in directory.entries(self._folder(folder)) if not found.folder}

    def read(self, path: str) -> bytes:
        """A file's content; ``path`` may go through folders, with slashes.

        Raises
        ------
        FileNotFoundError
            There is no such file.
        """
        found = self._find(path)
        if found is None or found.folder:
            raise FileNotFoundError(path)
        return self._content(found.first)[: found.size]

    def write(self, path: str, data: bytes) -> None:
        """Give a file this content; one that is not there is made, in a folder that is.

        Raises
        ------
        NoRoom
            The volume is full; the file is as it was.
        FileNotFoundError
            There is no such folder.
        IsADirectoryError
            There is a folder of this name.
        """
        folder, _, name = path.rpartition("/")
        found = self._find(path)
        if found is not None and found.folder:
            raise IsADirectoryError(path)
        chain = self._table.chain(found.first) if found and found.first else []
        before = len(chain)
        chain = self._table.resize(chain, -(-len(data) // self._geometry.cluster))
        try:
            at = found.at if found else self._enter(folder, name)
        except NoRoom:
            self._table.resize(chain, before)
            raise
        size = self._geometry.cluster
        for number, cluster in enumerate(chain):
            self._pages.write(self._where(cluster), data[number * size : (number + 1) * size].ljust(size, b"\0"))
        raw = self._folder(folder)
        entry = directory.changed(raw[at : at + ENTRY], chain[0] if chain else 0, len(data))
        self._put(folder, at, entry)

    def flush(self) -> None:
        """Write to the card what was changed."""
        self._pages.flush()

    # Directories: the root of FAT16 is a place of its own, all others are files.

    def _enter(self, folder: str, name: str) -> int:
        raw = self._folder(folder)
        made = directory.new(name, (found.short for found in directory.entries(raw)))
        at = directory.room(raw, len(made) // ENTRY)
        if at is None:
            at = self._grow(folder, raw, len(made) // ENTRY)
        self._put(folder, at, made)
        return at + len(made) - ENTRY

    def _grow(self, folder: str, raw: bytes, number: int) -> int:
        first = self._first(folder)
        if first is None:
            raise NoRoom("the root directory of the boot partition is full")
        chain = self._table.chain(first)
        more = self._table.resize(chain, len(chain) + 1)[-1]
        self._pages.write(self._where(more), bytes(self._geometry.cluster))
        at = directory.room(raw + bytes(self._geometry.cluster), number)
        assert at is not None, "a cluster holds the entries of a name"
        return at

    def _put(self, folder: str, at: int, data: bytes) -> None:
        first = self._first(folder)
        if first is None:
            self._pages.write(self._geometry.root + at, data)
            return
        chain = self._table.chain(first)
        for offset in range(at, at + len(data), ENTRY):
            number, inside = divmod(offset, self._geometry.cluster)
            self._pages.write(self._where(chain[number]) + inside, data[offset - at : offset - at + ENTRY])

    def _first(self, folder: str) -> int | None:
        """The first cluster of a folder; None for FAT16's root."""
        if not folder:
            return self._geometry.root if self._geometry.bits == 32 else None
        found = self._find(folder)
        if found is None or not found.folder:
            raise FileNotFoundError(folder)
        return found.first

    def _folder(self, folder: str) -> bytes:
        first = self._first(folder)
        return (
            self._pages.read(self._geometry.root, self._geometry.root_size) if first is None else self._content(first)
        )

    def _find(self, path: str) -> Found | None:
        folder, _, name = path.rpartition("/")
        wanted = name.casefold()
        for found in directory.entries(self._folder(folder)):
            if wanted in (found.name.casefold(), _short(found.short).casefold()):
                return found
        return None

    def _content(self, first: int) -> bytes:
        if not first:
            return b""
        return b"".join(self._pages.read(self._where(one), self._geometry.cluster) for one in self._table.chain(first))

    def _where(self, cluster: int) -> int:
        return self._geometry.data + (cluster - 2) * self._geometry.cluster


def _short(raw: bytes) -> str:
    base, extension = (part.decode("cp437").rstrip() for part in struct.unpack("8s3s", raw))
    return f"{base}.{extension}" if extension else base
