"""API tokens: 256 bits that nobody guesses, kept as their hash."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
import zlib
from dataclasses import dataclass

from ...errors import NotThere, UsageError
from ..database import Database
from .roles import SCOPES, Principal, narrowed

#: What every token begins with, so that one that got into a log or a commit is found.
PREFIX = "brm_"

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LENGTH, _CHECK = 43, 6

#: What a token may be called: it stands in addresses and in the audit.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")

#: Seconds in which a token's use is written down once.
_NOTED = 60


@dataclass(frozen=True, kw_only=True)
class Token:
    """What is known of a token; the token itself is shown once, when it is made.

    Attributes
    ----------
    scope
        ``read``, ``deploy``, ``admin`` or ``ingest``.
    created, expires, used
        Seconds since the epoch; None for never.
    """

    name: str
    owner: str
    scope: str
    created: float
    expires: float | None = None
    used: float | None = None


class Tokens:
    """The tokens of a service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, *, owner: str, scope: str, seconds: float | None = None) -> str:
        """Make a token; what is returned is kept nowhere.

        Parameters
        ----------
        seconds
            How long it is good for; None for ever.

        Raises
        ------
        UsageError
            There is one of this name, or the name will not do; there is no such scope, or it is more than the owner.
        NotThere
            There is no such owner.
        """
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} cannot be the name of a token", hint="letters, digits, _, ., @ and -; 64 at most"
            )
        if scope not in SCOPES:
            raise UsageError(f"there is no scope {scope!r}", hint=f"there are: {', '.join(SCOPES)}")
        found = self._database.row("SELECT role FROM users WHERE name = ?", owner)
        if found is None:
            raise NotThere(f"there is no user {owner!r}", hint=f"bramble users add {owner}")
        if narrowed(found["role"], scope) != SCOPES[scope]:
            # Else it would become worth more by itself when its owner is given another role.
            raise UsageError(f"the scope {scope} is more than {owner} may do, who is {found['role']}")
        token, now = _made(), time.time()
        with self._database.change() as change:
            added = change.execute(
                "INSERT OR IGNORE INTO tokens (name, owner, hash, scope, created, expires) VALUES (?,?,?,?,?,?)",
                (name, owner, _hash(token), scope, now, None if seconds is None else now + seconds),
            )
            if not added.rowcount:
                raise UsageError(f"there is a token {name!r} already", hint=f"bramble tokens revoke {name}")
        return token

    def principal(self, token: str) -> Principal | None:
        """Whose token this is, and what it is good for; None for one that is forged, revoked or expired."""
        if not well_formed(token):
            return None
        row = self._database.row(
            "SELECT tokens.*, users.role FROM tokens JOIN users ON users.name = owner WHERE hash = ?", _hash(token)
        )
        now = time.time()
        if row is None or (row["expires"] is not None and row["expires"] <= now):
            return None
        if (row["used"] or 0) < now - _NOTED:
            with self._database.change() as change:
                change.execute("UPDATE tokens SET used = ? WHERE name = ?", (now, row["name"]))
        role = narrowed(row["role"], row["scope"])
        return Principal(name=row["owner"], role=role, via=f"token {row['name']}") if role else None

    def all(self, owner: str = "") -> list[Token]:
        """All of them, or those of a user, by name."""
        rows = self._database.rows(
            "SELECT name, owner, scope, created, expires, used FROM tokens WHERE ? IN ('', owner) ORDER BY name", owner
        )
        return [Token(**dict(row)) for row in rows]

    def revoke(self, name: str) -> None:
        """Take one away.

        Raises
        ------
        NotThere
            There is none of this name.
        """
        with self._database.change() as change:
            if not change.execute("DELETE FROM tokens WHERE name = ?", (name,)).rowcount:
                raise NotThere(f"there is no token {name!r}", hint="bramble tokens list")


def well_formed(token: str) -> bool:
    """Whether this can be a token at all: its prefix and its checksum."""
    body = token.removeprefix(PREFIX)
    if not token.startswith(PREFIX) or len(body) != _LENGTH + _CHECK or not body.isascii():
        return False
    return body[_LENGTH:] == _checksum(body[:_LENGTH])


def _made() -> str:
    number = secrets.randbits(256)
    body = _in_digits(number, _LENGTH)
    return PREFIX + body + _checksum(body)


def _checksum(body: str) -> str:
    return _in_digits(zlib.crc32(body.encode()), _CHECK)


def _in_digits(number: int, length: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits.rjust(length, "0")


def _hash(token: str) -> str:
    # Of 256 random bits, a plain hash gives nothing away; a slow one would only make each request slow.
    return hashlib.sha256(token.encode()).hexdigest()
