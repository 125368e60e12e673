"""A systemd unit: enabled or not, running or not, and started anew when what it depends on changed."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Mapping
from typing import Any, Optional

from ..step import Answer, Change, Record, Step, StepError, Unknown, step
from ..system import System
from . import systemd
from .apt import brought
from .filesystem import digest

#: Endings of unit names; a name without one is a service, as for systemctl.
SUFFIXES = (".service", ".socket", ".timer", ".target", ".mount", ".path", ".slice", ".automount", ".swap")

#: States of a unit file that ``enable`` makes no difference to.
UNCHANGEABLE = ("static", "indirect", "generated", "alias", "transient")

#: Seconds that a service counted as started from its first instant must outlive: a mistake in a configuration shows
#: itself by then [measured: slurmd and slurmctld end within 0.1 s].
SETTLES = 0.25


@step
class Unit(Step):
    """A systemd unit.

    A digest over ``restart_on`` and the unit's own files in /etc/systemd is kept in the journal once the unit was
    (re)started. As long as it is another one, a restart is due; so a run that is cut between the writing of a file and
    the restart makes up for it the next time.

    Parameters
    ----------
    name
        With or without ``.service``.
    enabled
        Whether it starts at boot; None leaves that.
    running
        Whether it runs now; None leaves that.
    restart_on
        Absolute paths of files and directories; when what they hold changes, a running unit is restarted.
    reload
        Let the unit reload then, instead of restarting it.
    timeout
        Seconds until it must run.
    """

    name: str
    enabled: Optional[bool] = True
    running: Optional[bool] = True
    restart_on: "tuple[str, ...]" = ()
    reload: bool = False
    timeout: float = 120.0

    @property
    def unit(self) -> str:
        """The full name."""
        return self.name if self.name.endswith(SUFFIXES) else f"{self.name}.service"

    @property
    def _resource(self) -> str:
        return f"Unit {self.unit}"

    def resources(self) -> "tuple[str, ...]":
        return (self._resource,)

    def check(self, system: System) -> Answer:
        state = systemd.show(system, self.unit)
        if state.broken:
            raise StepError(
                f"{self.unit} has a mistake in its files",
                why=state.values.get("LoadError", ""),
                hint=f"systemd-analyze verify {self.unit}",
            )
        if not state.exists:
            if self.enabled is not True and self.running is not True:
                return None
            return Unknown(f"{self.unit} is not on this host")
        if state.masked:
            if self.enabled is not True and self.running is not True:
                return None
            raise StepError(
                f"{self.unit} is masked: somebody switched it off for good",
                hint=f"if that is no longer wanted: sudo systemctl unmask {self.unit}",
            )
        verbs = self._verbs(system, state)
        before = {"enabled": state.enabled, "active": state.active}
        return Change(", ".join(verbs), {self._resource: before}) if verbs else None

    def _verbs(self, system: System, state: systemd.State) -> "list[str]":
        verbs = []
        if self.enabled is True and state.enabled not in ("enabled", *UNCHANGEABLE):
            verbs.append("enable")
        if self.enabled is False and state.enabled in ("enabled", "enabled-runtime"):
            verbs.append("disable")
        if self.running is True:
            if state.active not in ("active", "reloading"):
                verbs.append("start")
            elif self._runs_another(system, state):
                verbs.append("restart")
            elif state.reload_needed or self._put_right(system) or self._stale(system, state):
                verbs.append("reload" if self.reload else "restart")
        if self.running is False and state.active in ("active", "activating", "reloading"):
            verbs.append("stop")
        return verbs

    def _stale(self, system: System, state: systemd.State) -> bool:
        return self._mark(system, state) != system.recorded.get(self._resource)

    def _put_right(self, system: System) -> bool:
        # Somebody may have changed a file and restarted the unit by hand: with the file as it should be again, the
        # digest is that of old, and the unit still runs with theirs. A link above a file makes it another one, too.
        written = [name.split(" ", 1)[1] for name in system.changed if name.startswith(("File ", "Link "))]
        return self._resource not in system.changed and any(
            path == wanted or path.startswith(f"{wanted}/") or wanted.startswith(f"{path}/")
            for path in written
            for wanted in self.restart_on
        )

    def _runs_another(self, system: System, state: systemd.State) -> bool:
        """Whether the artifact that it runs was put back since it started: it goes on with the one of before."""
        try:
            program = os.readlink(system.path(f"/proc/{state.values.get('MainPID', 0)}/exe"))
        except OSError:
            return False
        path, replaced, _ = program.partition(" (deleted)")
        return bool(replaced) and f"Artifact {path}" in system.recorded

    def _mark(self, system: System, state: systemd.State) -> Optional[str]:
        if self.running is not True:
            return None
        return digest(system, (*self.restart_on, *state.own_files))

    def fingerprint(self, system: System) -> Optional[str]:
        return self._mark(system, systemd.show(system, self.unit))

    def apply(self, system: System, change: Change) -> None:
        state = systemd.show(system, self.unit)
        # systemd does not see that a unit that it has loaded got its first drop-in [tried: 252].
        if state.reload_needed or any(path.startswith("/etc/systemd/") for path in self.restart_on):
            system.must(["systemctl", "daemon-reload"], "systemd could not read its units again")
        for verb in change.summary.split(", "):
            if verb in ("start", "restart", "reload"):
                self._start(system, verb, state)
            else:
                system.must(["systemctl", verb, "--quiet", "--", self.unit], f"{self.unit}: {verb} failed")

    def _start(self, system: System, verb: str, state: systemd.State) -> None:
        ends = time.monotonic() + system.time_left(self.timeout)
        if state.active == "failed":
            # Otherwise failures of before count against the limit of starts.
            system.run(["systemctl", "reset-failed", "--", self.unit])
        command = "reload-or-restart" if verb == "reload" else verb
        output = system.run(["systemctl", command, "--", self.unit], timeout=self.timeout)
        now = systemd.show(system, self.unit)
        if output.status != 0:
            raise systemd.failure(system, self.unit, now, f"{self.unit} could not be {verb}ed")
        restarts = now.restarts
        settled = time.monotonic() + (SETTLES if now.values.get("Type") in ("simple", "exec", "idle") else 0)
        while now.active != "active" or time.monotonic() < settled:
            if now.active in ("failed", "inactive") or now.restarting or now.restarts > restarts:
                raise systemd.failure(system, self.unit, now)
            if time.monotonic() > ends:
                raise systemd.failure(system, self.unit, now, f"{self.unit} is not up after {self.timeout:.0f} s")
            system.sleep(0.05)
            now = systemd.show(system, self.unit)

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        before: dict[str, Any] = records[self._resource].before
        # When all files are back, systemd must read its units again, and a daemon that ran before must take over the
        # old configuration: both only make sense at the end.
        system.afterwards["systemd"] = _reread
        state = systemd.show(system, self.unit)
        if not state.exists or state.masked:
            return None
        if state.enabled not in (before["enabled"], *UNCHANGEABLE):
            if before["enabled"] == "enabled":
                system.must(["systemctl", "enable", "--quiet", "--", self.unit])
            elif before["enabled"] in ("disabled", ""):
                system.must(["systemctl", "disable", "--quiet", "--", self.unit])
        if before["active"] in ("active", "activating", "reloading"):
            system.afterwards[self._resource] = functools.partial(_run_again, unit=self.unit)
            # A daemon that its package started at once goes with the package, and before its directories do.
            stop = brought.brings(system, state.values.get("FragmentPath", ""))
        else:
            stop = True
        if stop and state.active not in ("inactive", "failed"):
            system.must(["systemctl", "stop", "--", self.unit], f"{self.unit} could not be stopped")
        if state.active == "failed" or state.restarting:
            system.run(["systemctl", "reset-failed", "--", self.unit])
        return None


def _reread(system: System) -> None:
    system.must(["systemctl", "daemon-reload"], "systemd could not read its units again")


def _run_again(system: System, unit: str) -> None:
    """Let a unit that ran before bramble came run again, with the files of then, if it is still there."""
    state = systemd.show(system, unit)
    if state.exists and not state.masked:
        system.must(["systemctl", "restart", "--", unit], f"{unit} could not be started as before")
