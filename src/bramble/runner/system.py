"""The machine a step works on: commands with a time limit, what the journal knows, whether to stop."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Optional, Union

from .dataclass import dataclass
from .step import StepError, told

#: Lines of output that go along with an error.
LOG_LINES = 20


@dataclass(frozen=True)
class Output:
    """What a command left behind."""

    status: int
    stdout: str
    stderr: str

    @property
    def tail(self) -> "tuple[str, ...]":
        """The last lines of both streams."""
        return tuple((self.stdout.rstrip() + "\n" + self.stderr.rstrip()).strip().splitlines()[-LOG_LINES:])


class Cancelled(Exception):
    """The run was interrupted, or its time is over, while a command was under way."""


class System:
    """The host as steps see it.

    Parameters
    ----------
    root
        Where the file system begins; another folder than ``/`` only in tests.

    Attributes
    ----------
    facts
        What `facts.gather` found, filled in by the loop.
    recorded
        ``after`` fingerprints of the service at work, by resource, from the journal.
    changed
        Resources that were changed in this session.
    purge
        Whether data may go when things are put back.
    kept
        Paths that an undo left because somebody changed them; later undos must not take them away either.
    afterwards
        What an undo asks to be done once all others are through, by name: starting a daemon of before again makes
        sense only when all its files are back.
    cache
        What was read once and stays true until a step changes it, such as dpkg's list; steps clear their own keys.
    reached
        The address that the controller found the host at after it moved there; empty where it did not move.
    deadline
        `time.monotonic` at which the group's time is over.
    """

    def __init__(self, root: str = "/") -> None:
        self.root = root
        self.recorded: dict[str, Optional[str]] = {}
        self.changed: set[str] = set()
        self.purge = False
        self.kept: list[str] = []
        #: What the step under way found out and passes on.
        self.seen: dict[str, Any] = {}
        self.afterwards: dict[str, Callable[[System], None]] = {}
        self.cache: dict[str, Any] = {}
        self.reached = ""
        self.deadline = float("inf")
        self.cancel = threading.Event()
        self.progress: Callable[[str], None] = lambda text: None
        #: Keeps bytes of a file that is about to change, and gives the name to find them again; see `Journal.keep`.
        self.keep: Callable[[bytes], str] = _no_journal
        self.kept_bytes: Callable[[str], bytes] = _no_journal
        #: Services whose journal entries speak for a resource; see `Journal.services_of`.
        self.claims: Callable[[str], list[str]] = lambda resource: []

    def path(self, path: str) -> str:
        """Where an absolute path of the host lies."""
        return path if self.root == "/" else os.path.join(self.root, path.lstrip("/"))

    def time_left(self, limit: float = float("inf")) -> float:
        """Seconds until the group's time is over, at most ``limit``, at least 0."""
        return max(0.0, min(limit, self.deadline - time.monotonic()))

    def sleep(self, seconds: float) -> None:
        """Wait, but not past a cancel.

        Raises
        ------
        Cancelled
        """
        if self.cancel.wait(seconds):
            raise Cancelled

    def run(
        self,
        argv: "Sequence[str]",
        *,
        input: Optional[bytes] = None,
        env: "Optional[Mapping[str, str]]" = None,
        user: Optional[str] = None,
        cwd: Optional[str] = None,
        timeout: Optional[float] = None,
        killable: "Union[bool, Callable[[], bool]]" = True,
    ) -> Output:
        """Run a command and wait for it. Its status is the caller's to judge.

        Parameters
        ----------
        killable
            Whether an interrupt ends it. False for what must not be cut (dpkg): then it is waited for. A function is
            asked at the time of the interrupt: apt may be cut until it lets dpkg begin.
        user
            Run as this user (by ``runuser``), with its home as working directory.
        timeout
            Seconds; the group's remaining time where that is less.

        Raises
        ------
        StepError
            The command does not exist, or its time was over.
        Cancelled
            The run was interrupted.
        """
        words = list(argv) if user is None else ["runuser", "-u", user, "--", *argv]
        merged = {**os.environ, "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", **(env or {})}
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE if input is not None else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=merged,
                cwd=cwd or ("/" if user is None else None),
                start_new_session=True,
            )
        except FileNotFoundError:
            raise StepError(f"{words[0]} is not on this host") from None
        limit = self.time_left(timeout if timeout is not None else float("inf"))
        ends = time.monotonic() + limit
        pending = input
        out = err = b""
        while True:
            try:
                out, err = process.communicate(pending, timeout=0.2 if limit else 0.01)
                break
            except subprocess.TimeoutExpired:
                pending = None
                late = time.monotonic() >= ends
                if (killable() if callable(killable) else killable) and (late or self.cancel.is_set()):
                    out, err = _end(process)
                    if self.cancel.is_set():
                        raise Cancelled from None
                    output = Output(-1, out.decode(errors="replace"), err.decode(errors="replace"))
                    raise StepError(
                        f"{words[0]} did not finish in {limit:.0f} s",
                        log=output.tail,
                        hint="run it again, with more time: --timeout SECONDS",
                    ) from None
        return Output(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))

    def must(self, argv: "Sequence[str]", what: str = "", **options: Any) -> Output:
        """As `run`, but any status other than 0 is an error.

        Raises
        ------
        StepError
            With the end of what the command said.
        """
        output = self.run(argv, **options)
        if output.status != 0:
            why, hint = told(output.tail)
            raise StepError(
                what or f"{' '.join(argv[:3])} failed with status {output.status}",
                why=why or f"status {output.status}",
                hint=hint,
                log=output.tail,
            )
        return output


def _end(process: "subprocess.Popen[bytes]") -> "tuple[bytes, bytes]":
    """End a command and all it started: politely, then not."""
    for number, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        try:
            return process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            continue
    return b"", b""


def _no_journal(_: Any) -> Any:
    raise RuntimeError("no journal is open")
