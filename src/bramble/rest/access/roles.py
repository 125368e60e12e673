"""Roles: what one may do, and the scopes by which a token may do less than who it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: ``viewer`` sees; ``operator`` changes clusters; ``admin`` also users, tokens, keys, files and cards; ``device`` is
#: apart from these: it only hands in readings.
Role = Literal["viewer", "operator", "admin", "device"]

#: Each may do what those before it may.
LADDER: tuple[Role, ...] = ("viewer", "operator", "admin")

#: A token's scope → the role that it is good for at most.
SCOPES: dict[str, Role] = {"read": "viewer", "deploy": "operator", "admin": "admin", "ingest": "device"}


def allows(role: Role, wanted: Role) -> bool:
    """Whether somebody of a role may do what another role is wanted for."""
    if "device" in (role, wanted):
        return role == wanted
    return LADDER.index(role) >= LADDER.index(wanted)


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
