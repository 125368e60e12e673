"""Routes of the audit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from ..answers import UNCHANGED
from ..paging import Limit, page
from .audit import Checked, Entry, comma_separated, json_lines
from .guard import Admin
from .moments import moment

if TYPE_CHECKING:
    from ..service import Service

router = APIRouter(prefix="/audit", tags=["audit"])

_Who = Annotated[str, Query(description="Only what this user did.")]
_What = Annotated[str, Query(description="Only this verb: deploy, session_begin, …")]
_Since = Annotated[str, Query(description="Only since then: 2026-11-01, or 7d for a week ago.")]


@router.get("", operation_id="audit_list", response_model=list[Entry], responses=UNCHANGED)
async def audit_list(
    request: Request,
    who: Admin,
    limit: Limit = 100,
    before: Annotated[int, Query(ge=0, lt=2**63, description="Those with a smaller number; 0 for all.")] = 0,
    by: _Who = "",
    what: _What = "",
    since: _Since = "",
) -> Response:
    """What was done and refused, newest first."""
    service: Service = request.app.state.service
    found = service.audit.all(limit=limit + 1, before=before, who=by, what=what, since=moment(since))
    return page(request, [entry.to_json() for entry in found], limit, "before", "number")


_TEXT = {"schema": {"type": "string"}}


@router.get(
    "/export",
    operation_id="audit_export",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": _TEXT, "application/jsonl": _TEXT}}},
)
async def audit_export(
    request: Request,
    who: Admin,
    form: Annotated[Literal["jsonl", "csv"], Query(description="JSON, one entry a line, or CSV.")] = "jsonl",
    by: _Who = "",
    what: _What = "",
    since: _Since = "",
) -> StreamingResponse:
    """All of it as a file, newest first."""
    service: Service = request.app.state.service
    entries = service.audit.whole(who=by, what=what, since=moment(since))
    lines = comma_separated(entries) if form == "csv" else json_lines(entries)
    kind = "text/csv; charset=utf-8" if form == "csv" else "application/jsonl"

    async def stream() -> AsyncIterator[str]:
        # Not in a thread: the database belongs to this one.
        for line in lines:
            yield line

    return StreamingResponse(
        stream(), media_type=kind, headers={"Content-Disposition": f'attachment; filename="bramble-audit.{form}"'}
    )


@router.get("/check", operation_id="audit_check")
async def audit_check(request: Request, who: Admin) -> Checked:
    """Tell whether the audit is as it was written: each entry holds the hash of the one before."""
    service: Service = request.app.state.service
    return service.audit.check()
