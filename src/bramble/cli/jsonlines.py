"""Events for programs: one JSON object a line on standard output, the schema of `bramble.runner.events`."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from ..errors import BrambleError
from ..runner.events import Event, to_json


class JsonLines:
    """Writes each event as it happens.

    The last line of a run is ``run-finished`` with the report, or ``error`` where the run ended with one: ``time``,
    ``error`` (its class), ``what``, ``why``, ``hint``, ``exit_code``. Where more than one cluster is at work, each line
    names its ``cluster``.
    """

    def take(self, event: Event, cluster: str = "") -> None:
        """Write an event."""
        self._write(to_json(event), cluster)

    def fail(self, error: BrambleError, cluster: str = "") -> None:
        """Write the error that ended a run."""
        told = error.to_json()
        whole = {**told, "kind": "error", "time": time.time(), "error": told["kind"], "exit_code": error.exit_code}
        self._write(whole, cluster)

    def say(self, text: str) -> None:
        """Words about the run are no events: they go to standard error."""
        sys.stderr.write(text + "\n")

    def tick(self) -> None:
        """Nothing: every line is out already."""

    def close(self) -> None:
        """Nothing: every line is out already."""

    def _write(self, data: dict[str, Any], cluster: str) -> None:
        write_json({**data, "cluster": cluster} if cluster else data)


def write_json(data: object) -> None:
    """Write one line, at once, so that a reader at the other end of a pipe can follow."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n")
    sys.stdout.flush()
