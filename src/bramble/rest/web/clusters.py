"""Pages of what there is: all clusters, one of them, one host."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

from fastapi import APIRouter, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, RedirectResponse, Response

from ... import api
from ...errors import NotThere
from ..access.guard import Viewer
from . import health
from .ask import Ask, at
from .render import page

router = APIRouter()

#: How many of the latest runs a host's page tells, and of how many hosts they may tell together: a run of 1,000 hosts
#: has a quarter of a megabyte.
_RUNS, _TOLD = 60, 6_000

#: Seconds for which one reading of a host's load is shown to all who look.
_FRESH = 2.0


@router.get("/")
async def overview(request: Request, who: Viewer) -> Response:
    """All clusters, what is at work, and what was run last."""
    ask = Ask(request)
    clusters = [await ask.get(at("clusters", one["name"])) for one in await ask.get("/clusters")]
    clusters = [{**one, "known": await health.read(one, ask.get)} for one in clusters]
    runs = await ask.get("/runs", limit=8, brief=True)
    jobs = await ask.get("/jobs", limit=20)
    at_work = [job for job in jobs if job["state"] in ("queued", "running")]
    return page(request, "overview.html", who, clusters=clusters, at_work=at_work, runs=runs)


@router.post("/clusters")
async def new_cluster(request: Request, who: Viewer) -> Response:
    """Make a cluster of hosts."""
    form = await request.form()
    name = str(form.get("cluster", "")).strip()
    return await _add(request, name, str(form.get("hosts", "")))


@router.post("/clusters/{cluster}/hosts")
async def new_hosts(request: Request, who: Viewer, cluster: str) -> Response:
    """Add hosts to a cluster."""
    return await _add(request, cluster, str((await request.form()).get("hosts", "")))


async def _add(request: Request, cluster: str, hosts: str) -> Response:
    await Ask(request).do("hosts_add", cluster=cluster, expression=hosts)
    return RedirectResponse(at("clusters", cluster), 303)


@router.get("/clusters/{cluster}")
async def one_cluster(request: Request, who: Viewer, cluster: str) -> Response:
    """A cluster: its hosts and services."""
    ask = Ask(request)
    detail = await ask.get(at("clusters", cluster))
    known = await health.read(detail, ask.get)
    catalogue = await ask.get("/services")
    jobs = await ask.get("/jobs", cluster=cluster, limit=8)
    return page(
        request, "cluster.html", who, cluster=detail, known=known, catalogue=catalogue, jobs=jobs
    )  # fmt: skip


@router.get("/clusters/{cluster}/hosts/{host}")
async def one_host(request: Request, who: Viewer, cluster: str, host: str) -> Response:
    """A host: what it is, how busy, and what was done to it."""
    ask = Ask(request)
    detail = await ask.get(at("clusters", cluster))
    found = _host(detail, host)
    most = max(10, min(_RUNS, _TOLD // len(detail["hosts"])))
    runs = await ask.get("/runs", limit=most, cluster=cluster)
    journal = [
        {"run": run, "result": result}
        for run in runs
        if run["report"]
        for result in run["report"]["hosts"]
        if result["host"] == host
    ]
    known = health.of_cluster(cluster, runs).host(host)
    return page(request, "host.html", who, cluster=detail, host=found, journal=journal[:50], known=known)


_loads: dict[tuple[str, str], tuple[float, Any]] = {}


@router.get("/clusters/{cluster}/hosts/{host}/load")
async def load_now(request: Request, who: Viewer, cluster: str, host: str) -> Response:
    """How busy a host is now.

    Not a job, as ``POST …/load`` is: it is asked every few seconds while somebody looks, and nobody reads it later.
    """
    _host(await Ask(request).get(at("clusters", cluster)), host)
    read, reading = _loads.get((cluster, host), (0.0, None))
    if time.monotonic() - read > _FRESH:
        (found,) = await api.load(cluster=cluster, hosts=host)
        reading = {"time": time.time(), **jsonable_encoder(dataclasses.asdict(found))}
        _loads[cluster, host] = (time.monotonic(), reading)
    return JSONResponse(reading, headers={"Cache-Control": "no-store"})


def _host(cluster: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] | None = next((one for one in cluster["hosts"] if one["name"] == name), None)
    if found is None:
        raise NotThere(
            f"there is no host {name!r} in {cluster['name']}", hint=f"its hosts: /clusters/{cluster['name']}"
        )
    return found
