"""What a host calls itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Optional

from ..step import Answer, Change, Record, Step, step
from ..system import System
from . import systemd
from .filesystem import look, write

FILE, LIVE = "/etc/hostname", "/proc/sys/kernel/hostname"


@step
class Hostname(Step):
    """The host's own name, now and after the next boot. What stands in /etc/hosts is another step's, `Line`.

    Parameters
    ----------
    name
        Without a domain.
    """

    name: str

    def resources(self) -> "tuple[str, ...]":
        # One name, whichever it is: a host that is renamed once more goes back to the first.
        return ("Hostname",)

    @property
    def title(self) -> str:
        return f"Hostname {self.name}"

    def check(self, system: System) -> Answer:
        live, file = _read(system.path(LIVE)), _read(system.path(FILE))
        if (live or "").strip() == self.name == (file or "").strip():
            return None
        before = {"live": (live or "").strip(), "file": file}
        return Change(f"{before['live']} → {self.name}", {"Hostname": before})

    def apply(self, system: System, change: Change) -> None:
        write(system.path(FILE), f"{self.name}\n".encode(), 0o644, os.getuid(), os.getgid())
        _rename(system, self.name)

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        before: dict[str, Any] = records["Hostname"].before
        path = system.path(FILE)
        now = (_read(path) or "").strip()
        if now not in (self.name, (before["file"] or "").strip()):
            return f"somebody named it {now} since, so it stays"
        if before["file"] is not None:
            write(path, before["file"].encode(), 0o644, os.getuid(), os.getgid())
        elif look(path) is not None:
            os.unlink(path)
        _rename(system, before["live"])
        return None


def _rename(system: System, name: str) -> None:
    if (_read(system.path(LIVE)) or "").strip() == name:
        return
    system.must(["hostname", name], f"the kernel could not be told the name {name}")
    # It tells the network under which name.local this host is found, and reads that only when it starts.
    if systemd.show(system, "avahi-daemon.service").active == "active":
        system.must(["systemctl", "restart", "avahi-daemon.service"], "avahi-daemon could not be restarted")


def _read(path: str) -> Optional[str]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return None
