"""The file allocation table: which cluster follows which, and which are free."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from .pages import PAGE, Pages


class NotFat(Exception):
    """There is no FAT file system that can be edited; says why."""


class NoRoom(Exception):
    """The file system, or its root directory, is full."""


@dataclass(frozen=True)
class Geometry:
    """What the first sector of a volume tells. All offsets and sizes are in bytes from the volume's beginning.

    Source: Microsoft, FAT32 File System Specification, version 1.03.
    """

    bits: int
    cluster: int
    clusters: int
    tables: tuple[int, ...]
    data: int
    root: int
    root_size: int
    info: int

    @classmethod
    def read(cls, sector: bytes) -> Geometry:
        """From the first 512 bytes.

        Raises
        ------
        NotFat
            They are not those of FAT16 or FAT32.
        """
        if len(sector) < 512 or sector[510:512] != b"\x55\xaa":
            raise NotFat("its boot partition holds no FAT file system")
        size, per_cluster, reserved, copies, root_entries, small, per_table = struct.unpack_from(
            "<HBHBHHxH", sector, 11
        )
        large, per_table_32, flags, _, root, info = struct.unpack_from("<IIHHIH", sector, 32)
        if size not in (512, 1024, 2048, 4096) or not per_cluster or not copies or not reserved:
            raise NotFat("its boot partition holds no FAT file system")
        table = per_table or per_table_32
        first_root = reserved + copies * table
        root_sectors = -(-root_entries * 32 // size)
        clusters = ((small or large) - first_root - root_sectors) // per_cluster
        bits = 12 if clusters < 4085 else 16 if clusters < 65525 else 32
        if bits == 12:
            raise NotFat("its boot partition is so small that its FAT has 12 bits, which no image for a Pi has")
        if bits == 32 and flags & 0x80:
            raise NotFat("its boot partition's copies of the FAT differ (mirroring is off)")
        return cls(
            bits=bits,
            cluster=size * per_cluster,
            clusters=clusters,
            tables=tuple((reserved + number * table) * size for number in range(copies)),
            data=(first_root + root_sectors) * size,
            root=root if bits == 32 else first_root * size,
            root_size=root_entries * 32,
            info=info * size if bits == 32 and info not in (0, 0xFFFF) else 0,
        )


class Table:
    """All copies of the allocation table of a volume, kept alike."""

    def __init__(self, pages: Pages, geometry: Geometry) -> None:
        self._pages = pages
        self._geometry = geometry
        self._width = geometry.bits // 8
        self._mask = 0x0FFFFFFF if geometry.bits == 32 else 0xFFFF
        self._first_free = 2  # at the earliest

    def chain(self, first: int) -> list[int]:
        """The clusters from ``first`` on, in order.

        Raises
        ------
        NotFat
            They run in a circle, or out of the volume.
        """
        found: list[int] = []
        at = first
        while at < self._mask - 7:
            if not 2 <= at < self._geometry.clusters + 2 or len(found) > self._geometry.clusters:
                raise NotFat("its boot partition's file system is damaged (a chain of clusters leads nowhere)")
            found.append(at)
            at = self._get(at)
        return found

    def resize(self, chain: list[int], length: int) -> list[int]:
        """The chain with so many clusters: new ones at its end, or those at its end set free.

        Raises
        ------
        NoRoom
            There are not so many free ones; nothing was changed.
        """
        kept, gone = chain[:length], chain[length:]
        free = self._free()
        new = [cluster for cluster, _ in zip(free, range(length - len(kept)), strict=False)]
        if len(kept) + len(new) < length:
            raise NoRoom("the boot partition is full")
        whole = kept + new
        self._first_free = min([new[-1] + 1 if new else self._first_free, *gone])
        for cluster in gone:
            self._set(cluster, 0)
        for cluster, following in zip(whole, [*whole, self._mask][1:], strict=True):
            self._set(cluster, following)
        self._account(len(gone) - len(new))
        return whole

    def _free(self) -> Iterator[int]:
        end = self._geometry.clusters + 2
        at = self._first_free
        while at < end:
            # By the page: one by one, tens of thousands that are taken would cost more than all else.
            count = min(PAGE // self._width, end - at)
            raw = self._pages.read(self._geometry.tables[0] + at * self._width, count * self._width)
            for number, value in enumerate(struct.unpack(f"<{count}{'I' if self._width == 4 else 'H'}", raw)):
                if value & self._mask == 0:
                    yield at + number
            at += count

    def _get(self, cluster: int) -> int:
        raw = self._pages.read(self._geometry.tables[0] + cluster * self._width, self._width)
        return int.from_bytes(raw, "little") & self._mask

    def _set(self, cluster: int, value: int) -> None:
        for table in self._geometry.tables:
            at = table + cluster * self._width
            # The upper four bits of 32 are not the table's to change.
            kept = int.from_bytes(self._pages.read(at, self._width), "little") & ~self._mask
            self._pages.write(at, (kept | value).to_bytes(self._width, "little"))

    def _account(self, more: int) -> None:
        """Tell FAT32's sector of information how many clusters are free now, where it knew."""
        if not self._geometry.info:
            return
        free = self._geometry.info + 488
        (count,) = struct.unpack("<I", self._pages.read(free, 4))
        if count <= self._geometry.clusters:
            self._pages.write(free, struct.pack("<I", count + more))
