"""What has happened on one host so far."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from ..runner import events
from .report import Failure, HostResult, Outcome


@dataclass
class Tally:
    """Counts one host's steps, and remembers how it came out of the run."""

    began: float = field(default_factory=time.monotonic)
    changed: int = 0
    unchanged: int = 0
    kept: list[str] = field(default_factory=list)
    failure: Failure | None = None
    outcome: Outcome = "done"
    seconds: float = 0.0

    def out(self, outcome: Outcome, failure: Failure | None = None) -> None:
        """The host is out of the run."""
        self.outcome, self.failure = outcome, failure
        self.seconds = time.monotonic() - self.began

    def count(self, event: events.StepDone) -> None:
        """A step is through."""
        changed = event.outcome in ("changed", "would-change", "unknown", "undone")
        self.changed += changed
        self.unchanged += not changed
        if event.outcome == "kept":
            self.kept.append(event.summary)

    def step_failed(self, event: events.StepFailed) -> None:
        """A step failed, and with it the host."""
        failure = Failure(
            error="StepFailed",
            what=event.what,
            why=event.why,
            hint=event.hint,
            group=event.group,
            step=event.step,
            log=event.log,
        )
        self.out("failed", failure)

    def result(self, host: str) -> HostResult:
        """How it stands."""
        return HostResult(
            host=host,
            outcome=self.outcome,
            changed=self.changed,
            unchanged=self.unchanged,
            kept=tuple(self.kept),
            seconds=self.seconds or time.monotonic() - self.began,
            failure=self.failure,
        )
