"""One line in a text file that others own, too."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, Optional

from ..dataclass import dataclass
from ..step import Answer, Change, Record, Step, StepError, Unknown, step
from ..system import System
from .filesystem import WORLD_READABLE, diff, look, write


@step
class Line(Step):
    """A line that stands in a file, such as /etc/hosts, or does not; the rest of the file is left as it is.

    Parameters
    ----------
    path
        Absolute. The file must exist.
    line
        The whole line, without its end. May be left out where ``absent`` goes by ``match``.
    match
        A regular expression, searched for in each line. Lines that it finds are taken out, and ``line`` stands in the
        place of the first of them; without one, ``line`` goes to the end of the file.
    absent
        No such line is wanted: those equal to ``line``, or that ``match`` finds, are taken out.

    Raises
    ------
    ValueError
        There is nothing to look for, or ``match`` does not find ``line``, so that it would be added again each time.
    """

    path: str
    line: str = ""
    match: Optional[str] = None
    absent: bool = False

    def __post_init__(self) -> None:
        if not self.line and not (self.absent and self.match):
            raise ValueError(f"a line of {self.path} needs its text")
        if "\n" in self.line:
            raise ValueError(f"{self.line!r} is more than one line")
        if self.match is not None and not self.absent and not re.search(self.match, self.line):
            raise ValueError(f"{self.match!r} does not find {self.line!r}")

    @property
    def _resource(self) -> str:
        return f"Line {self.path}: {'no ' if self.absent else ''}{self.line or self.match}"

    def resources(self) -> "tuple[str, ...]":
        return (self._resource,)

    def _finds(self, text: str) -> bool:
        text = text.rstrip("\r")
        if self.match is not None and re.search(self.match, text):
            return True
        return bool(self.line) and text == self.line

    def check(self, system: System) -> Answer:
        now = _read(system.path(self.path))
        if now is None:
            return None if self.absent else Unknown(f"{self.path} does not exist on this host")
        found = [(index, text) for index, text in enumerate(now.lines) if self._finds(text)]
        if self.absent:
            if not found:
                return None
            summary = f"take out {', '.join(repr(text) for _, text in found)}"
        elif [text.rstrip("\r") for _, text in found] == [self.line]:
            return None
        elif found:
            summary = f"{found[0][1]!r} → {self.line!r}"
        else:
            summary = f"add {self.line!r}"
        wanted = self._wanted(now)
        before = {
            "removed": [[index, text, now.lines[index - 1] if index else None] for index, text in found],
            "added": None if self.absent else wanted.lines.index(self.line + now.carriage),
            "unended": None if now.ended else now.lines[-1],
        }
        shown = look(os.path.realpath(system.path(self.path))) or {"mode": 0}
        readable = shown["mode"] & WORLD_READABLE
        return Change(summary, {self._resource: before}, diff(now.text(), wanted.text(), self.path) if readable else "")

    def _wanted(self, now: "_Text") -> "_Text":
        lines: list[str] = []
        placed = self.absent
        for text in now.lines:
            if not self._finds(text):
                lines.append(text)
            elif not placed:
                lines.append(self.line + now.carriage)
                placed = True
        if not placed:
            lines.append(self.line + now.carriage)
        # A last line without its end stays so, unless something now stands behind it or it went itself.
        return _Text(lines, ended=now.ended or lines[-1:] != now.lines[-1:])

    def apply(self, system: System, change: Change) -> None:
        now = _read(system.path(self.path))
        if now is None:
            raise StepError(f"{self.path} does not exist on this host")
        _write(system.path(self.path), self._wanted(now))

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        before = records[self._resource].before
        now = _read(system.path(self.path))
        if now is None:
            return f"{self.path} is gone, so no line of it is put back"
        found = [text for text in now.lines if self._finds(text)]
        if found == [text for _, text, _ in before["removed"]]:
            return None  # as before: by an undo that was cut, or by hand
        if self.absent:
            if found:
                return f"{self.path} has such a line again, so it stays as it is"
        elif self.line not in [text.rstrip("\r") for text in found]:
            return f"somebody took {self.line!r} out of {self.path}, so it stays as it is"
        _write(system.path(self.path), self._put_back(now, before))
        return None

    def _put_back(self, now: "_Text", before: "dict[str, Any]") -> "_Text":
        """The text without our line and with those it replaced; the rest may have changed since."""
        lines = list(now.lines)
        shift = 0
        if before["added"] is not None:
            ours = [index for index, text in enumerate(lines) if text.rstrip("\r") == self.line]
            place = min(ours, key=lambda index: abs(index - before["added"]))
            shift = place - before["added"]
            del lines[place]
        least = 0
        for index, text, previous in before["removed"]:
            place = _place(lines, index + shift, previous, least)
            lines.insert(place, text)
            # The next one stood behind this one, by as much.
            shift, least = place - index, place + 1
        unended = before["unended"] is not None and lines[-1:] == [before["unended"]]
        return _Text(lines, ended=not unended)


def _place(lines: "list[str]", index: int, previous: Optional[str], least: int) -> int:
    """Where a line goes back: behind the line it stood behind, as near as there is one to its old place."""
    if previous is None:
        return 0
    behind = [place + 1 for place, text in enumerate(lines) if text == previous and place + 1 >= least]
    return min(behind, key=lambda place: abs(place - index)) if behind else max(least, min(index, len(lines)))


@dataclass(frozen=True)
class _Text:
    """A text file as lines, losslessly: ``ended`` tells whether the last line has its end."""

    lines: "list[str]"
    ended: bool

    @property
    def carriage(self) -> str:
        """What lines end with before the newline: files on a boot partition are edited under Windows, too."""
        return "\r" if self.lines and self.lines[0].endswith("\r") else ""

    def text(self) -> str:
        return "\n".join(self.lines) + ("\n" if self.ended and self.lines else "")


def _read(path: str) -> Optional[_Text]:
    try:
        with open(path, "rb") as file:
            text = file.read().decode("utf-8", "surrogateescape")
    except (FileNotFoundError, NotADirectoryError):
        return None
    ended = text.endswith("\n") or not text
    lines = text.split("\n")
    if ended:
        lines.pop()
    return _Text(lines, ended)


def _write(path: str, text: _Text) -> None:
    real = os.path.realpath(path)
    found = os.stat(real)
    write(real, text.text().encode("utf-8", "surrogateescape"), found.st_mode & 0o7777, found.st_uid, found.st_gid)
