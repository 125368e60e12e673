"""The error tree of the controller.

Every error says what went wrong, on which host, why, and what to do about it (``hint``, best a command to run)::

    BrambleError                     exit code 1
    ├── UsageError                   2   the user's input; nothing was contacted
    │   ├── NotThere                     no cluster, service or run of this name
    │   ├── HostExpressionError          a host expression, with the faulty place marked
    │   ├── ClusterFileError             a cluster file: file, line, key
    │   └── CardRefused                  a disk that must not be written, or that is too small
    ├── PlanError                    2   no plan can be made of this input; nothing was changed
    ├── HostError                    1   one host; the others go on
    │   ├── Unreachable                  no address, no route, refused port, time-out
    │   ├── UnknownHostKey               never seen: `bramble hosts trust`
    │   ├── ChangedHostKey               seen, and now another one
    │   ├── AuthenticationFailed         no key or password is accepted
    │   ├── SudoFailed                   no sudo, or a wrong password
    │   ├── PythonMissing                no usable python3
    │   ├── ConnectionLost               the connection broke in the middle
    │   ├── HostBusy                     another run holds this host's lock
    │   ├── CardFailed                   a card could not be written, or reads back otherwise
    │   └── StepFailed                   a step of the plan failed
    ├── VerificationFailed           3   deployed, but does not do its work
    └── Interrupted                  130

Foreign exceptions are translated where they enter (``connection/`` for SSH); a traceback is a bug of ours.
"""

from __future__ import annotations

from typing import ClassVar


class BrambleError(Exception):
    """Root of all errors that a user can cause or meet.

    Parameters
    ----------
    what
        What went wrong, one sentence without a full stop.
    host
        Name of the host it happened on, where there is one.
    why
        The cause as far as it is known, often the other side's own words.
    hint
        What to do about it; best the exact command.

    Attributes
    ----------
    besides
        Names of what an error of this kind knows besides.
    """

    exit_code: ClassVar[int] = 1
    besides: ClassVar[tuple[str, ...]] = ()

    def __init__(self, what: str, *, host: str | None = None, why: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.host = host
        self.why = why
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.host}: {self.what}" if self.host else self.what
        if self.why:
            text += f": {self.why}"
        if self.hint:
            text += f"\n  hint: {self.hint}"
        return text

    def to_json(self) -> dict[str, str]:
        """The error as JSON: ``kind`` is the class name; empty fields are left out."""
        fields = {"kind": type(self).__name__, "what": self.what, "host": self.host or "", "why": self.why}
        fields["hint"] = self.hint
        return {key: value for key, value in fields.items() if value}


class UsageError(BrambleError):
    """Input that cannot be used. Raised before any host is contacted."""

    exit_code = 2


class NotThere(UsageError):
    """Something is named that does not exist: a cluster, a service, a run."""


class HostExpressionError(UsageError):
    """A host expression with a mistake in it.

    ``position`` counts characters from 0; the message shows the expression with a mark under the place.
    """

    besides = ("expression", "position")

    def __init__(self, what: str, *, expression: str, position: int, hint: str = "") -> None:
        super().__init__(what, hint=hint)
        self.expression = expression
        self.position = position

    def __str__(self) -> str:
        text = f"{self.what}\n  {self.expression}\n  {' ' * self.position}^"
        return f"{text}\n  hint: {self.hint}" if self.hint else text


class ClusterFileError(UsageError):
    """A cluster file that cannot be used: names the file, the line (from 1) and the key."""

    besides = ("file", "line", "key")

    def __init__(self, what: str, *, file: str, line: int | None = None, key: str = "", hint: str = "") -> None:
        super().__init__(what, hint=hint)
        self.file = file
        self.line = line
        self.key = key

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        text = f"{place}: {self.key}: {self.what}" if self.key else f"{place}: {self.what}"
        return f"{text}\n  hint: {self.hint}" if self.hint else text


class CardRefused(UsageError):
    """A disk that must not be written, or is no card for this image. Nothing on it was touched."""


class PlanError(BrambleError):
    """No plan can be made of this input and these facts. Nothing was changed."""

    exit_code = 2


class HostError(BrambleError):
    """Something on one host; the other hosts go on as far as the plan allows."""


class Unreachable(HostError):
    """No connection: the name does not resolve, no route, port refused, or no answer in time."""


class UnknownHostKey(HostError):
    """The host shows a key that was never accepted. ``fingerprint`` is ``SHA256:…`` as ssh-keygen prints it."""

    besides = ("fingerprint",)

    def __init__(self, what: str, *, host: str, fingerprint: str, why: str = "", hint: str = "") -> None:
        super().__init__(what, host=host, why=why, hint=hint)
        self.fingerprint = fingerprint


class ChangedHostKey(UnknownHostKey):
    """The host shows another key than the one that was accepted for it."""


class AuthenticationFailed(HostError):
    """The host accepts none of the keys or passwords at hand."""


class SudoFailed(HostError):
    """sudo is missing, not allowed, or its password is missing or wrong."""


class PythonMissing(HostError):
    """No python3 of a version the runner can use."""


class ConnectionLost(HostError):
    """The connection broke while work was under way. The journal on the host tells how far it got."""


class HostBusy(HostError):
    """Another run holds the lock of this host."""


class CardFailed(HostError):
    """A card could not be written, or reads back otherwise than it was written. No system starts from it.

    ``device`` is the card or file; ``offset`` counts bytes from its beginning, where the trouble has a place.
    """

    besides = ("device", "offset")

    def __init__(
        self, what: str, *, host: str, device: str, offset: int | None = None, why: str = "", hint: str = ""
    ) -> None:
        super().__init__(what, host=host, why=why, hint=hint)
        self.device = device
        self.offset = offset


class StepFailed(HostError):
    """A step failed on the host. ``log`` holds the last lines of output that tell why."""

    besides = ("step", "log")

    def __init__(
        self,
        what: str,
        *,
        host: str,
        step: str,
        why: str = "",
        hint: str = "",
        log: tuple[str, ...] = (),
    ) -> None:
        super().__init__(what, host=host, why=why, hint=hint)
        self.step = step
        self.log = log


class VerificationFailed(BrambleError):
    """The service is there but does not do its work."""

    exit_code = 3


class Interrupted(BrambleError):
    """Stopped by Ctrl-C, SIGTERM or a lost terminal; ``hint`` is the command that goes on."""

    exit_code = 130
