"""Pages of what is at work and what was run: jobs, live, and the history."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ...errors import NotThere
from ..access.guard import Viewer
from ..routes import ROUTE_OF
from . import changes
from .ask import Ask, at, has_dry_run
from .render import page, to_job

router = APIRouter()

_OVER = ("done", "failed", "cancelled", "cut off")

#: As many runs or jobs as one page shows.
_PAGE = 50


@router.get("/jobs")
async def all_jobs(request: Request, who: Viewer, before: str = "", cluster: str = "") -> Response:
    """What was asked of this service."""
    jobs = await Ask(request).get("/jobs", limit=_PAGE, before=before, cluster=cluster)
    older = jobs[-1]["id"] if len(jobs) == _PAGE else ""
    return page(request, "jobs.html", who, jobs=jobs, older=older, cluster=cluster)


@router.get("/jobs/{id}")
async def one_job(request: Request, who: Viewer, id: str) -> Response:
    """A job: live while it is at work, then what came of it."""
    ask = Ask(request)
    job = await ask.get(at("jobs", id))
    over = job["state"] in _OVER
    events = await ask.events(id) if over else []
    dry = has_dry_run(job["verb"])
    told = changes.of_events(events, job["hosts"])
    return page(
        request,
        "job.html",
        who,
        job=job,
        over=over,
        role=ROUTE_OF[job["verb"]].role,
        dry=bool(dry and job["arguments"].get(dry)),
        report=job["result"] if isinstance(job["result"], dict) and "exit_code" in job["result"] else None,
        changes=told,
        notes=[event["text"] for event in events if event.get("kind") == "note"],
    )


@router.post("/jobs/{id}/apply")
async def apply(request: Request, who: Viewer, id: str) -> Response:
    """Do what a dry run told."""
    ask = Ask(request)
    job = await ask.get(at("jobs", id))
    dry = has_dry_run(job["verb"])
    values = {name: value for name, value in job["arguments"].items() if name != dry}
    for name, secret in (await _secrets(request, job)).items():
        kind, _, option = name.partition(".")
        values |= {kind: {**values.get(kind, {}), option: {"content": secret}} if option else secret}
    began = await ask.do(job["verb"], **values)
    return to_job(began)


@router.post("/jobs/{id}/{what}")
async def cancel(request: Request, who: Viewer, id: str, what: str) -> Response:
    """End a job, or ask for the same again."""
    if what not in ("cancel", "again"):
        raise NotThere(f"a job cannot be told to {what}", hint="cancel, again")
    ask = Ask(request)
    given = None
    if what == "again":
        given = {"secrets": await _secrets(request, await ask.get(at("jobs", id)))}
    job = (await ask.send("POST", at("jobs", id, what), given)).json()
    return to_job(job)


@router.get("/runs")
async def all_runs(
    request: Request,
    who: Viewer,
    before: str = "",
    cluster: str = "",
    service: str = "",
    verb: str = "",
    state: str = "",
) -> Response:
    """What was run, newest first."""
    asked = {"cluster": cluster, "service": service, "verb": verb, "state": state}
    runs = await Ask(request).get("/runs", limit=_PAGE + 1, before=before, brief=True, **asked)
    older = runs[_PAGE - 1]["id"] if len(runs) > _PAGE else ""
    return page(request, "runs.html", who, runs=runs[:_PAGE], older=older, before=before, asked=asked)


@router.get("/runs/{id}")
async def one_run(request: Request, who: Viewer, id: str) -> Response:
    """A run, with the time of every step on every host."""
    run = await Ask(request).get(at("runs", id))
    return page(request, "run.html", who, run=run, hosts=_steps_by_host(run))


def _steps_by_host(run: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Each host's steps, with how far into its own work each began and how much of it that was, in per cent."""
    found: dict[str, list[dict[str, Any]]] = {}
    for step in run["steps"]:
        found.setdefault(step["host"], []).append(step)
    longest = max((sum(step["seconds"] for step in steps) for steps in found.values()), default=0.0) or 1.0
    for steps in found.values():
        begin = 0.0
        for step in steps:
            step["begin"], step["width"] = 100 * begin / longest, max(0.3, 100 * step["seconds"] / longest)
            begin += step["seconds"]
    return found


async def _secrets(request: Request, job: dict[str, Any]) -> dict[str, str]:
    """The secrets that a job had, from the form that asks for them again: they are kept nowhere."""
    form = await request.form()
    given = {name: str(form.get(f"secret.{name}", "")).strip() for name in job["secrets"]}
    return {name: f"{text}\n" if "." in name else text for name, text in given.items() if text}
