"""Routes of the session: log in, log out, who am I."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from .guard import Anyone
from .login import log_in
from .roles import Role
from .sessions import COOKIE, give, take_back

if TYPE_CHECKING:
    from ..service import Service

router = APIRouter(prefix="/session", tags=["session"])


class Login(BaseModel):
    """Who logs in."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="The user.", max_length=64, examples=["maria"])
    password: SecretStr = Field(description="Their password.", examples=["four words in a row"])


class Me(BaseModel):
    """Who asks."""

    name: str = Field(description="The user.")
    role: Role = Field(description="What they may do; a token may do less than its owner.")
    via: str = Field(description="``session``, ``password`` just now, or ``token NAME``.")


@router.post("", operation_id="session_begin")
async def session_begin(request: Request, response: Response, given: Login) -> Me:
    """Log in: the answer brings the cookie of a session. Programs rather take a token."""
    user, session = await log_in(request, given.name, given.password.get_secret_value())
    give(response, session)
    return Me(name=user.name, role=user.role, via="password")


@router.delete("", operation_id="session_end", status_code=204)
async def session_end(request: Request, response: Response, who: Anyone) -> None:
    """Log out."""
    service: Service = request.app.state.service
    service.sessions.end(request.cookies.get(COOKIE, ""))
    take_back(response)


@router.get("", operation_id="session_show")
async def session_show(who: Anyone) -> Me:
    """Tell who is asking, and what they may do."""
    return Me(name=who.name, role=who.role, via=who.via)
