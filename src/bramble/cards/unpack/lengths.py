"""How long an image will be when it is unpacked, as far as the packed file says it.

That is found out before anything is written: a card that is too small is refused untouched, and so is an ``.xz`` or
``.zip`` whose end is missing.
"""

from __future__ import annotations

import os
import zipfile
from typing import IO

#: Bytes of what an .xz stream begins and ends with, and the end's last two (the format's own specification, 2.1).
_XZ_EDGE, _XZ_END = 12, b"YZ"


class CutOff(Exception):
    """The file's end, which says how long it is, is not there."""


def of(packing: str, file: IO[bytes]) -> int:
    """Bytes of the unpacked image; 0 where the format does not say (``gz``, ``zst``).

    Raises
    ------
    CutOff
        The file says it at its end, and that is missing or makes no sense.
    zipfile.BadZipFile
        The same, of a ``.zip``.
    """
    match packing:
        case "raw":
            return file.seek(0, os.SEEK_END)
        case "zip":
            with zipfile.ZipFile(file) as archive:
                return member(archive).file_size
        case "xz":
            return _xz(file)
    return 0


def member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """The image in an archive: what is called so, or else the largest file.

    Raises
    ------
    zipfile.BadZipFile
        There is no file in it.
    """
    files = [info for info in archive.infolist() if not info.is_dir()]
    if not files:
        raise zipfile.BadZipFile("there is no file in it")
    images = [info for info in files if info.filename.lower().endswith(".img")]
    return max(images or files, key=lambda info: info.file_size)


def _xz(file: IO[bytes]) -> int:
    """The sum over the file's streams, from the last to the first: each has an index before its end."""
    total, end = 0, file.seek(0, os.SEEK_END)
    while end > 0:
        footer = _at(file, end - _XZ_EDGE, _XZ_EDGE)
        if footer[-4:] == bytes(4):
            end -= 4  # padding between streams comes in fours
            continue
        if footer[-2:] != _XZ_END:
            raise CutOff("its end is missing")
        length = (int.from_bytes(footer[4:8], "little") + 1) * 4
        index = end - _XZ_EDGE - length
        packed, unpacked = _index(_at(file, index, length))
        total += unpacked
        end = index - packed - _XZ_EDGE
    if end != 0:
        raise CutOff("its parts do not fit together")
    return total


def _index(data: bytes) -> tuple[int, int]:
    """Bytes of all blocks of a stream, packed and unpacked."""
    if data[0] != 0:
        raise CutOff("its index is damaged")
    records, place = _number(data, 1)
    packed = unpacked = 0
    for _ in range(records):
        size, place = _number(data, place)
        packed += size + -size % 4
        size, place = _number(data, place)
        unpacked += size
    return packed, unpacked


def _number(data: bytes, place: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and the place after it."""
    value = 0
    for shift in range(0, 63, 7):
        if place >= len(data):
            break
        value |= (data[place] & 0x7F) << shift
        place += 1
        if not data[place - 1] & 0x80:
            return value, place
    raise CutOff("its index is damaged")


def _at(file: IO[bytes], offset: int, length: int) -> bytes:
    if offset < 0:
        raise CutOff("its end is missing")
    file.seek(offset)
    return file.read(length)
