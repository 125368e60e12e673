"""The time zone of a host."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Optional

from ..step import Answer, Change, Record, Step, StepError, step
from ..system import System
from .filesystem import forget_unfinished, look, sync_folder, unfinished, write

ZONES, LINK, FILE = "/usr/share/zoneinfo", "/etc/localtime", "/etc/timezone"


@step
class Timezone(Step):
    """The zone that programs tell the time in. Programs that run learn of it when they start again.

    Parameters
    ----------
    zone
        As the tz database calls it: ``Europe/Berlin``.
    """

    zone: str

    def resources(self) -> "tuple[str, ...]":
        return ("Timezone",)

    @property
    def title(self) -> str:
        return f"Timezone {self.zone}"

    def check(self, system: System) -> Answer:
        if not os.path.isfile(system.path(f"{ZONES}/{self.zone}")):
            raise StepError(
                f"this host knows no time zone {self.zone}",
                hint="the zones it knows: timedatectl list-timezones; where that is none: sudo apt-get install tzdata",
            )
        link, text = _target(system), _read(system.path(FILE))
        # Debian 13 has the second file no more; where it is, programs of Java's and Python's world believe it.
        if _zone(link) == self.zone and text in (None, f"{self.zone}\n"):
            return None
        return Change(f"{_zone(link) or 'none'} → {self.zone}", {"Timezone": {"link": link, "text": text}})

    def apply(self, system: System, change: Change) -> None:
        _point(system, f"{ZONES}/{self.zone}")
        if change.before["Timezone"]["text"] is not None:
            _write(system, f"{self.zone}\n")

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        before: dict[str, Any] = records["Timezone"].before
        now = _target(system)
        if _zone(now) != self.zone and now != before["link"]:
            return f"somebody set the time zone to {_zone(now)} since, so it stays"
        if before["link"] is not None:
            _point(system, before["link"])
        elif now is not None:
            os.unlink(system.path(LINK))
        if before["text"] is not None:
            _write(system, before["text"])
        return None


def _target(system: System) -> Optional[str]:
    found = look(system.path(LINK))
    if found is not None and found["kind"] != "symbolic link":
        raise StepError(
            f"{LINK} is a {found['kind']}, not a link, so it cannot be told which zone it is",
            hint=f"sudo rm {LINK}; then run this again",
        )
    return None if found is None else os.readlink(system.path(LINK))


def _zone(link: Optional[str]) -> str:
    return (link or "").partition("/zoneinfo/")[2]


def _point(system: System, target: str) -> None:
    path = system.path(LINK)
    forget_unfinished(path)
    os.symlink(target, unfinished(path))
    os.replace(unfinished(path), path)
    sync_folder(os.path.dirname(path))


def _read(path: str) -> Optional[str]:
    try:
        with open(path) as file:
            return file.read()
    except FileNotFoundError:
        return None


def _write(system: System, text: str) -> None:
    write(system.path(FILE), text.encode(), 0o644, os.getuid(), os.getgid())
