"""A command that tells what a person wants to know of a service."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Optional

from ..step import Answer, Change, Record, Step, StepError, step
from ..system import System


@step
class Look(Step):
    """Runs a command that changes nothing, and passes on what it prints: title → rows of a table, as JSON.

    ``{"Nodes": [{"node": "red", "state": "ready"}]}``; the keys of the first row are the columns.

    Parameters
    ----------
    name
        What is looked at, for people.
    argv
        The command.
    input
        Goes to its standard input.
    timeout
        Seconds it may take.
    hint
        What to do where it fails.
    """

    name: str
    argv: "tuple[str, ...]"
    input: Optional[str] = None
    timeout: float = 30.0
    hint: str = ""

    def resources(self) -> "tuple[str, ...]":
        return ()

    @property
    def title(self) -> str:
        return self.name

    def check(self, system: System) -> Answer:
        """None, once what came is in ``system.seen``.

        Raises
        ------
        StepError
            The command failed, or what it printed is no JSON object.
        """
        given = None if self.input is None else self.input.encode()
        output = system.run(self.argv, input=given, timeout=self.timeout)
        if output.status != 0:
            why = output.tail[-1] if output.tail else f"it ended with status {output.status} and said nothing"
            raise StepError(f"{self.name} cannot be told", why=why, hint=self.hint, log=output.tail)
        try:
            system.seen = dict(json.loads(output.stdout))
        except (ValueError, TypeError) as error:
            raise StepError(f"{self.name} cannot be told", why=f"what came is no JSON object: {error}") from None
        return None

    def apply(self, system: System, change: Change) -> None:
        raise StepError(f"{self.name}: a look changes nothing")

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        return None
