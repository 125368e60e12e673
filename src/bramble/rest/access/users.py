"""Users: who they are, what they may do, and their passwords."""

from __future__ import annotations

import re
import time
from collections.abc import Collection
from dataclasses import dataclass

from ...errors import NotThere, UsageError
from ..database import Database
from . import passwords
from .passwords import Passwords
from .roles import ROLES, Role

#: What a user may be called: it stands in addresses, logs and on command lines.
_NAME = re.compile(r"[a-z_][a-z0-9_.-]{0,31}")


@dataclass(frozen=True, kw_only=True)
class User:
    """What is known of a user.

    Attributes
    ----------
    name
        Small letters, digits, ``_``, ``.`` and ``-``.
    role
        ``viewer``, ``operator``, ``admin`` or ``device``.
    created
        Seconds since the epoch.
    """

    name: str
    role: Role
    created: float


class Users:
    """The users of a service."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._passwords = Passwords()

    async def add(self, name: str, *, role: str, password: str) -> User:
        """Add a user.

        Raises
        ------
        UsageError
            There is one of this name, or the name, the role or the password will not do.
        """
        self.check_new(name)
        made = User(name=name, role=_role(role), created=time.time())
        passwords.check(password, name)
        hash = await self._passwords.hash(password)
        with self._database.change() as change:
            added = change.execute(
                "INSERT OR IGNORE INTO users (name, role, password, created) VALUES (?,?,?,?)",
                (name, made.role, hash, made.created),
            )
            if not added.rowcount:  # while the hash was made
                check_new(name, (name,))
        return made

    def check_new(self, name: str) -> None:
        """Refuse what no new user can be called; before a person types a password for nothing.

        Raises
        ------
        UsageError
            There is one of this name, or nobody can be called so.
        """
        check_new(name, [user.name for user in self.all()])

    def get(self, name: str) -> User:
        """A user.

        Raises
        ------
        NotThere
            There is none of this name.
        """
        row = self._database.row("SELECT name, role, created FROM users WHERE name = ?", name)
        if row is None:
            raise NotThere(f"there is no user {name!r}", hint=f"bramble users add {name}")
        return User(**dict(row))

    def all(self) -> list[User]:
        """All of them, by name."""
        return [User(**dict(row)) for row in self._database.rows("SELECT name, role, created FROM users ORDER BY name")]

    def remove(self, name: str) -> None:
        """Take a user away, with all tokens and sessions.

        Raises
        ------
        NotThere
            There is none of this name.
        UsageError
            It is the last admin.
        """
        with self._database.change() as change:
            change.execute("BEGIN IMMEDIATE")
            self._spare_last_admin(name, "viewer")
            change.execute("DELETE FROM users WHERE name = ?", (name,))

    def set_role(self, name: str, role: str) -> None:
        """Give a user another role; their sessions end.

        Raises
        ------
        NotThere
            There is none of this name.
        UsageError
            There is no such role, or it is the last admin.
        """
        wanted = _role(role)
        with self._database.change() as change:
            change.execute("BEGIN IMMEDIATE")
            self._spare_last_admin(name, wanted)
            change.execute("UPDATE users SET role = ? WHERE name = ?", (wanted, name))
            change.execute("DELETE FROM sessions WHERE user = ?", (name,))

    async def set_password(self, name: str, password: str) -> None:
        """Give a user another password; their sessions end.

        Raises
        ------
        NotThere
            There is none of this name.
        UsageError
            The password will not do.
        """
        self.get(name)
        passwords.check(password, name)
        hash = await self._passwords.hash(password)
        with self._database.change() as change:
            change.execute("UPDATE users SET password = ? WHERE name = ?", (hash, name))
            change.execute("DELETE FROM sessions WHERE user = ?", (name,))

    async def check(self, name: str, password: str) -> User | None:
        """The user of this name and password; None for any other, which takes as long."""
        row = self._database.row("SELECT * FROM users WHERE name = ?", name)
        if not await self._passwords.matches(password, row["password"] if row else None) or row is None:
            return None
        if self._passwords.outdated(row["password"]):
            hash = await self._passwords.hash(password)
            with self._database.change() as change:
                change.execute("UPDATE users SET password = ? WHERE password = ?", (hash, row["password"]))
        return User(name=row["name"], role=row["role"], created=row["created"])

    def _spare_last_admin(self, name: str, role: Role) -> None:
        admins = [user.name for user in self.all() if user.role == "admin"]
        if self.get(name).role == "admin" and role != "admin" and admins == [name]:
            raise UsageError(f"{name} is the last admin", hint="bramble users add NAME --role admin")


def check_new(name: str, known: Collection[str]) -> None:
    """As `Users.check_new`, where the users are ``known``."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of a user",
            hint="small letters, digits, _, . and -; a letter first, and 32 at most",
        )
    if name in known:
        hint = f"another role: bramble users role {name} ROLE; another password: bramble users password {name}"
        raise UsageError(f"there is a user {name!r} already", hint=hint)


def _role(text: str) -> Role:
    found: dict[str, Role] = {role: role for role in ROLES}
    if text not in found:
        raise UsageError(f"there is no role {text!r}", hint=f"there are: {', '.join(found)}")
    return found[text]
