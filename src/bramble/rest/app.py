"""The service as an ASGI application: every route of the table, jobs, and who may ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI
from starlette.types import ASGIApp

from .. import __version__
from . import endpoints, problem
from .access.audit_routes import router as audit
from .access.record import Recording
from .access.session_routes import router as session
from .access.token_routes import router as tokens
from .access.user_routes import router as users
from .description import describe
from .file_routes import router as files
from .jobs.routes import router as jobs
from .look_routes import router as look
from .query import only_known
from .routes import PREFIX
from .service import Service
from .strict import Strict
from .web import pages


class Application(FastAPI):
    """FastAPI's, with the checks and the audit around all else: no route can forget them, nor an error miss them."""

    def build_middleware_stack(self) -> ASGIApp:
        """What answers a request."""
        service: Service = self.state.service
        return Strict(Recording(super().build_middleware_stack(), service.audit), service)

    def openapi(self) -> dict[str, Any]:
        """The description of all routes."""
        return describe(self)


def make(service: Service) -> FastAPI:
    """The application of a service."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await service.close()

    app = Application(
        title="bramble",
        version=__version__,
        summary="Turns a box of Raspberry Pis into working clusters.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.service = service
    problem.add_to(app)
    strictly = [Depends(only_known)]
    for router in (endpoints.router(), look, jobs, files):
        app.include_router(router, dependencies=strictly)
    for router in (session, users, tokens, audit):
        app.include_router(router, prefix=PREFIX, dependencies=strictly)
    # What is no route of the API is a page.
    app.router.default = pages(app)
    return app
