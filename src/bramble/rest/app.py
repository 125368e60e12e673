"""The service as an ASGI application: every route of the table, jobs, and who may ask."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import Body, Depends, FastAPI, Header, Query
from fastapi import Request as HttpRequest
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response, StreamingResponse
from fastapi.sse import format_sse_event
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from .. import __version__, api, inventory
from ..errors import BrambleError
from . import problem
from .access.guard import Operator, Viewer, require
from .access.roles import Principal
from .access.tokens import Tokens
from .arguments import Arguments, of_route
from .database import Database
from .jobs import Jobs, Request
from .problem import Problem, Refused
from .routes import ROUTES, Route

PREFIX = "/api/v1"


class Service:
    """What the routes share.

    Parameters
    ----------
    folder
        Where it keeps everything.
    """

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / "service.sqlite")
        self.jobs = Jobs(self.database)
        self.tokens = Tokens(self.database)

    async def close(self) -> None:
        """End cleanly."""
        await self.jobs.close()
        self.database.close()


def make(service: Service) -> FastAPI:
    """The application of a service."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await service.close()

    app = FastAPI(
        title="bramble",
        version=__version__,
        summary="Turns a box of Raspberry Pis into working clusters.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.service = service
    app.add_exception_handler(BrambleError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    for route in ROUTES:
        _add(app, service, route)
    _add_jobs(app, service)
    return app


def _add(app: FastAPI, service: Service, route: Route) -> None:
    arguments = of_route(route)
    endpoint = _as_job(service, route, arguments) if route.job else _at_once(route, arguments)
    app.add_api_route(
        PREFIX + route.path,
        endpoint,
        methods=[route.method],
        operation_id=route.verb,
        status_code=202 if route.job else 200,
        description=inspect.getdoc(getattr(api, route.verb)),
        responses={"default": {"model": Problem}},
    )


def _signature(endpoint: Callable[..., Any], route: Route, arguments: Arguments) -> None:
    """Give an endpoint the parameters of its route: FastAPI reads them from the signature."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    given = Query() if route.method == "GET" else Body()
    parameters = [inspect.Parameter(name, keyword, annotation=str) for name in arguments.path]
    if arguments.model.model_fields:
        default: Any = inspect.Parameter.empty
        if all(not one.is_required() for one in arguments.model.model_fields.values()):
            default = arguments.model()
        parameters.append(
            inspect.Parameter("given", keyword, annotation=Annotated[arguments.model, given], default=default)
        )
    parameters.append(inspect.Parameter("who", keyword, annotation=Annotated[Principal, Depends(require(route.role))]))
    if route.job:
        parameters.append(
            inspect.Parameter("idempotency_key", keyword, annotation=Annotated[str, Header()], default="")
        )
        parameters.append(inspect.Parameter("prefer", keyword, annotation=Annotated[str, Header()], default=""))
    endpoint.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]


def _at_once(route: Route, arguments: Arguments) -> Callable[..., Any]:
    async def endpoint(who: Principal, given: BaseModel | None = None, **path: str) -> Any:
        verb = getattr(api, route.verb)
        values = arguments.call(given if given is not None else arguments.model(), path)
        found = verb(**values)
        if inspect.isawaitable(found):
            found = await found
        return JSONResponse(jsonable_encoder(_plain(found)))

    _signature(endpoint, route, arguments)
    return endpoint


def _as_job(service: Service, route: Route, arguments: Arguments) -> Callable[..., Any]:
    async def endpoint(
        who: Principal, idempotency_key: str, prefer: str, given: BaseModel | None = None, **path: str
    ) -> Any:
        asked = given if given is not None else arguments.model()
        values = arguments.call(asked, path)
        verb = getattr(api, route.verb)
        takes = inspect.signature(verb).parameters

        async def call(**hooks: Any) -> Any:
            fitting = {name: hook for name, hook in hooks.items() if name in takes or "reach" in takes}
            return await verb(**_for_new_cluster(values), **fitting)

        shown = arguments.shown(asked, path)
        request = Request(
            verb=route.verb,
            call=call,
            who=who.name,
            cluster=str(values.get("cluster", "")),
            service=str(values.get("service", "")),
            arguments=shown,
            secret=bool(arguments.secret & asked.model_fields_set),
            wait="handling=strict" not in prefer,
            key=idempotency_key,
            body=json.dumps([route.verb, shown], sort_keys=True),
        )
        job = await service.jobs.submit(request)
        address = f"{PREFIX}/jobs/{job.id}"
        return JSONResponse(jsonable_encoder(job.to_json()), 202, {"Location": address})

    _signature(endpoint, route, arguments)
    return endpoint


def _for_new_cluster(values: dict[str, Any]) -> dict[str, Any]:
    """Arguments for a cluster that has no file yet: its hosts alone, if they would be a cluster of this name."""
    name, hosts = values.get("cluster", ""), values.get("hosts", "")
    if not (name and hosts) or name in inventory.names():
        return values
    found = inventory.resolve(hosts=hosts, manager=values.get("manager") or "")
    if found.name != name:
        raise Refused(
            404, f"there is no cluster {name!r}", why=f"of these hosts, it would be called {found.name}",
            hint=f"PUT {PREFIX}/clusters/{found.name}/…",
        )  # fmt: skip
    return {key: value for key, value in values.items() if key != "cluster"}


def _plain(found: Any) -> Any:
    if isinstance(found, tuple | list):
        return [_plain(one) for one in found]
    if hasattr(found, "to_json"):
        return found.to_json()
    return dataclasses.asdict(found) if dataclasses.is_dataclass(found) and not isinstance(found, type) else found


# Jobs


def _add_jobs(app: FastAPI, service: Service) -> None:
    @app.get(f"{PREFIX}/jobs", operation_id="jobs_list")
    async def jobs_list(
        who: Viewer,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        before: str = "",
        cluster: str = "",
        state: str = "",
    ) -> Any:
        """The latest jobs, newest first."""
        found = service.jobs.all(limit=limit, before=before, cluster=cluster, state=state)
        return JSONResponse(jsonable_encoder([job.to_json() for job in found]))

    @app.get(f"{PREFIX}/jobs/{{id}}", operation_id="jobs_show")
    async def jobs_show(id: str, who: Viewer) -> Any:
        """One job."""
        return JSONResponse(jsonable_encoder(service.jobs.get(id).to_json()))

    @app.post(f"{PREFIX}/jobs/{{id}}/cancel", operation_id="jobs_cancel")
    async def jobs_cancel(id: str, who: Operator) -> Any:
        """End a job cleanly: hosts finish or abandon their step."""
        job = service.jobs.get(id)
        await service.jobs.cancel(job)
        return JSONResponse(jsonable_encoder(service.jobs.get(id).to_json()))

    @app.get(f"{PREFIX}/jobs/{{id}}/events", operation_id="jobs_events")
    async def jobs_events(id: str, who: Viewer, last_event_id: Annotated[str, Header()] = "") -> Response:
        """What happens in a job, as server-sent events; the last one, ``end``, is the job itself."""
        job = service.jobs.get(id)
        after = int(last_event_id) if last_event_id.isdecimal() else 0

        async def stream() -> AsyncIterator[bytes]:
            async for number, kind, data in service.jobs.follow(job, after):
                yield format_sse_event(data_str=data, event=kind, id=str(number))
            ended = json.dumps(jsonable_encoder(service.jobs.get(id).to_json()))
            yield format_sse_event(data_str=ended, event="end")

        return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


# Errors


async def _on_error(_request: HttpRequest, error: Exception) -> Response:
    assert isinstance(error, BrambleError)
    found = problem.of_error(error)
    return problem.response(found, {"WWW-Authenticate": "Bearer"} if found.status == 401 else None)


async def _on_invalid(_request: HttpRequest, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # Not what was given there: it may be a secret.
    places = [{"at": ".".join(str(part) for part in one["loc"]), "what": one["msg"]} for one in error.errors()]
    return problem.response(Problem(title="the request is not what it should be", status=422, errors=places))


async def _on_http(_request: HttpRequest, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem.response(Problem(title=str(error.detail), status=error.status_code), dict(error.headers or {}))
