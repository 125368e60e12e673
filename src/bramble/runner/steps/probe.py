"""A command whose outcome proves that a service does its work."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Mapping
from typing import Optional

from ..dataclass import field
from ..step import Answer, Change, Record, Step, StepError, step
from ..system import Output, System
from . import systemd

#: Lines that are named in a message; the rest is counted.
SHOWN = 5


@step
class Probe(Step):
    """Runs a command that changes nothing and compares what comes with what was expected.

    Parameters
    ----------
    name
        What is tried, for people: ``a job on every node``.
    argv
        The command.
    expect_status
        The status it must end with; None if that says nothing.
    expect_lines
        Lines that must come on standard output, in any order, each as often as it is given; None if that says nothing.
    expect_match
        A regular expression that must be found in standard output; ``^`` and ``$`` mean lines.
    blame
        What to say when an expected line does not come, by line: ``red02`` → ``red02 did not answer``. A line on
        standard error that begins with the expected one and a colon tells why: ``red02: no route``.
    user
        Runs as this user; root otherwise.
    input
        Goes to its standard input.
    timeout
        Seconds it may take.
    log_units
        Units whose last log lines go along with a failure.
    hint
        What to do about a failure.

    Raises
    ------
    ValueError
        Nothing is expected, so it could not fail.
    """

    name: str
    argv: "tuple[str, ...]"
    expect_status: Optional[int] = 0
    expect_lines: "Optional[tuple[str, ...]]" = None
    expect_match: Optional[str] = None
    blame: "Mapping[str, str]" = field(default_factory=dict)
    user: Optional[str] = None
    input: Optional[str] = None
    timeout: float = 60.0
    log_units: "tuple[str, ...]" = ()
    hint: str = ""

    def __post_init__(self) -> None:
        if self.expect_status is None and self.expect_lines is None and self.expect_match is None:
            raise ValueError(f"the probe {self.name!r} expects nothing, so it could not fail")

    def resources(self) -> "tuple[str, ...]":
        return ()

    @property
    def title(self) -> str:
        return self.name

    def check(self, system: System) -> Answer:
        """None when what came is what was expected.

        Raises
        ------
        StepError
            It is not: names what is missing, and what came instead.
        """
        given = None if self.input is None else self.input.encode()
        try:
            output = system.run(self.argv, user=self.user, input=given, timeout=self.timeout)
        except StepError as error:
            log = (*error.log, *systemd.log(system, *self.log_units))
            what = f"{self.name}: {error.what}"
            raise StepError(what, why=error.why, hint=self.hint or error.hint, log=log) from None
        wrong = self._wrong(output)
        if not wrong:
            return None
        log = (*output.tail, *systemd.log(system, *self.log_units))
        raise StepError(
            f"{self.name}: {wrong[0]}",
            why="; ".join(wrong[1:]),
            hint=self.hint or f"try it there: {shlex.join(self.argv)}",
            log=log,
        )

    def _wrong(self, output: Output) -> "list[str]":
        """What is not as expected, the most telling first."""
        wrong = []
        if self.expect_lines is not None:
            expected = Counter(self.expect_lines)
            came = Counter(line.rstrip() for line in output.stdout.splitlines() if line.strip())
            missing, extra = expected - came, came - expected
            causes = dict(line.split(": ", 1) for line in output.stderr.splitlines() if ": " in line)
            blamed = [
                f"{self.blame[line]}: {causes[line]}" if causes.get(line) else self.blame[line]
                for line in missing
                if line in self.blame
            ]
            unnamed = [line for line in missing.elements() if line not in self.blame]
            wrong += blamed[:SHOWN]
            if len(blamed) > SHOWN:
                wrong.append(f"and {len(blamed) - SHOWN} more")
            if unnamed:
                wrong.append(f"{_listed(unnamed)} did not come")
            if extra:
                wrong.append(f"{_listed(list(extra.elements()))} came unexpectedly")
        if self.expect_match is not None and not re.search(self.expect_match, output.stdout, re.MULTILINE):
            last = output.stdout.strip().splitlines()[-1:] or ["nothing"]
            wrong.append(f"expected {self.expect_match!r}, but {last[0]!r} came")
        if self.expect_status is not None and output.status != self.expect_status:
            last = output.stderr.strip().splitlines()[-1:] or ["it said nothing"]
            wrong.append(f"it ended with status {output.status}, not {self.expect_status}: {last[0]}")
        return wrong

    def apply(self, system: System, change: Change) -> None:
        raise StepError(f"{self.name}: a probe changes nothing")

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        return None


def _listed(lines: "list[str]") -> str:
    more = f" and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    return ", ".join(repr(line) for line in lines[:SHOWN]) + more
