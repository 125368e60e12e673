"""Errors as problem details (RFC 9457): what, which host, why, what to do."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.routing import Match

from ..errors import BrambleError, HostBusy, HostError, Interrupted, NotThere, PlanError, UsageError

#: Where all routes are described.
DESCRIPTION = "/api/v1/openapi.json"

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

#: So many faults of one request are told.
_FAULTS = 20

#: The media type of a problem.
MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """Why a request was not carried out.

    Attributes
    ----------
    type
        ``urn:bramble:`` and the name of the error; ``about:blank`` where the status says all.
    title
        What went wrong, one sentence.
    status
        The HTTP status.
    detail
        The cause, as far as it is known.
    host
        The host it happened on.
    hint
        What to do about it.
    errors
        Of a request that is not what it should be: each place, and what is wrong there.
    holder
        The job that holds a host that is wanted.
    """

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    host: str = ""
    hint: str = ""
    errors: list[dict[str, Any]] = []
    holder: str = ""


class Refused(BrambleError):
    """A request that the service refuses, with the HTTP status that says so, and headers of the answer."""

    exit_code = 2

    def __init__(
        self,
        status: int,
        what: str,
        *,
        why: str = "",
        hint: str = "",
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(what, why=why, hint=hint)
        self.status = status
        self.headers = headers or {}
        self.more = more


def of_error(error: BrambleError) -> Problem:
    """The problem that an error is, with what its kind knows besides."""
    besides = {name: getattr(error, name) for name in error.besides if getattr(error, name) is not None}
    return Problem(
        type=f"urn:bramble:{type(error).__name__}",
        title=error.what,
        status=_status(error),
        detail=error.why,
        host=error.host or "",
        hint=error.hint,
        **(error.more if isinstance(error, Refused) else besides),
    )


def _status(error: BrambleError) -> int:
    if isinstance(error, Refused):
        return error.status
    table: tuple[tuple[type[BrambleError], int], ...] = (
        (NotThere, 404), (UsageError, 422), (PlanError, 422), (HostBusy, 409), (HostError, 502), (Interrupted, 409),
    )  # fmt: skip
    return next((status for kind, status in table if isinstance(error, kind)), 500)


def as_json(problem: Problem) -> dict[str, Any]:
    """A problem as JSON; empty fields are left out."""
    return {name: value for name, value in jsonable_encoder(problem).items() if value not in ("", [])}


def response(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    """A problem as a response."""
    return JSONResponse(as_json(problem), problem.status, headers, MEDIA_TYPE)


def add_to(app: FastAPI) -> None:
    """Have an application answer every error with a problem."""
    app.add_exception_handler(BrambleError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, on_http)
    # Who runs the service finds the fault in its log; a caller learns nothing of its insides.
    app.add_exception_handler(Exception, _on_fault)


async def _on_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, BrambleError)
    return response(of_error(error), error.headers if isinstance(error, Refused) else None)


async def _on_invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # Not what was given there: it may be a secret.
    places = [{"at": ".".join(str(part) for part in one["loc"]), "what": one["msg"]} for one in error.errors()]
    title = "the request is not what it should be"
    return response(Problem(title=title, status=422, errors=places[:_FAULTS], hint=f"GET {DESCRIPTION}"))


async def on_http(request: Request, error: Exception) -> Response:
    """The answer to a request that no route takes."""
    assert isinstance(error, HTTPException)
    found, headers = Problem(title=str(error.detail), status=error.status_code), dict(error.headers or {})
    if error.status_code == 404:
        found.title, found.hint = "there is nothing at this address", f"GET {DESCRIPTION}"
    elif error.status_code == 405:
        headers["Allow"] = ", ".join(_methods(request))
        found.title, found.hint = f"{request.method} is not for this address", f"it takes {headers['Allow']}"
    return response(found, headers)


async def _on_fault(_request: Request, _error: Exception) -> Response:
    return response(Problem(title="the service has a fault", status=500, hint="its log tells more"))


def _methods(request: Request) -> list[str]:
    """What an address takes: several routes may have it, each for one method."""
    scopes = {method: {**request.scope, "method": method} for method in _METHODS}
    return [
        method
        for method, scope in scopes.items()
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.router.routes)
    ]
