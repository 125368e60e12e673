"""Who asks, and whether they may: what each route depends on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Header, Request

from ..problem import Refused
from .roles import Principal, Role, allows


def require(role: Role) -> Callable[..., Awaitable[Principal]]:
    """A dependency of routes: who asks, if they may do what this role may."""

    async def principal(request: Request, authorization: Annotated[str, Header()] = "") -> Principal:
        kind, _, token = authorization.partition(" ")
        tokens = request.app.state.service.tokens
        who: Principal | None = tokens.principal(token.strip()) if kind.lower() == "bearer" else None
        if who is None:
            raise Refused(401, "who are you?", hint="Authorization: Bearer TOKEN  (bramble tokens create)")
        if not allows(who.role, role):
            raise Refused(403, f"this needs the role {role}, and {who.name} ({who.via}) is {who.role}")
        return who

    return principal


Viewer = Annotated[Principal, Depends(require("viewer"))]
Operator = Annotated[Principal, Depends(require("operator"))]
Admin = Annotated[Principal, Depends(require("admin"))]
