"""Where on a card its boot partition lies."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from ..blocks import Blocks

#: Bytes that MBR and GPT count in, on every card and in every image of one.
SECTOR = 512

#: Types of MBR partitions with a FAT file system (16 and 32 bit), and of the one that stands for a GPT.
_FAT_TYPES = {0x06, 0x0B, 0x0C, 0x0E, 0xEF}
_GPT = 0xEE

#: Types of GPT partitions that firmware boots from: EFI system partition, Microsoft basic data; as they lie on disk.
_FAT_GUIDS = {
    bytes.fromhex("28732ac11ff8d211ba4b00a0c93ec93b"),
    bytes.fromhex("a2a0d0ebe5b9334487c068b6b72699c7"),
}


class NoBootPartition(Exception):
    """There is no partition table, or none of its partitions is one that a Pi boots from."""


@dataclass(frozen=True)
class Partition:
    """A partition: where it begins, and how long it is, in bytes."""

    offset: int
    size: int


def partitions(blocks: Blocks) -> Iterator[tuple[bool, Partition]]:
    """All primary partitions, and whether each may hold a FAT file system by its type.

    Raises
    ------
    NoBootPartition
        There is no partition table.
    """
    first = blocks.read(0, SECTOR)
    if len(first) < SECTOR or first[510:512] != b"\x55\xaa":
        raise NoBootPartition("there is no partition table")
    entries = [struct.unpack_from("<4xB3xII", first, 446 + 16 * number) for number in range(4)]
    if entries[0][0] == _GPT:
        yield from _gpt(blocks)
        return
    for kind, start, count in entries:
        if kind and count:
            yield kind in _FAT_TYPES, Partition(start * SECTOR, count * SECTOR)


def _gpt(blocks: Blocks) -> Iterator[tuple[bool, Partition]]:
    header = blocks.read(SECTOR, SECTOR)
    if header[:8] != b"EFI PART":
        raise NoBootPartition("its partition table tells of a GPT, and there is none")
    start, number, size = struct.unpack_from("<QII", header, 72)
    if size < 128 or number > 1024:
        raise NoBootPartition("its partition table (GPT) makes no sense")
    table = blocks.read(start * SECTOR, number * size)
    for at in range(0, len(table) - 127, size):
        kind, first, last = table[at : at + 16], *struct.unpack_from("<QQ", table, at + 32)
        if any(kind):
            yield kind in _FAT_GUIDS, Partition(first * SECTOR, (last + 1 - first) * SECTOR)


def boot_partition(blocks: Blocks) -> Partition:
    """The first partition with a FAT file system: that is where a Pi's firmware looks.

    Raises
    ------
    NoBootPartition
        There is none.
    OSError
        The card cannot be read.
    """
    for fat, partition in partitions(blocks):
        if fat:
            return partition
    raise NoBootPartition("none of its partitions is one that a Pi boots from (FAT)")
