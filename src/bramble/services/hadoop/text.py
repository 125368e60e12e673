"""Files of this room as they are."""

from __future__ import annotations

import re
from importlib.resources import files

#: How a script says that it wants what all of them share.
_SHARED = re.compile(r"^from \.hadoop import .*\n", re.MULTILINE)


def text(name: str) -> str:
    """A file that a host gets, or a program for it."""
    return folder("files", name)


def folder(place: str, name: str) -> str:
    """A file of one of this room's folders."""
    return (files(__package__) / place / name).read_text(encoding="utf-8")


def script(name: str) -> tuple[str, ...]:
    """The command line of a script of this room, with what it shares; it has nothing but the host's own Python."""
    return ("python3", "-IS", "-c", text("probes/hadoop.py") + _SHARED.sub("", text(name)))
