"""Jobs as they are seen from outside: listed, shown, followed, cancelled."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, Response, StreamingResponse
from fastapi.sse import format_sse_event

from ..access.guard import Operator, Viewer
from ..routes import PREFIX
from .jobs import Jobs

router = APIRouter(prefix=f"{PREFIX}/jobs")


def _jobs(http: Request) -> Jobs:
    found: Jobs = http.app.state.service.jobs
    return found


@router.get("", operation_id="jobs_list")
async def jobs_list(
    http: Request,
    who: Viewer,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: str = "",
    cluster: str = "",
    state: str = "",
) -> Any:
    """The latest jobs, newest first."""
    found = _jobs(http).all(limit=limit, before=before, cluster=cluster, state=state)
    return JSONResponse(jsonable_encoder([job.to_json() for job in found]))


@router.get("/{id}", operation_id="jobs_show")
async def jobs_show(http: Request, id: str, who: Viewer) -> Any:
    """One job."""
    return JSONResponse(jsonable_encoder(_jobs(http).get(id).to_json()))


@router.post("/{id}/cancel", operation_id="jobs_cancel")
async def jobs_cancel(http: Request, id: str, who: Operator) -> Any:
    """End a job cleanly: hosts finish or abandon their step."""
    jobs = _jobs(http)
    await jobs.cancel(jobs.get(id))
    return JSONResponse(jsonable_encoder(jobs.get(id).to_json()))


@router.get("/{id}/events", operation_id="jobs_events")
async def jobs_events(http: Request, id: str, who: Viewer, last_event_id: Annotated[str, Header()] = "") -> Response:
    """What happens in a job, as server-sent events; the last one, ``end``, is the job itself."""
    jobs = _jobs(http)
    job = jobs.get(id)
    after = int(last_event_id) if last_event_id.isdecimal() else 0

    async def stream() -> AsyncIterator[bytes]:
        async for number, kind, data in jobs.follow(job, after):
            yield format_sse_event(data_str=data, event=kind, id=str(number))
        ended = json.dumps(jsonable_encoder(jobs.get(id).to_json()))
        yield format_sse_event(data_str=ended, event="end")

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})
