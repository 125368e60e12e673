"""Sizes of files, as people write and read them: ``8G``, ``16 GiB``."""

from __future__ import annotations

import re

from ..errors import UsageError

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")

_WRITTEN = re.compile(r"([0-9]{1,6})([KMGT])(?:i?B)?", re.IGNORECASE)


def read(text: str) -> int:
    """Bytes of a size: ``500M``, ``8G``; each unit is 1024 of the one before.

    Raises
    ------
    UsageError
        It is none.
    """
    found = _WRITTEN.fullmatch(text.strip())
    if found is None or not int(found[1]):
        raise UsageError(f"{text!r} is no size of a file", hint="a number and its unit: 500M, 8G, 1T")
    power: int = 1024 ** (1 + "KMGT".index(found[2].upper()))
    return int(found[1]) * power


def told(size: int) -> str:
    """A size in words: ``16 GiB``."""
    value, unit = float(size), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{round(value, 1):g} {_UNITS[unit]}"
