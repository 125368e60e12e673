"""The verbs as endpoints: what only reads answers at once, all else is a job."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from .. import api
from ..errors import UsageError
from .access.guard import require
from .access.roles import Principal
from .answers import UNCHANGED, Answer, respond
from .arguments import Arguments, of_route
from .jobs.routes import Key, answer
from .paging import following
from .preferences import Prefer, wish
from .routes import PREFIX, ROUTES, Route
from .shown import answer_of, job_of
from .submit import submit


@cache
def router() -> APIRouter:
    """All routes of the table."""
    found = APIRouter(prefix=PREFIX)
    for route in ROUTES:
        summary, _, rest = (inspect.getdoc(getattr(api, route.verb)) or "").partition("\n")
        found.add_api_route(
            route.path,
            _as_job(route) if route.job else _at_once(route),
            methods=[route.method],
            operation_id=route.verb,
            tags=[_tag(route.path)],
            status_code=202 if route.job else 200,
            summary=summary,
            description=f"{_first(rest)}\n\nFor the role {route.role}.".strip(),
            response_model=job_of(route.verb) if route.job else answer_of(route.verb),
            responses=_besides(route),
            openapi_extra={"x-role": route.role},
        )
    return found


def _besides(route: Route) -> dict[int | str, dict[str, Any]]:
    """What else than the usual answer there is."""
    if route.job:
        return {200: {"model": job_of(route.verb), "description": "It is over (Prefer: wait=N)"}}
    return UNCHANGED if route.method == "GET" else {}


def _tag(path: str) -> str:
    """What a route is about."""
    first, *rest = [part for part in path.split("/") if not part.startswith("{")][1:]
    return rest[0] if rest and rest[0] in ("services", "images", "hosts") else first


def _first(text: str) -> str:
    """A description without its sections: those are about arguments and errors, which stand elsewhere."""
    return re.split(r"\n(?=\w+\n-+\n)", text)[0].strip()


def _at_once(route: Route) -> Callable[..., Any]:
    arguments = of_route(route)

    async def endpoint(http: Request, who: Principal, given: BaseModel | None = None, **path: str) -> Response:
        values = arguments.call(given or arguments.model(), path)
        if values.get("expression") == "-":
            raise UsageError("- is standard input, and a service has none", hint="name hosts: red,red[01-02]")
        found: Answer = await http.app.state.service.answers.of(route.verb, values)
        answered = respond(http, found)
        if route.pages and len(found.value) == getattr(given or arguments.model(), "limit"):  # noqa: B009
            answered.headers["Link"] = following(http, route.pages, found.value[-1]["id"])
        return answered

    return _signed(endpoint, route, arguments, _keyword("http", Request))


def _as_job(route: Route) -> Callable[..., Any]:
    arguments = of_route(route)

    async def endpoint(
        http: Request, who: Principal, idempotency_key: str, prefer: str, given: BaseModel | None = None, **path: str
    ) -> Any:
        asked = given or arguments.model()
        wait = not wish(prefer).strict
        job = await submit(http.app.state.service, who, route.verb, asked, path, key=idempotency_key, wait=wait)
        return await answer(http, job, prefer)

    more = (_keyword("http", Request), _keyword("idempotency_key", Key, ""), _keyword("prefer", Prefer, ""))
    return _signed(endpoint, route, arguments, *more)


def _signed(
    endpoint: Callable[..., Any], route: Route, arguments: Arguments, *more: inspect.Parameter
) -> Callable[..., Any]:
    """Give an endpoint the parameters of its route: FastAPI reads them from the signature."""
    parameters = [_keyword(name, str) for name in arguments.path]
    if arguments.model.model_fields:
        given = Query() if route.method == "GET" else Body()
        default: Any = inspect.Parameter.empty
        if all(not one.is_required() for one in arguments.model.model_fields.values()):
            default = arguments.model()
        parameters.append(_keyword("given", Annotated[arguments.model, given], default))
    who = _keyword("who", Annotated[Principal, Depends(require(route.role))])
    endpoint.__signature__ = inspect.Signature([*parameters, who, *more])  # type: ignore[attr-defined]
    return endpoint


def _keyword(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
