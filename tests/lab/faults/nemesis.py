"""Brings faults about on the hosts of a lab, and heals them."""

from __future__ import annotations

import time

from bramble import lab as labs
from bramble.lab.testing import Lab

from .schedule import MOMENT, Fault

#: Kills the runner, and only it: what it started lives on as it would on a Pi whose memory ran out.
_KILL_RUNNER = """
for process in /proc/[0-9]*; do
    name=$(tr '\\0' ' ' < $process/cmdline 2>/dev/null | head -c 9)
    if [ "$name" = "python3 -" ] && grep -q bramble_runner $process/cmdline; then kill -9 ${process#/proc/}; fi
done
"""

#: Free where no run holds it.
_LOCK = "test ! -e /run/bramble/lock || flock --nonblock /run/bramble/lock true"


class Nemesis:
    """What befalls the hosts of a lab."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._down: dict[str, str] = {}

    def inflict(self, fault: Fault) -> bool:
        """Bring a fault about; False where the host has another one that leaves no room for it."""
        host = fault.host
        if host in self._down:
            return False
        match fault.kind:
            case "runner killed":
                self._lab.shell(host, _KILL_RUNNER, check=False)
            case "sshd restarted":
                self._lab.execute(host, "systemctl", "restart", "ssh")
            case "power cut":
                self._lab.kill(host)
            case "cut off":
                self._lab.cut(host)
            case "paused":
                self._lab.pause(host)
            case "disk full":
                self._lab.fill(host, "/", leave=10_000)
            case _:
                raise ValueError(f"{fault.kind} does not fall on a host")
        if fault.kind in ("power cut", "cut off", "paused", "disk full"):
            self._down[host] = fault.kind
            if fault.passing:
                time.sleep(MOMENT)
                self._heal(host)
        return True

    def heal(self) -> None:
        """Put an end to all faults; returns when every host answers."""
        for host in list(self._down):
            self._heal(host)
        labs.up(None, self._lab.name)

    def _heal(self, host: str) -> None:
        match self._down.pop(host):
            case "power cut":
                self._lab.start(host)
            case "cut off":
                self._lab.heal(host)
            case "paused":
                self._lab.resume(host)
            case "disk full":
                self._lab.drain(host, "/")

    def wait_until_quiet(self, seconds: float) -> str:
        """Wait until no run holds any host; the name of one that is held even so, or nothing."""
        ends = time.monotonic() + seconds
        for host in self._lab.hosts:
            while not self._free(host):
                if time.monotonic() > ends:
                    return host
                time.sleep(0.5)
        return ""

    def _free(self, host: str) -> bool:
        return labs.execute(self._lab.name, host, ["sh", "-c", _LOCK], check=False).returncode == 0
