"""A command that is run when it has something to do."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from typing import Optional, Union

from ..dataclass import field
from ..secret import Secret, secrets_in
from ..step import Answer, Change, Record, Step, StepError, Unknown, step, told
from ..system import Output, System
from .filesystem import digest


@step
class Command(Step):
    """A command, where no other step says what is wanted.

    It is run if any of ``creates``, ``unless`` and ``when_changed`` asks for it; one of them must be given.

    Parameters
    ----------
    argv
        The command and its arguments; no shell looks at them, and no secret may be among them: others on the host see
        them in the process list.
    name
        How it is shown to people and kept in the journal; the command line unless given.
    creates
        A path that exists once the command has done its work.
    unless
        A command that ends with status 0 once nothing is left to do.
    when_changed
        Paths of files and directories; the command is run when what they hold changed since it last ran.
    user
        Runs as this user; root otherwise.
    env
        Added to the environment.
    input
        Goes to its standard input: the place for a secret.
    undo_argv
        Run, as the same user and with the same environment, when the service leaves; None if nothing is to be undone.
        Secrets in ``env`` and ``input`` are not there any more by then.
    timeout
        Seconds it may take; None for as long as its group.

    Raises
    ------
    ValueError
        It has no condition, is empty, or a secret is in a command line.
    """

    argv: "tuple[str, ...]"
    name: str = ""
    creates: Optional[str] = None
    unless: "Optional[tuple[str, ...]]" = None
    when_changed: "tuple[str, ...]" = ()
    user: Optional[str] = None
    env: "Mapping[str, Union[str, Secret]]" = field(default_factory=dict)
    input: "Optional[Union[str, Secret]]" = None
    undo_argv: "Optional[tuple[str, ...]]" = None
    timeout: Optional[float] = None

    def __post_init__(self) -> None:
        if not self.argv:
            raise ValueError("a command needs at least a word")
        if self.creates is None and self.unless is None and not self.when_changed:
            raise ValueError(f"{self.argv[0]} would be run each time: give it creates, unless or when_changed")
        if secrets_in([self.argv, self.unless, self.undo_argv]):
            raise ValueError(f"{self.argv[0]}: a secret on a command line is seen by all; use input or env")

    @property
    def _resource(self) -> str:
        return f"Command {self.name or shlex.join(self.argv)}"

    def resources(self) -> "tuple[str, ...]":
        return (self._resource,)

    def check(self, system: System) -> Answer:
        why = []
        if self.creates is not None and not os.path.lexists(system.path(self.creates)):
            why.append(f"{self.creates} is missing")
        if self.when_changed and system.recorded.get(self._resource) != self._mark(system):
            why.append("what it depends on changed" if system.recorded.get(self._resource) else "not run yet")
        # The costly question comes last, and only if it matters.
        if not why and self.unless is not None:
            try:
                if self._run(system, self.unless).status != 0:
                    why.append("not done yet")
            except StepError as error:
                return Unknown(error.what)
        return Change(f"run: {', '.join(why)}", {self._resource: {"ran": True}}) if why else None

    def _mark(self, system: System) -> Optional[str]:
        return digest(system, self.when_changed) if self.when_changed else None

    def fingerprint(self, system: System) -> Optional[str]:
        return self._mark(system)

    def apply(self, system: System, change: Change) -> None:
        self._must(system, self.argv, f"{self.name or self.argv[0]} failed")

    def _run(self, system: System, argv: "tuple[str, ...]", *, secrets: bool = True) -> Output:
        env = {key: _plain(value).decode() for key, value in self.env.items() if secrets or isinstance(value, str)}
        given = None
        if self.input is not None and (secrets or isinstance(self.input, str)):
            given = _plain(self.input)
        return system.run(argv, env=env, input=given, user=self.user, timeout=self.timeout)

    def _must(self, system: System, argv: "tuple[str, ...]", what: str, *, secrets: bool = True) -> None:
        output = self._run(system, argv, secrets=secrets)
        if output.status != 0:
            log = tuple(self._hide(line) for line in output.tail)
            why, hint = told(log)
            if hint and log[-1] == f"hint: {hint}":
                log = log[:-1]
            why = why or f"it ended with status {output.status} and said nothing"
            raise StepError(what, why=why, hint=hint, log=log)

    def _hide(self, line: str) -> str:
        """A line of output without secrets that the command may have repeated."""
        for secret in secrets_in([self.input, dict(self.env)]):
            for part in secret.reveal().decode(errors="replace").splitlines() if secret.known else ():
                line = line.replace(part, "•••") if part else line
        return line

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        if self.undo_argv is not None:
            self._must(system, self.undo_argv, f"{self.undo_argv[0]} failed", secrets=False)
        return None


def _plain(value: "Union[str, Secret]") -> bytes:
    return value.reveal() if isinstance(value, Secret) else value.encode()
