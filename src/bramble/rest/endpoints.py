"""The verbs as endpoints: what only reads answers at once, all else is a job."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from .. import api
from ..model import HostSet
from .access.guard import require
from .access.roles import Principal
from .arguments import Arguments, of_route
from .jobs.routes import Key, answer
from .preferences import Prefer, wish
from .problem import Problem
from .routes import PREFIX, ROUTES, Route
from .submit import submit


def router() -> APIRouter:
    """All routes of the table."""
    found = APIRouter(prefix=PREFIX, responses={"default": {"model": Problem}})
    for route in ROUTES:
        found.add_api_route(
            route.path,
            _as_job(route) if route.job else _at_once(route),
            methods=[route.method],
            operation_id=route.verb,
            status_code=202 if route.job else 200,
            description=inspect.getdoc(getattr(api, route.verb)),
        )
    return found


def _at_once(route: Route) -> Callable[..., Any]:
    arguments = of_route(route)

    async def endpoint(who: Principal, given: BaseModel | None = None, **path: str) -> Any:
        found = getattr(api, route.verb)(**arguments.call(given or arguments.model(), path))
        if inspect.isawaitable(found):
            found = await found
        return JSONResponse(jsonable_encoder(_plain(found), custom_encoder={HostSet: list}))

    return _signed(endpoint, route, arguments)


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


def _plain(found: Any) -> Any:
    if isinstance(found, tuple | list):
        return [_plain(one) for one in found]
    if hasattr(found, "to_json"):
        return found.to_json()
    return dataclasses.asdict(found) if dataclasses.is_dataclass(found) and not isinstance(found, type) else found
