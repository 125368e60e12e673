"""Sessions: who has logged in with a browser, kept here; the browser has a random number alone."""

from __future__ import annotations

import hashlib
import secrets
import time

from starlette.responses import Response

from ..database import Database
from .roles import Principal

#: ``__Host-``: a browser takes it from this very host alone, over TLS, for all paths.
COOKIE = "__Host-bramble"

#: Seconds without a request, and in all, after which one has to log in again.
IDLE, WHOLE = 12 * 3600, 7 * 86400

#: Seconds in which a session's use is written down once.
_NOTED = 60


class Sessions:
    """The sessions of a service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, user: str) -> str:
        """Begin a session; what is returned goes into the cookie, and is kept nowhere."""
        made, now = secrets.token_urlsafe(32), time.time()
        with self._database.change() as change:
            change.execute("DELETE FROM sessions WHERE used <= ? OR created <= ?", (now - IDLE, now - WHOLE))
            change.execute(
                "INSERT INTO sessions (hash, user, created, used) VALUES (?,?,?,?)", (_hash(made), user, now, now)
            )
        return made

    def principal(self, session: str) -> Principal | None:
        """Whose session this is; None for one that is forged or over."""
        now = time.time()
        row = self._database.row(
            "SELECT sessions.*, users.role FROM sessions JOIN users ON users.name = user"
            " WHERE hash = ? AND used > ? AND sessions.created > ?",
            _hash(session), now - IDLE, now - WHOLE,
        )  # fmt: skip
        if row is None:
            return None
        if row["used"] < now - _NOTED:
            with self._database.change() as change:
                change.execute("UPDATE sessions SET used = ? WHERE hash = ?", (now, row["hash"]))
        return Principal(name=row["user"], role=row["role"], via="session")

    def end(self, session: str) -> None:
        """End a session."""
        with self._database.change() as change:
            change.execute("DELETE FROM sessions WHERE hash = ?", (_hash(session),))


def give(response: Response, session: str) -> None:
    """Hand a browser its session.

    It forgets it when it is closed: controllers of a class stand on computers that many use. ``Lax``, because with
    ``Strict`` a link to a run in a mail or a chat would lead to the login page; what changes something is refused from
    other pages by `origin`.
    """
    response.set_cookie(COOKIE, session, path="/", secure=True, httponly=True, samesite="lax")


def take_back(response: Response) -> None:
    """Let a browser forget its session."""
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")


def _hash(session: str) -> str:
    return hashlib.sha256(session.encode()).hexdigest()
