"""Routes of users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from ...errors import UsageError
from .guard import Admin, Anyone, asked, permit
from .login import checked
from .roles import Role
from .users import User

if TYPE_CHECKING:
    from ..service import Service

router = APIRouter(prefix="/users", tags=["users"])


class NewUser(BaseModel):
    """A user to add."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="Small letters, digits, _, . and -.", examples=["maria"])
    role: Role = Field("viewer", description="What they may do.", examples=["operator"])
    password: SecretStr = Field(description="At least 10 characters.", examples=["four words in a row"])


class ChangedUser(BaseModel):
    """What is to change of a user; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    role: Role | None = Field(None, description="Another role; admins alone.", examples=["viewer"])
    password: SecretStr | None = Field(None, description="Another password.", examples=["five other words in a row"])
    current: SecretStr | None = Field(
        None, description="Who changes their own password gives the one they have.", examples=["four words in a row"]
    )


@router.get("", operation_id="users_list")
async def users_list(request: Request, who: Admin) -> list[User]:
    """All users."""
    service: Service = request.app.state.service
    return service.users.all()


@router.post("", operation_id="users_add", status_code=201)
async def users_add(request: Request, given: NewUser, who: Admin) -> User:
    """Add a user."""
    service: Service = request.app.state.service
    made = await service.users.add(given.name, role=given.role, password=given.password.get_secret_value())
    asked(request).about = f"name {made.name}, role {made.role}"
    return made


@router.put("/{name}", operation_id="users_change")
async def users_change(request: Request, name: str, given: ChangedUser, who: Anyone) -> User:
    """Give a user another role or password, which ends their sessions. Everybody may change their own password."""
    service: Service = request.app.state.service
    if name != who.name or given.role is not None:
        permit(who, "admin")
    changed = [field for field in ("role", "password") if getattr(given, field) is not None]
    if not changed:
        raise UsageError("there is nothing to change", hint="give a role or a password")
    asked(request).about = ", ".join(f"role {given.role}" if field == "role" else field for field in changed)
    if given.password is not None:
        if name == who.name:
            await checked(request, name, given.current.get_secret_value() if given.current else "")
        await service.users.set_password(name, given.password.get_secret_value())
    if given.role is not None:
        service.users.set_role(name, given.role)
    return service.users.get(name)


@router.delete("/{name}", operation_id="users_remove", status_code=204)
async def users_remove(request: Request, name: str, who: Admin) -> None:
    """Take a user away, with their tokens and sessions."""
    service: Service = request.app.state.service
    service.users.remove(name)
