"""Pages of who may do what: logging in, one's own account, users, tokens, the audit."""

from __future__ import annotations

from typing import Any

import httpx
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from ...errors import NotThere
from ..access.guard import Anyone
from ..access.roles import ROLES, SCOPES, Principal
from ..problem import Refused
from .ask import Ask, at
from .form import filled
from .render import here, page

router = APIRouter()

#: As many entries of the audit as one page shows.
_PAGE = 100

#: A mistake of who fills in a form; it is told beside it.
_TOLD = (401, 403, 409, 422, 429)


@router.get("/login")
async def login(request: Request, next: str = "/") -> Response:
    """Asks who one is."""
    return page(request, "login.html", None, next=here(next), name="", refused=None)


@router.post("/login")
async def log_in(request: Request) -> Response:
    """Log in; the answer brings the cookie that the API gives."""
    form = await filled(request)
    there = here(form.get("next", "/"))
    given = {"name": form.get("name", ""), "password": form.get("password", "")}
    try:
        answer = await Ask(request).send("POST", "/session", given)
    except Refused as error:
        if error.status not in _TOLD:
            raise
        shown = page(request, "login.html", None, status=error.status, next=there, name=given["name"], refused=error)
        shown.headers.update(error.headers)
        return shown
    return _with_cookie(there, answer)


@router.post("/logout")
async def log_out(request: Request, who: Anyone) -> Response:
    """Log out."""
    answer = await Ask(request).send("DELETE", "/session")
    return _with_cookie("/login", answer)


@router.get("/account")
async def account(request: Request, who: Anyone) -> Response:
    """Who one is, and one's password."""
    return page(request, "account.html", who, refused=None)


@router.post("/account")
async def new_password(request: Request, who: Anyone) -> Response:
    """Change one's own password, which ends all sessions."""
    form = await filled(request)
    given = {"password": form.get("password", ""), "current": form.get("current", "")}
    try:
        if given["password"] != form.get("again"):
            raise Refused(422, "the two new passwords differ", hint="write it twice the same")
        await Ask(request).send("PUT", at("users", who.name), given)
    except Refused as error:
        if error.status not in _TOLD:
            raise
        return page(request, "account.html", who, status=error.status, refused=error)
    return RedirectResponse("/login", 303)


@router.get("/users")
async def users(request: Request, who: Anyone) -> Response:
    """All users, for admins."""
    return await _users(request, who)


@router.post("/users")
async def new_user(request: Request, who: Anyone) -> Response:
    """Add a user."""
    form = await filled(request)
    given = {name: form.get(name, "") for name in ("name", "role", "password")}
    return await _change(request, who, "POST", "/users", given)


@router.post("/users/{name}/{what}")
async def change_user(request: Request, who: Anyone, name: str, what: str) -> Response:
    """Give a user another role, or take them away."""
    if what not in ("role", "remove"):
        raise NotThere(f"a user cannot be told to {what}", hint="role, remove")
    form = await request.form()
    if what == "role":
        return await _change(request, who, "PUT", at("users", name), {"role": str(form.get("role", ""))})
    return await _change(request, who, "DELETE", at("users", name))


async def _change(request: Request, who: Principal, method: str, path: str, given: Any = None) -> Response:
    try:
        await Ask(request).send(method, path, given)
    except Refused as error:
        if error.status not in (409, 422):
            raise
        return await _users(request, who, error, given)
    return RedirectResponse("/users", 303)


async def _users(request: Request, who: Principal, refused: Refused | None = None, given: Any = None) -> Response:
    found = await Ask(request).get("/users")
    status = refused.status if refused else 200
    return page(request, "users.html", who, status=status, users=found, refused=refused, given=given or {}, roles=ROLES)


@router.get("/tokens")
async def tokens(request: Request, who: Anyone) -> Response:
    """One's own tokens; admins see all."""
    return await _tokens(request, who)


@router.post("/tokens")
async def new_token(request: Request, who: Anyone) -> Response:
    """Make a token; it is shown in this answer alone, so there is nothing to be led to."""
    form = await filled(request)
    given = {name: form.get(name, "") for name in ("name", "scope", "expires")}
    try:
        made = (await Ask(request).send("POST", "/tokens", given)).json()
    except Refused as error:
        if error.status not in _TOLD:
            raise
        return await _tokens(request, who, refused=error, given=given)
    return await _tokens(request, who, made=made)


@router.post("/tokens/{name}/revoke")
async def revoke(request: Request, who: Anyone, name: str) -> Response:
    """Take a token away."""
    await Ask(request).send("DELETE", at("tokens", name))
    return RedirectResponse("/tokens", 303)


async def _tokens(
    request: Request,
    who: Principal,
    *,
    made: dict[str, Any] | None = None,
    refused: Refused | None = None,
    given: Any = None,
) -> Response:
    return page(
        request,
        "tokens.html",
        who,
        status=refused.status if refused else 201 if made else 200,
        tokens=await Ask(request).get("/tokens"),
        made=made,
        refused=refused,
        given=given or {},
        scopes=tuple(SCOPES),
    )


@router.get("/audit")
async def audit(
    request: Request, who: Anyone, before: int = 0, by: str = "", what: str = "", since: str = ""
) -> Response:
    """Who did what, for admins."""
    asked = {"by": by, "what": what, "since": since}
    entries = await Ask(request).get("/audit", limit=_PAGE, before=before, **asked)
    older = entries[-1]["number"] if len(entries) == _PAGE else 0
    return page(request, "audit.html", who, entries=entries, older=older, asked=asked)


def _with_cookie(address: str, answer: httpx.Response) -> Response:
    """Leads on, and hands over what the API gives the browser to keep, or takes back."""
    led = RedirectResponse(address, 303)
    for cookie in answer.headers.get_list("set-cookie"):
        led.headers.append("set-cookie", cookie)
    return led
