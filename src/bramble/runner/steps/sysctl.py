"""A setting of the kernel, now and after the next boot."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from typing import Any, Optional

from ..step import Answer, Change, Record, Step, StepError, Unknown, step
from ..system import System
from .filesystem import look, write

#: Read by systemd-sysctl at boot, before the administrator's own 99-….conf, which so has the last word.
FOLDER = "/etc/sysctl.d"


@step
class Sysctl(Step):
    """A kernel setting: its value now, and a file of its own in /etc/sysctl.d.

    Parameters
    ----------
    key
        As sysctl writes it: ``net.ipv4.ip_forward``; an interface with a dot in its name as ``eth0/1``.
    value
        Numbers as text; several are separated by single spaces.
    """

    key: str
    value: str

    @property
    def _resource(self) -> str:
        return f"Sysctl {self.key}"

    def resources(self) -> "tuple[str, ...]":
        return (self._resource,)

    @property
    def _live(self) -> str:
        return "/proc/sys/" + self.key.translate(str.maketrans("./", "/."))

    @property
    def _file(self) -> str:
        return f"{FOLDER}/60-bramble-{self.key.replace('/', '-')}.conf"

    def _text(self) -> str:
        return f"{self.key} = {self.value}\n"

    def check(self, system: System) -> Answer:
        live = self._value(system)
        if live is None:
            return Unknown(f"the kernel of this host knows no {self.key} (yet): a module may have to be loaded")
        file = _read(system.path(self._file))
        found = []
        if live != self.value.split():
            found.append(f"{' '.join(live)} → {self.value}")
        if file != self._text():
            found.append(f"write {self._file}")
        return Change(", ".join(found), {self._resource: {"file": file, "value": " ".join(live)}}) if found else None

    def _value(self, system: System) -> "Optional[list[str]]":
        text = _read(system.path(self._live))
        return None if text is None else text.split()

    def apply(self, system: System, change: Change) -> None:
        self._set(system, self.value)
        write(system.path(self._file), self._text().encode(), 0o644, os.getuid(), os.getgid())

    def _set(self, system: System, value: str) -> None:
        try:
            with open(system.path(self._live), "w") as file:
                file.write(value)
        except OSError as error:
            raise StepError(
                f"{self.key} cannot be set to {value}",
                why=error.strerror or str(error),
                hint="a container shares this setting with its machine: set it there"
                if isinstance(error, PermissionError) or error.errno == errno.EROFS
                else "",
            ) from None

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        before: dict[str, Any] = records[self._resource].before
        path = system.path(self._file)
        reason = None
        if _read(path) not in (None, self._text(), before["file"]):
            system.kept.append(self._file)
            reason = f"{self._file} was changed by somebody since, so it stays as it is"
        elif before["file"] is not None:
            write(path, before["file"].encode(), 0o644, os.getuid(), os.getgid())
        elif look(path) is not None:
            os.unlink(path)
        live = self._value(system)
        # Another value than ours is somebody else's by now.
        if live == self.value.split() and live != before["value"].split():
            self._set(system, before["value"])
        return reason


def _read(path: str) -> Optional[str]:
    try:
        with open(path) as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
