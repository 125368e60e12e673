"""The web page of the service: what its API answers, for people.

A page has no rights of its own: it asks the API in this process (`ask`), on behalf of who looks at it; beside that, it
reads what a form needs from cluster files.
Forms post to the page's own addresses, and what they begin is a job with a page of its own. All of it can be read, and
every form sent, without JavaScript.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from ...errors import BrambleError
from .. import problem
from ..problem import Refused
from . import clusters, do, files, jobs, people, services
from .render import FOLDER, error_page


def pages(api: FastAPI) -> FastAPI:
    """The pages, as what an application answers where it has no route of its own."""
    app = FastAPI(openapi_url=None)
    app.state.api = api
    app.state.service = api.state.service
    for folder in ("static", "vendor"):
        app.mount(f"/{folder}", _Files(directory=FOLDER / folder), name=folder)
    for part in (clusters, services, do, jobs, files, people):
        app.include_router(part.router)
    app.add_exception_handler(BrambleError, _on_error)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(Exception, _on_fault)
    return app


class _Files(StaticFiles):
    """Files of the page: a browser keeps them, and asks whether they are still the same."""

    def file_response(self, *given: Any, **named: Any) -> Response:
        """One of them."""
        answer = super().file_response(*given, **named)
        answer.headers["Cache-Control"] = "no-cache"
        return answer


async def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, BrambleError)
    if isinstance(error, Refused):
        return error_page(request, error)
    refused = Refused(problem.of_error(error).status, error.what, why=error.why, hint=error.hint)
    refused.host = error.host
    return error_page(request, refused)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if request.url.path.startswith("/api/"):
        return await problem.on_http(request, error)
    what = "there is no such page" if error.status_code == 404 else str(error.detail)
    hint = "begin at the overview" if error.status_code == 404 else ""
    return error_page(request, Refused(error.status_code, what, hint=hint))


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    places = "; ".join(f"{one['loc'][-1]}: {one['msg']}" for one in error.errors())
    return error_page(request, Refused(422, "the request is not what it should be", why=places))


async def _on_fault(request: Request, _error: Exception) -> Response:
    # Who runs the service finds it in its log; who looks learns nothing of its insides.
    return error_page(request, Refused(500, "the service has a fault", hint="its log tells more"))
