"""What systemd and its journal tell about a unit."""

from __future__ import annotations

from ..dataclass import dataclass
from ..step import StepError
from ..system import System

#: Lines of a unit's log that go along with an error.
LOG_LINES = 20

_PROPERTIES = (
    "LoadState",
    "LoadError",
    "UnitFileState",
    "ActiveState",
    "SubState",
    "Type",
    "Result",
    "ExecMainStatus",
    "ExecMainCode",
    "MainPID",
    "NRestarts",
    "NeedDaemonReload",
    "FragmentPath",
    "DropInPaths",
    "ConditionResult",
)


@dataclass(frozen=True)
class State:
    """A unit as ``systemctl show`` describes it: values of the properties, in systemd's words."""

    values: "dict[str, str]"

    @property
    def exists(self) -> bool:
        return self.values.get("LoadState") != "not-found"

    @property
    def broken(self) -> bool:
        return self.values.get("LoadState") in ("error", "bad-setting")

    @property
    def masked(self) -> bool:
        return self.values.get("LoadState") == "masked"

    @property
    def enabled(self) -> str:
        """``enabled``, ``disabled``, ``static``, …; empty for a unit without a file."""
        return self.values.get("UnitFileState", "")

    @property
    def active(self) -> str:
        """``active``, ``inactive``, ``activating``, ``deactivating``, ``reloading`` or ``failed``."""
        return self.values.get("ActiveState", "")

    @property
    def restarts(self) -> int:
        return int(self.values.get("NRestarts") or 0)

    @property
    def restarting(self) -> bool:
        """It died, and systemd is about to try again."""
        return self.values.get("SubState") == "auto-restart"

    @property
    def reload_needed(self) -> bool:
        """A file of the unit changed since systemd read it."""
        return self.values.get("NeedDaemonReload") == "yes"

    @property
    def own_files(self) -> "tuple[str, ...]":
        """Files of the unit that an administrator or bramble wrote, not a package."""
        files = [self.values.get("FragmentPath", ""), *self.values.get("DropInPaths", "").split()]
        return tuple(file for file in files if file.startswith("/etc/systemd/"))

    @property
    def why(self) -> str:
        """Why it does not run, in a few words."""
        result = self.values.get("Result", "")
        status = self.values.get("ExecMainStatus", "")
        if result == "exit-code":
            return f"it ended with status {status}"
        if result in ("signal", "core-dump"):
            return f"it was ended by signal {status}"
        if result in ("timeout", "watchdog"):
            return "it was not ready in the time its unit gives it"
        if result == "start-limit-hit":
            return "it failed so often that systemd gave up"
        if result == "oom-kill":
            return "it needed more memory than the host has"
        return f"{self.active} ({result})" if result not in ("", "success") else f"it is {self.active}"


def show(system: System, name: str) -> State:
    """Ask systemd about a unit.

    Raises
    ------
    StepError
        systemd is not there or does not answer.
    """
    output = system.must(
        ["systemctl", "show", "--no-pager", f"--property={','.join(_PROPERTIES)}", "--", name],
        f"systemd could not be asked about {name}",
    )
    values = dict(line.partition("=")[::2] for line in output.stdout.splitlines())
    return State(values)


def log(system: System, *names: str, lines: int = LOG_LINES) -> "tuple[str, ...]":
    """The last lines that units logged."""
    if not names:
        return ()
    units = [word for name in names for word in ("-u", name)]
    output = system.run(["journalctl", *units, "-n", str(lines), "--no-pager", "-o", "cat"], timeout=20)
    return tuple(line for line in output.stdout.splitlines() if line != "-- No entries --")


def conditions(system: System, name: str) -> "tuple[str, ...]":
    """The conditions that a unit's files state: one of them not met is why systemd passes over a start in silence."""
    text = system.run(["systemctl", "cat", "--no-pager", "--", name]).stdout
    return tuple(line.strip() for line in text.splitlines() if line.strip().startswith("Condition"))


def failure(system: System, name: str, state: State, what: str = "") -> StepError:
    """The error for a unit that does not run: why, and the end of its log."""
    what = what or f"{name} does not run"
    if state.values.get("ConditionResult") == "no" and state.active == "inactive":
        return StepError(
            what,
            why=f"a condition of the unit is not met: {', '.join(conditions(system, name)) or 'see the unit'}",
            hint=f"systemctl status {name}",
        )
    return StepError(what, why=state.why, hint=f"journalctl -u {name}; systemctl status {name}", log=log(system, name))
