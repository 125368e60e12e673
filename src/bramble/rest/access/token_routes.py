"""Routes of tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from ..problem import Refused
from .guard import Anyone, asked
from .moments import lifetime
from .tokens import Token

if TYPE_CHECKING:
    from ..service import Service

router = APIRouter(prefix="/tokens", tags=["tokens"])


class NewToken(BaseModel):
    """A token to make."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="Letters, digits, _, ., @ and -.", examples=["ci"])
    scope: Literal["read", "deploy", "admin", "ingest"] = Field(
        description="What it is good for; no more than its owner may do.", examples=["deploy"]
    )
    expires: str = Field("90d", description="After which time: 30d, 12h, 1y, never.", examples=["30d"])


class MadeToken(BaseModel):
    """A token that was made."""

    name: str = Field(description="What it is called.")
    owner: str = Field(description="For whom it acts.")
    scope: str = Field(description="What it is good for.")
    created: float = Field(description="Seconds since the epoch.")
    expires: float | None = Field(description="Seconds since the epoch; null for never.")
    token: str = Field(description="The token itself. It is not kept, and not shown again.")


@router.get("", operation_id="tokens_list")
async def tokens_list(request: Request, who: Anyone) -> list[Token]:
    """One's own tokens; admins see all. The tokens themselves are not kept."""
    service: Service = request.app.state.service
    return service.tokens.all("" if who.role == "admin" else who.name)


@router.post("", operation_id="tokens_create", status_code=201)
async def tokens_create(request: Request, given: NewToken, who: Anyone) -> MadeToken:
    """Make a token of one's own. It is shown in this answer, and never again."""
    service: Service = request.app.state.service
    if who.via != "session":
        # One that leaks would make others, which live on when it is revoked.
        raise Refused(
            403, "a token makes no tokens", hint="log in with a name and a password, or bramble tokens create"
        )
    seconds = lifetime(given.expires)
    made = service.tokens.create(given.name, owner=who.name, scope=given.scope, seconds=seconds)
    asked(request).about = f"name {given.name}, scope {given.scope}, expires {given.expires}"
    token = next(token for token in service.tokens.all(who.name) if token.name == given.name)
    return MadeToken(
        name=token.name, owner=token.owner, scope=token.scope, created=token.created, expires=token.expires, token=made
    )


@router.delete("/{name}", operation_id="tokens_revoke", status_code=204)
async def tokens_revoke(request: Request, name: str, who: Anyone) -> None:
    """Take a token away: one's own, and for admins any. By a token itself, that one alone."""
    service: Service = request.app.state.service
    own = any(token.name == name for token in service.tokens.all(who.name))
    if who.role != "admin" and not (own and who.via in ("session", f"token {name}")):
        raise Refused(403, f"the token {name!r} is not yours to take away")
    service.tokens.revoke(name)
