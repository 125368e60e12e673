"""Who asks, and whether they may: what each route depends on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request

from ..problem import Refused
from .record import Asked, address_of
from .roles import Principal, Role, allows
from .sessions import COOKIE
from .throttle import network


def known(request: Request) -> Principal | None:
    """Who asks, by a token or else by a session; None for one who says nothing, or something that is over.

    Raises
    ------
    Refused
        This address has tried too many tokens that are none.
    """
    service = request.app.state.service
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    who: Principal | None = None
    if kind:
        who = service.tokens.principal(token.strip()) if kind.lower() == "bearer" else None
        if who is None:
            # A good token never waits: a neighbour behind the same address may have one that is over.
            service.guesses.enter(network(address_of(request.scope)))
    elif COOKIE in request.cookies:
        who = service.sessions.principal(request.cookies[COOKIE])
    asked(request).who = who
    return who


def require(role: Role | None = None) -> Callable[..., Awaitable[Principal]]:
    """A dependency of routes: who asks, if they may do what this role may; None for everybody who is known."""

    async def principal(request: Request) -> Principal:
        who = known(request)
        if who is None:
            raise Refused(
                401, "who are you?", hint="log in, or Authorization: Bearer TOKEN  (bramble tokens create)",
                headers={"WWW-Authenticate": "Bearer"},
            )  # fmt: skip
        if role is not None:
            permit(who, role)
        return who

    return principal


def still_may(request: Request, role: Role) -> bool:
    """Whether who asked a while ago may do so now: sessions and tokens end, and roles change."""
    try:
        who = known(request)
    except Refused:
        return False
    return who is not None and allows(who.role, role)


def permit(who: Principal, role: Role) -> None:
    """Refuse what a role is needed for to who does not have it.

    Raises
    ------
    Refused
        They do not: 403.
    """
    if not allows(who.role, role):
        raise Refused(403, f"this needs the role {role}, and {who.name} ({who.via}) is {who.role}")


def asked(request: Request) -> Asked:
    """What the audit will say of a request."""
    found: Asked = request.scope["bramble.asked"]
    return found


Anyone = Annotated[Principal, Depends(require())]
Viewer = Annotated[Principal, Depends(require("viewer"))]
Operator = Annotated[Principal, Depends(require("operator"))]
Admin = Annotated[Principal, Depends(require("admin"))]
