"""The service as an ASGI application: every route of the table, jobs, and who may ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from .. import __version__
from . import endpoints, problem
from .access.tokens import Tokens
from .database import Database
from .jobs import Jobs
from .jobs.routes import router as jobs
from .routes import PREFIX


class Service:
    """What the routes share.

    Parameters
    ----------
    folder
        Where it keeps everything.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
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
    problem.add_to(app)
    app.include_router(endpoints.router())
    app.include_router(jobs)
    return app
