"""Jobs as they are seen from outside: listed, shown, followed, cancelled, done again."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Query, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from ..access.guard import Operator, Viewer, permit, still_may
from ..answers import UNCHANGED
from ..paging import Limit, page
from ..preferences import Prefer, wish
from ..routes import PREFIX, ROUTE_OF
from ..submit import again
from .job import Job, frames, last_frame
from .jobs import Jobs
from .kept import Wanted
from .shown import JobShown

router = APIRouter(prefix=f"{PREFIX}/jobs", tags=["jobs"])

#: Seconds that who cancels a job is kept waiting for its end.
_SOON = 1.0

#: Seconds after which who follows a job is asked again who they are.
_STILL = 10.0

Key = Annotated[str, Header(max_length=255, description="The same key with the same request is the same job.")]


class Again(BaseModel):
    """What a job that is done again has to be told again.

    Attributes
    ----------
    secrets
        The secrets that it had, by their names in its ``secrets``.
    """

    model_config = ConfigDict(extra="forbid")

    secrets: dict[str, SecretStr] = Field(default={}, examples=[{}, {"sudo_password": "…"}])


async def answer(http: Request, job: Job, prefer: str = "") -> Response:
    """What who asked for a job is told: where it is, or how it ended if they wait for that and it does."""
    asked = wish(prefer)
    over = await _jobs(http).ended(job, asked.wait) if asked.wait else False
    headers = {"Location": f"{PREFIX}/jobs/{job.id}", **asked.applied}
    return JSONResponse(jsonable_encoder(job.to_json()), 200 if over else 202, headers)


def _jobs(http: Request) -> Jobs:
    found: Jobs = http.app.state.service.jobs
    return found


@router.get("", operation_id="jobs_list", response_model=list[JobShown], responses=UNCHANGED)
async def jobs_list(
    http: Request,
    who: Viewer,
    limit: Limit = 50,
    before: Annotated[str, Query(description="Only those older than this one.")] = "",
    cluster: str = "",
    service: str = "",
    verb: str = "",
    state: str = "",
    asked_by: Annotated[str, Query(description="Only those that this user asked for.")] = "",
) -> Any:
    """The latest jobs, newest first. Without what they found: that has each for itself."""
    wanted = Wanted(
        limit=limit + 1, before=before, cluster=cluster, service=service, verb=verb, state=state, who=asked_by
    )
    found = [{**job.to_json(), "result": None} for job in _jobs(http).all(wanted)]
    return page(http, found, limit, "before", "id")


@router.get("/{id}", operation_id="jobs_show", response_model=JobShown)
async def jobs_show(http: Request, id: str, who: Viewer) -> Any:
    """One job."""
    return JSONResponse(jsonable_encoder(_jobs(http).get(id).to_json()))


@router.post(
    "/{id}/cancel",
    operation_id="jobs_cancel",
    response_model=JobShown,
    responses={202: {"model": JobShown, "description": "It is being ended"}},
)
async def jobs_cancel(http: Request, id: str, who: Operator) -> Response:
    """End a job cleanly: hosts finish or abandon their step. What is over stays as it is.

    Who may not ask for what it does may not end it either.
    """
    jobs = _jobs(http)
    job = jobs.get(id)
    permit(who, ROUTE_OF[job.verb].role)
    jobs.cancel(job, who.name)
    await jobs.ended(job, _SOON)
    return JSONResponse(jsonable_encoder(job.to_json()), 200 if job.over else 202)


@router.post("/{id}/again", operation_id="jobs_again", status_code=202, response_model=JobShown)
async def jobs_again(
    http: Request,
    id: str,
    who: Viewer,
    given: Annotated[Again, Body()] = Again(),  # noqa: B008 — it is only read
    idempotency_key: Key = "",
    prefer: Prefer = "",
) -> Response:
    """Ask once more for what a job was, such as one that was cut off. Who asks must be allowed to."""
    secrets = {name: value.get_secret_value() for name, value in given.secrets.items()}
    service = http.app.state.service
    job = await again(service, who, _jobs(http).get(id), secrets, key=idempotency_key, wait=not wish(prefer).strict)
    return await answer(http, job, prefer)


@router.get(
    "/{id}/events",
    operation_id="jobs_events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def jobs_events(
    http: Request,
    id: str,
    who: Viewer,
    last_event_id: Annotated[str, Header(description="Goes on behind this event.")] = "",
) -> Response:
    """What happens in a job, as server-sent events; the last one, ``end``, is the job itself."""
    jobs = _jobs(http)
    job = jobs.get(id)
    after = int(last_event_id) if last_event_id.isdecimal() and len(last_event_id) < 10 else 0

    async def stream() -> AsyncIterator[bytes]:
        looked = time.monotonic()
        async for some in jobs.follow(job, after):
            if time.monotonic() - looked > _STILL:
                looked = time.monotonic()
                if not still_may(http, "viewer"):
                    return
            yield frames(some)
        yield last_frame(jobs.get(id))

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})
