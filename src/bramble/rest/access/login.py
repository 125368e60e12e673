"""Logging in by name and password, for the REST service and its pages alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Request

from ..problem import Refused
from .guard import asked
from .record import address_of
from .roles import Principal
from .sessions import COOKIE
from .throttle import network
from .users import User

if TYPE_CHECKING:
    from ..service import Service


async def log_in(request: Request, name: str, password: str) -> tuple[User, str]:
    """The user, and the session that begins.

    Raises
    ------
    Refused
        The name or the password is wrong (401), or it was so too often (429).
    """
    service: Service = request.app.state.service
    user = await checked(request, name, password)
    if COOKIE in request.cookies:
        service.sessions.end(request.cookies[COOKIE])
    asked(request).who = Principal(name=user.name, role=user.role, via="password")
    return user, service.sessions.begin(user.name)


async def checked(request: Request, name: str, password: str) -> User:
    """The user whose password this is; tries are counted for the user and for where they come from.

    Raises
    ------
    Refused
        As `log_in`.
    """
    service: Service = request.app.state.service
    # A name that nobody has may be a password, typed into the wrong field.
    asked(request).tried = name if any(user.name == name for user in service.users.all()) else ""
    place = network(address_of(request.scope))
    service.tries_from.enter(place)
    service.tries_as.enter(name)
    user = await service.users.check(name, password)
    if user is None:
        raise Refused(401, "the name or the password is wrong", headers={"WWW-Authenticate": "Bearer"})
    service.tries_from.forgive(place, all=False)
    service.tries_as.forgive(name, all=True)
    return user
