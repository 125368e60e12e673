"""Entries of a FAT directory, with the long names that Windows 95 put beside the short ones."""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

#: Bytes of an entry.
ENTRY = 32

_LONG, _VOLUME, _FOLDER, _ARCHIVE = 0x0F, 0x08, 0x10, 0x20
_FREE, _END = 0xE5, 0x00

#: Where in an entry of a long name its 13 characters stand.
_CHARACTERS = ((1, 11), (14, 26), (28, 32))

#: What a short name may hold; all else needs a long one.
_SHORT = re.compile(r"([A-Z0-9_~!#$%&'()@^`{}-]{1,8})(?:\.([A-Z0-9_~!#$%&'()@^`{}-]{1,3}))?")


@dataclass(frozen=True)
class Found:
    """A file or folder: its name, where in the directory its last entry stands, and what that entry tells."""

    name: str
    short: bytes
    at: int
    first: int
    size: int
    folder: bool


def entries(raw: bytes) -> Iterator[Found]:
    """All files and folders of a directory."""
    long: dict[int, str] = {}
    for at in range(0, len(raw) - ENTRY + 1, ENTRY):
        entry = raw[at : at + ENTRY]
        if entry[0] == _END:
            return
        kind = entry[11]
        if entry[0] == _FREE or (kind & _VOLUME and kind != _LONG):
            long = {}
        elif kind == _LONG:
            long[entry[0] & 0x3F] = b"".join(entry[a:b] for a, b in _CHARACTERS).decode("utf-16-le", "replace")
        else:
            told = "".join(long[number] for number in sorted(long)).partition("\0")[0]
            high, low, size = struct.unpack_from("<H4xHI", entry, 20)
            yield Found(told or _spoken(entry), entry[:11], at, high << 16 | low, size, bool(kind & _FOLDER))
            long = {}


def label(raw: bytes) -> str:
    """The volume's name, which stands in its root directory; empty where it has none."""
    for at in range(0, len(raw) - ENTRY + 1, ENTRY):
        if raw[at] == _END:
            break
        if raw[at] != _FREE and raw[at + 11] & (_VOLUME | _FOLDER) == _VOLUME and raw[at + 11] != _LONG:
            return raw[at : at + 11].decode("ascii", "replace").rstrip()
    return ""


def room(raw: bytes, number: int) -> int | None:
    """Where so many entries are free one behind the other; None where they are not."""
    run = 0
    for at in range(0, len(raw) - ENTRY + 1, ENTRY):
        if raw[at] == _END:
            return at - run * ENTRY if at + (number - run) * ENTRY <= len(raw) else None
        run = run + 1 if raw[at] == _FREE else 0
        if run == number:
            return at - (number - 1) * ENTRY
    return None


def new(name: str, taken: Iterable[bytes]) -> bytes:
    """The entries of a new, empty file: those of its long name, where it needs one, and its own.

    Parameters
    ----------
    taken
        Short names, 11 bytes each, that are there already.
    """
    match = _SHORT.fullmatch(name)
    if match:
        return _own(match[1].ljust(8).encode() + (match[2] or "").ljust(3).encode())
    short = _unlike(name, set(taken))
    total = 0
    for byte in short:
        total = ((total >> 1) + ((total & 1) << 7) + byte) & 0xFF
    text = name + "\0" if len(name) % 13 else name
    parts = [text[at : at + 13] for at in range(0, len(text), 13)]
    long = b""
    for number, part in reversed(list(enumerate(parts, 1))):
        raw = part.encode("utf-16-le").ljust(26, b"\xff")
        order = number | (0x40 if number == len(parts) else 0)
        long += bytes([order]) + raw[:10] + bytes([_LONG, 0, total]) + raw[10:22] + b"\0\0" + raw[22:]
    return long + _own(short)


def changed(entry: bytes, first: int, size: int) -> bytes:
    """An entry that tells where its file begins now, and how long it is; changed now."""
    now = time.localtime()
    clock = now.tm_hour << 11 | now.tm_min << 5 | now.tm_sec // 2
    day = max(now.tm_year - 1980, 0) << 9 | now.tm_mon << 5 | now.tm_mday
    return entry[:18] + struct.pack("<HHHHHI", day, first >> 16, clock, day, first & 0xFFFF, size)


def _own(short: bytes) -> bytes:
    blank = changed((short + bytes([_ARCHIVE])).ljust(ENTRY, b"\0"), 0, 0)
    return blank[:14] + blank[22:26] + blank[18:]  # made when it was changed


def _unlike(name: str, taken: set[bytes]) -> bytes:
    base, dot, extension = name.upper().rpartition(".")
    if not dot or not base:
        base, extension = name.upper().strip("."), ""
    base, extension = (re.sub(r"[^A-Z0-9_-]", "_", part) for part in (base, extension))
    for number in range(1, 1_000_000):
        tail = f"~{number}"
        short = (base[: 8 - len(tail)] + tail).ljust(8).encode() + extension[:3].ljust(3).encode()
        if short not in taken:
            return short
    raise AssertionError("a directory with a million files of one name")


def _spoken(entry: bytes) -> str:
    """The name of an entry without a long one; Windows NT notes in it whether a part is of small letters."""
    base, extension = (entry[a:b].decode("cp437").rstrip() for a, b in ((0, 8), (8, 11)))
    base = base.lower() if entry[12] & 0x08 else base
    extension = extension.lower() if entry[12] & 0x10 else extension
    return f"{base}.{extension}" if extension else base
