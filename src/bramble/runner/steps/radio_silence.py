"""Radios that are silent."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping
from typing import Optional

from ..step import Answer, Change, Record, Step, step
from ..system import System

_FOLDER = "/sys/class/rfkill"


@step
class RadioSilence(Step):
    """Radios of these kinds send nothing from now on; systemd keeps it so through a restart. None there, none sends.

    Parameters
    ----------
    kinds
        As the kernel calls them: ``wlan``, ``bluetooth``.
    """

    kinds: "tuple[str, ...]" = ("wlan", "bluetooth")

    def resources(self) -> "tuple[str, ...]":
        return ("RadioSilence",)

    def check(self, system: System) -> Answer:
        sending = {name: kind for name, kind in self._radios(system) if self._soft(system, name) == "0"}
        if not sending:
            return None
        return Change(f"block {', '.join(sorted(set(sending.values())))}", {"RadioSilence": sorted(sending)})

    def _radios(self, system: System) -> "list[tuple[str, str]]":
        found = []
        for folder in sorted(glob.glob(system.path(f"{_FOLDER}/*"))):
            with open(os.path.join(folder, "type")) as file:
                kind = file.read().strip()
            if kind in self.kinds:
                found.append((os.path.basename(folder), kind))
        return found

    @staticmethod
    def _soft(system: System, name: str) -> str:
        with open(system.path(f"{_FOLDER}/{name}/soft")) as file:
            return file.read().strip()

    def apply(self, system: System, change: Change) -> None:
        for name in change.before["RadioSilence"]:
            _block(system, name, "1")

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        for name in records["RadioSilence"].before:
            # After a restart with the radios switched off in the firmware's settings, there is nothing to unblock.
            if os.path.exists(system.path(f"{_FOLDER}/{name}")):
                _block(system, name, "0")
        return None


def _block(system: System, name: str, value: str) -> None:
    with open(system.path(f"{_FOLDER}/{name}/soft"), "w") as file:
        file.write(value)
