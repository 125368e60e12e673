"""Running the system's programs, and knowing a process again without mistaking another for it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bramble.errors import BrambleError
from bramble.lab.requirements import PATH


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of the lab's own programs: nothing of the caller's, so no secret of theirs and no locale."""
    return {"PATH": PATH, "LC_ALL": "C.UTF-8", "HOME": "/root", **(extra or {})}


def run(
    argv: Sequence[str | Path],
    *,
    what: str,
    stdin: str | None = None,
    timeout: float = 60.0,
    check: bool = True,
) -> str:
    """Run a program to its end and return its standard output.

    Parameters
    ----------
    argv
        Program and arguments; no shell.
    what
        What fails if it fails, for the message ("making the bridge").
    stdin
        Text for its standard input; none by default.
    timeout
        Seconds after which it is killed.
    check
        Whether a non-zero exit is an error.

    Raises
    ------
    BrambleError
        It failed, is not there, or took too long; ``why`` is the end of what it said.
    """
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env=clean_environment(),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BrambleError(f"{what} failed", why=f"{words[0]} took longer than {timeout:.0f} s") from error
    except OSError as error:
        raise BrambleError(f"{what} failed", why=f"{words[0]}: {error.strerror}") from error
    if check and done.returncode != 0:
        said = last_lines(done.stderr or done.stdout, 5) or f"exit status {done.returncode}"
        raise BrambleError(f"{what} failed", why=f"{words[0]}: {said}")
    return done.stdout


def last_lines(text: str, count: int) -> str:
    """The last lines of a text that are not empty."""
    return "\n".join([line.rstrip() for line in text.splitlines() if line.strip()][-count:])


def start_time(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None when there is no such process (or only its corpse)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


@dataclass(frozen=True, kw_only=True)
class ProcessId:
    """A process for good: its number and its start time, so that a recycled number is never taken for it."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> ProcessId:
        """The identity of a running process; raises ``ProcessLookupError`` when it is gone."""
        started = start_time(pid)
        if started is None:
            raise ProcessLookupError(pid)
        return cls(pid=pid, started=started)

    def alive(self) -> bool:
        """Whether this very process still runs."""
        return start_time(self.pid) == self.started

    def kill(self, number: signal.Signals = signal.SIGKILL) -> bool:
        """Send a signal to this very process; False when it was gone already."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return False
        try:
            # The handle pins the process, so the check cannot be outrun by a recycled number.
            if not self.alive():
                return False
            signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            return False
        finally:
            os.close(handle)
        return True
