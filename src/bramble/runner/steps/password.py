"""The password of a user."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Optional

from ..dataclass import dataclass
from ..secret import Secret
from ..step import Answer, Change, Record, Step, StepError, Unknown, step
from ..system import System
from .user import caller

SHADOW = "/etc/shadow"


@step
class Password(Step):
    """What a user logs in with, and gives to sudo where that asks.

    The host itself makes the hash of it, by its own rules. The hash of before is kept where only root reads.

    Parameters
    ----------
    password
        In plain text, or a hash as it stands in /etc/shadow (``$y$…``, ``$6$…``).
    user
        Whose; empty for who logged in to this host.
    """

    password: Secret
    user: str = ""

    @property
    def _resource(self) -> str:
        return f"Password of {self.user or 'who logs in'}"

    def resources(self) -> "tuple[str, ...]":
        return (self._resource,)

    def check(self, system: System) -> Answer:
        user = self.user or caller()
        now = _entry(system, user)
        if now is None:
            return Unknown(f"there is no user {user} on this host")
        if _opens(self._text, now.hashed):
            return None
        return Change(f"of {user}", {self._resource: {"user": user, "sha256": _mark(now.hashed), "day": now.day}})

    @property
    def _text(self) -> str:
        return self.password.reveal().decode()

    def apply(self, system: System, change: Change) -> None:
        user = change.before[self._resource]["user"]
        system.keep(_require(system, user).hashed.encode())
        _set(system, user, self._text, hashed=self._text.startswith("$"))

    def fingerprint(self, system: System) -> Optional[str]:
        return _mark(_require(system, self.user or caller()).hashed)

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        record = records[self._resource]
        before: dict[str, Any] = record.before
        now = _entry(system, before["user"])
        if now is None:
            return f"the user {before['user']} is gone"
        if record.after is not None and _mark(now.hashed) not in (record.after, before["sha256"]):
            return f"{before['user']} has another password since, which stays"
        _set(system, before["user"], system.kept_bytes(before["sha256"]).decode(), hashed=True)
        # Since when it is that one counts for how long it holds.
        system.must(["chage", "--lastday", before["day"] or "-1", before["user"]])
        return None


@dataclass(frozen=True)
class _Entry:
    """A user's hash, and the day since 1970 on which it was set."""

    hashed: str
    day: str


def _entry(system: System, user: str) -> Optional[_Entry]:
    with open(system.path(SHADOW), encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            fields = line.split(":")
            if fields[0] == user:
                return _Entry(fields[1], fields[2])
    return None


def _require(system: System, user: str) -> _Entry:
    found = _entry(system, user)
    if found is None:
        raise StepError(f"there is no user {user} on this host")
    return found


def _opens(text: str, hashed: str) -> bool:
    """Whether a password, or the hash of one, is what stands there."""
    if text.startswith("$") or not hashed.startswith("$"):
        return hmac.compare_digest(text.encode(), hashed.encode())
    # Python's own module for it is gone since 3.13; the library that login itself uses is on every host.
    import ctypes

    crypt = ctypes.CDLL("libcrypt.so.1").crypt
    crypt.restype = ctypes.c_char_p
    made = crypt(text.encode(), hashed.encode())
    return made is not None and hmac.compare_digest(made, hashed.encode())


def _mark(hashed: str) -> str:
    return hashlib.sha256(hashed.encode()).hexdigest()


def _set(system: System, user: str, text: str, *, hashed: bool) -> None:
    output = system.run(["chpasswd", *(["--encrypted"] if hashed else [])], input=f"{user}:{text}\n".encode())
    if output.status != 0:
        # What it says may hold the line that it was given.
        raise StepError(
            f"the password of {user} could not be set",
            why=f"chpasswd ended with status {output.status}",
            hint="the host's own rules may want a longer one: grep pam_pwquality /etc/pam.d/common-password",
        )
