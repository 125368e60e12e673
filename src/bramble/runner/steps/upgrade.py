"""All packages in their latest versions."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Optional

from ..step import Answer, Change, Record, Step, step
from ..system import System
from .apt import transaction

#: Where Debian notes that something is in force only after a restart; it goes with that.
REBOOT_REQUIRED = "/run/reboot-required"

#: Packages whose new version only a restart brings in force.
_NEEDS_RESTART = re.compile(r"linux-image-|raspberrypi-(kernel|bootloader)$|raspi-firmware$|libc6$|systemd$|dbus$")


@step
class Upgrade(Step):
    """No package has a newer version in the archive. The archive is asked once a day.

    What was upgraded stays so: the versions of before are no longer to be had.
    """

    def resources(self) -> "tuple[str, ...]":
        return ("Upgrade",)

    @property
    def title(self) -> str:
        return "Upgrade of all packages"

    def check(self, system: System) -> Answer:
        if transaction.index_age(system) > transaction.STALE:
            return Change("ask the archive for newer packages", {"Upgrade": None})
        newer = transaction.newer(system)
        if not newer:
            return None
        return Change(
            f"{len(newer)} packages: {', '.join(newer[:5])}{'…' if len(newer) > 5 else ''}", {"Upgrade": None}
        )

    def apply(self, system: System, change: Change) -> None:
        for package in transaction.upgrade(system):
            if _NEEDS_RESTART.match(package):
                with open(system.path(REBOOT_REQUIRED), "a"):
                    os.utime(system.path(REBOOT_REQUIRED))

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        return None
