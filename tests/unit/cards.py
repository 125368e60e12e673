"""Images and cards that tests make."""

from __future__ import annotations

import random

MIB = 1 << 20


def image(mib: int, seed: int = 1, *, hole: bool = True) -> bytes:
    """An image that no compression makes small, with the mark of a partition table, and zeros in its midst."""
    data = bytearray(random.Random(seed).randbytes(mib * MIB))
    data[510:512] = b"\x55\xaa"
    if hole:
        data[mib * MIB // 2 : mib * MIB // 2 + MIB // 2] = bytes(MIB // 2)
    return bytes(data)
