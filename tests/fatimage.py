"""Card images for tests, made without any tool: a partition table, and an empty FAT file system."""

from __future__ import annotations

import struct

#: Where the boot partition begins, as on Raspberry Pi OS's images.
START = 4 * 2**20


class Memory:
    """A card in memory."""

    def __init__(self, content: bytes) -> None:
        self.content = bytearray(content)

    def read(self, offset: int, size: int) -> bytes:
        return bytes(self.content[offset : offset + size])

    def write(self, offset: int, data: bytes) -> None:
        assert offset % 512 == 0 and len(data) % 512 == 0, "a card takes whole sectors"
        self.content[offset : offset + len(data)] = data


def image(bits: int, *, cluster: int = 0) -> Memory:
    """A card with one partition that holds an empty FAT16 or FAT32 file system."""
    sectors = {16: 20_000, 32: 70_000}[bits]
    per_cluster = cluster // 512 or 1
    reserved, copies, entries = (32, 2, 0) if bits == 32 else (4, 2, 512)
    table = -(-(sectors // per_cluster + 2) * (bits // 8) // 512)
    boot = bytearray(512)
    boot[:11] = b"\xeb\x58\x90test    "
    small, large = (0, sectors) if bits == 32 else (sectors, 0)
    struct.pack_into("<HBHBHHBH", boot, 11, 512, per_cluster, reserved, copies, entries, small, 0xF8, 0)
    struct.pack_into("<I", boot, 32, large)
    if bits == 32:
        struct.pack_into("<IHHIH", boot, 36, table, 0, 0, 2, 1)
    else:
        struct.pack_into("<H", boot, 22, table)
    boot[510:] = b"\x55\xaa"
    volume = bytearray(sectors * 512)
    volume[:512] = boot
    for copy in range(copies):
        at = (reserved + copy * table) * 512
        if bits == 32:
            struct.pack_into("<III", volume, at, 0x0FFFFFF8, 0x0FFFFFFF, 0x0FFFFFFF)
        else:
            struct.pack_into("<HH", volume, at, 0xFFF8, 0xFFFF)
    if bits == 32:
        clusters = (sectors - reserved - copies * table) // per_cluster
        struct.pack_into("<I", volume, 512, 0x41615252)
        struct.pack_into("<III", volume, 512 + 484, 0x61417272, clusters - 1, 3)
        volume[512 + 510 : 1024] = b"\x55\xaa"
    return Memory(bytes(_table(len(volume))) + bytes(volume))


def _table(size: int) -> bytearray:
    head = bytearray(START)
    struct.pack_into("<B3xB3xII", head, 446, 0x80, 0x0C, START // 512, size // 512)
    head[510:512] = b"\x55\xaa"
    return head
