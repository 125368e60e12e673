"""A setting of the firmware's, in config.txt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

from ..step import Answer, Change, Record, Step, step
from ..system import System
from . import boot_partition
from .boot_partition import boot_id, read, rewrite
from .filesystem import diff, look

#: Where the firmware reads it, the first that exists: Raspberry Pi OS from bookworm and Ubuntu, Raspberry Pi OS
#: bullseye. Bookworm leaves a decoy at the second.
PLACES = ("/boot/firmware/config.txt", "/boot/config.txt")

#: Keys of which every line counts; of all others only the last does.
_ADDING = ("dtoverlay", "dtparam", "device_tree_param", "gpio", "include")

#: The filter under which a line is for every board.
_ALL = "[all]"


@step
class FirmwareSetting(Step):
    """A line of config.txt that is for every board, in force from the next boot on (a `Reboot` step waits for that).

    The file has parts for some boards only, below filters such as ``[pi4]``; so it goes to the end, below ``[all]``.

    Parameters
    ----------
    setting
        Such as ``dtoverlay=disable-wifi``.

    Raises
    ------
    ValueError
        ``setting`` is not of the form ``key=value`` on one line.
    """

    setting: str

    def __post_init__(self) -> None:
        key, equals, value = self.setting.partition("=")
        if not (key and equals and value) or "\n" in self.setting or self.setting != self.setting.strip():
            raise ValueError(f"{self.setting!r} is not key=value")

    @property
    def _resource(self) -> str:
        return f"FirmwareSetting {self.setting}"

    def resources(self) -> "tuple[str, ...]":
        return (self._resource,)

    def check(self, system: System) -> Answer:
        path = boot_partition.find(system, PLACES, "its firmware cannot be set")
        text = read(system.path(path))
        if self._holds(text):
            return None
        added = self._added(text)
        before = {"file": path, "added": added, "count": len(self._places(text))}
        summary = f"add to {path}, in force from the next boot on"
        return Change(summary, {self._resource: before}, diff(text, text + added, path))

    def _holds(self, text: str) -> bool:
        key = self.setting.partition("=")[0]
        lines = [(filtered, line) for filtered, line in _lines(text) if line.partition("=")[0].strip() == key]
        if key not in _ADDING:
            lines = lines[-1:]
        return (_ALL, self.setting) in lines

    def _added(self, text: str) -> str:
        end = "\r\n" if "\r\n" in text else "\n"
        under = [_ALL, *(filtered for filtered, _ in _lines(text))][-1]
        lines = [self.setting] if under == _ALL else [_ALL, self.setting]
        return ("" if not text or text.endswith("\n") else end) + "".join(line + end for line in lines)

    def apply(self, system: System, change: Change) -> None:
        before = change.before[self._resource]
        path = system.path(before["file"])
        rewrite(path, read(path) + before["added"])

    def fingerprint(self, system: System) -> Optional[str]:
        """The boot in which it was written: `Reboot` tells from it whether there was another one since."""
        return boot_id(system)

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        before = records[self._resource].before
        path = system.path(before["file"])
        if look(path) is None:
            return f"{before['file']} is gone"
        text, added = read(path), before["added"]
        ours = self._places(text)
        if len(ours) <= before["count"]:
            return None  # it went by an undo that was cut, or by hand
        if text.endswith(added):
            rewrite(path, text[: -len(added)])
            return None
        # Somebody wrote behind it: only the line itself goes.
        lines = text.splitlines(keepends=True)
        rewrite(path, "".join(lines[: ours[-1]] + lines[ours[-1] + 1 :]))
        return None

    def _places(self, text: str) -> "list[int]":
        return [index for index, line in enumerate(text.splitlines()) if line.strip() == self.setting]


def pending(system: System, resource: str) -> bool:
    """Whether a setting, named by its resource, waits for the next boot."""
    recorded = system.recorded.get(resource)
    if recorded is not None:
        return recorded == boot_id(system)
    # Written by hand, or by a run that was cut before it could note the boot.
    path = system.path(boot_partition.find(system, PLACES, "its firmware cannot be set"))
    setting = resource.split(" ", 1)[1]
    written = any(line == setting for _, line in _lines(read(path)))
    return written and boot_partition.changed_since_boot(system, path)


def _lines(text: str) -> "list[tuple[str, str]]":
    """Each line that says something, and the filter that it stands under; a filter stands under itself."""
    found = []
    under = _ALL
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            under = line.lower()
        if line and not line.startswith("#"):
            found.append((under, line))
    return found
