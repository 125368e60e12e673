"""Roles: what one may do, and the scopes by which a token may do less than who it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: ``device`` is apart from the others.
Role = Literal["viewer", "operator", "admin", "device"]

#: What one may do in each, as people are told.
ROLES: dict[Role, str] = {
    "viewer": "sees clusters, jobs and runs",
    "operator": "also changes clusters",
    "admin": "also runs commands on hosts, and has users, keys, files and cards",
    "device": "only hands in readings",
}

#: Each may do what those before it may.
LADDER: tuple[Role, ...] = ("viewer", "operator", "admin")

#: A token's scope → the role that it is good for at most.
SCOPES: dict[str, Role] = {"read": "viewer", "deploy": "operator", "admin": "admin", "ingest": "device"}


def allows(role: Role, wanted: Role) -> bool:
    """Whether somebody of a role may do what another role is wanted for."""
    if "device" in (role, wanted):
        return role == wanted
    return LADDER.index(role) >= LADDER.index(wanted)


def scope_of(role: Role) -> str:
    """The scope with which a token may do all that a role may."""
    return next(scope for scope, most in SCOPES.items() if most == role)


def narrowed(role: Role, scope: str) -> Role | None:
    """The role of a token: its owner's, as far as its scope goes; None where the two have nothing in common."""
    most = SCOPES[scope]
    if "device" in (role, most):
        return most if role in ("admin", most) else None
    return min(role, most, key=LADDER.index)


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who asks.

    Attributes
    ----------
    name
        Of the user.
    role
        What they may do now; a token's scope has narrowed it already.
    via
        ``session``, or ``token NAME``.
    """

    name: str
    role: Role
    via: str
