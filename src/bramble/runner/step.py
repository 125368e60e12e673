"""What a step is: a value that states what is wanted, and knows how to look, to bring it about and to put it back."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional, TypeVar, Union

from .dataclass import dataclass, dataclass_transform, field, fields

if TYPE_CHECKING:
    from .system import System


@dataclass(frozen=True)
class Change:
    """What a step would change.

    Attributes
    ----------
    summary
        For people, a few words: ``create, 0400 munge:munge``.
    before
        What is there now, by resource, as JSON values. It goes into the journal before anything is changed,
        and is all that `Step.undo` gets to put things back.
    diff
        A unified diff for ``--diff``; empty where there is nothing to show or it holds a secret.
    """

    summary: str
    before: Mapping[str, Any] = field(default_factory=dict)
    diff: str = ""


@dataclass(frozen=True)
class Unknown:
    """The honest answer of a check that looks at something an earlier step of the same plan would create."""

    reason: str


Answer = Union[Change, Unknown, None]


@dataclass(frozen=True)
class Record:
    """What the journal kept of one resource.

    ``before`` is what was there (`Change.before`), ``after`` the step's `fingerprint` once it had been applied.
    """

    before: Any
    after: Optional[str] = None


class StepError(Exception):
    """A step could not be carried out. ``log`` holds the last lines of output that tell why."""

    def __init__(self, what: str, *, why: str = "", hint: str = "", log: "tuple[str, ...]" = ()) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.hint = hint
        self.log = log


class Step:
    """Base of all steps. Subclasses are frozen, keyword-only dataclasses made with `step`.

    The loop decides whether `apply` is called, so a dry run cannot write: the call is missing. Time limits, retries
    and sudo belong to the group of a plan that a step stands in, not to the step.
    """

    def resources(self) -> "tuple[str, ...]":
        """The things on the host that this step speaks for, such as ``File /etc/munge/munge.key``.

        Two services may speak for the same resource; it is put back when the last of them leaves.
        """
        raise NotImplementedError

    @property
    def title(self) -> str:
        """How the step is shown to people."""
        return ", ".join(self.resources())

    def check(self, system: "System") -> Answer:
        """What would change. Never changes anything."""
        raise NotImplementedError

    def apply(self, system: "System", change: Change) -> None:
        """Bring it about. Afterwards `check` must find nothing to do.

        Raises
        ------
        StepError
            With the cause, and what to do about it.
        """
        raise NotImplementedError

    def undo(self, system: "System", records: "Mapping[str, Record]") -> Optional[str]:
        """Put back what was there before, for each of these resources; safe to call again after a cut.

        Returns
        -------
        None, or why something was left as it is (a file that somebody changed since).
        """
        raise NotImplementedError

    def fingerprint(self, system: "System") -> Optional[str]:
        """A short mark of the state that was just brought about, kept in the journal; None where none is needed."""
        return None


S = TypeVar("S", bound=Step)

#: All step types by name; the name is what stands in the wire format and in the journal.
STEP_TYPES: "dict[str, type[Step]]" = {}


@dataclass_transform(kw_only_default=True, frozen_default=True)
def step(cls: "type[S]") -> "type[S]":
    """Make a frozen, keyword-only dataclass of ``cls`` and register it as a step type."""
    made = dataclass(frozen=True, kw_only=True)(cls)
    STEP_TYPES[made.__name__] = made
    return made


def fields_of(step: Step) -> "dict[str, Any]":
    """The step's fields by name, not copied."""
    return {name: getattr(step, name) for name in fields(step)}


class RebootNeeded(Exception):
    """Raised by a step's ``apply``: the host must restart before the plan goes on. ``boot_id`` is that of now."""

    def __init__(self, boot_id: str) -> None:
        super().__init__(boot_id)
        self.boot_id = boot_id


class AddressMoves(Exception):
    """Raised by a step: the host is about to be found elsewhere, or as before after a deadline.

    The controller looks for it there, and asks for the same group again.

    Attributes
    ----------
    address
        Where it will be.
    deadline
        Seconds after which it is where it was, unless it is told to stay.
    """

    def __init__(self, address: str, deadline: float) -> None:
        super().__init__(address, deadline)
        self.address = address
        self.deadline = deadline


#: What to do where a disk is full.
FREE_SPACE = "free some space: df -h; sudo apt-get clean; sudo journalctl --vacuum-size=50M"

#: What to do about an operating system's refusal, by its number.
_REMEDIES = {
    errno.ENOSPC: FREE_SPACE,
    errno.EROFS: "a worn or badly pulled card is mounted read-only: dmesg | tail; then check or change the card",
    errno.EDQUOT: "the quota is used up: quota -s",
    errno.EIO: "the card or disk has errors: dmesg | tail",
}


def os_error(error: OSError) -> StepError:
    """What the operating system refused, in words a person can act on."""
    path = error.filename or ""
    return StepError(
        f"{path} cannot be written or read" if path else "the operating system refused",
        why=error.strerror or str(error),
        hint=_REMEDIES.get(error.errno or 0, ""),
    )


def failure(error: "Union[StepError, OSError]") -> "dict[str, Any]":
    """What a part of the runner beside the loop answers where it cannot do what it was asked."""
    found = os_error(error) if isinstance(error, OSError) else error
    return {"kind": "step-failed", "what": found.what, "why": found.why, "hint": found.hint, "log": found.log}


def told(lines: "Sequence[str]") -> "tuple[str, str]":
    """Why a command failed by what it said, and what to do about it.

    That is its last line, unless an earlier one tells of the disk: then the rest only came of that. A script of ours
    may say itself what to do, in a last line ``hint: …``.
    """
    for number, hint in _REMEDIES.items():
        for line in lines:
            if os.strerror(number).lower() in line.lower():
                return line, hint
    if not lines:
        return "", ""
    own = lines[-1].partition("hint: ")
    return (lines[-2], own[2]) if len(lines) > 1 and not own[0] and own[1] else (lines[-1], "")
