"""The service as an ASGI application: every route of the table, jobs, and who may ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI
from starlette.types import ASGIApp

from .. import __version__
from . import endpoints, problem
from .access import ROUTERS
from .access.audit import Audit
from .access.record import Recording
from .access.sessions import Sessions
from .access.throttle import Throttle
from .access.tokens import Tokens
from .access.users import Users
from .answers import Answers
from .database import Database
from .description import describe
from .file_routes import router as files
from .files import Files
from .jobs import Jobs
from .jobs.routes import router as jobs
from .look_routes import router as look
from .query import only_known
from .routes import PREFIX
from .strict import Strict
from .web import pages


class Service:
    """What the routes share.

    Parameters
    ----------
    folder
        Where it keeps everything.

    Attributes
    ----------
    names
        Names and addresses it answers to; empty for any.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = Database(folder / "service.sqlite")
        self.jobs = Jobs(self.database)
        self.users = Users(self.database)
        self.sessions = Sessions(self.database)
        self.answers = Answers()
        self.files = Files(folder / "files")
        self.tokens = Tokens(self.database)
        self.audit = Audit(self.database)
        # A user waits a minute at most, else a stranger could lock them out; a class may share one address.
        self.tries_as = Throttle(free=5, longest=60)
        self.tries_from = Throttle(free=20, longest=900)
        self.guesses = Throttle(free=20, longest=60)
        self.names: tuple[str, ...] = ()

    async def close(self) -> None:
        """End cleanly."""
        await self.jobs.close()
        self.answers.close()
        self.database.close()


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
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX, dependencies=strictly)
    # What is no route of the API is a page.
    app.router.default = pages(app)
    return app
