"""Pages of a service on a cluster: its options as a form, and what can be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ... import inventory
from ... import services as rooms
from ...errors import NotThere
from ..access.guard import Viewer
from ..access.roles import Principal
from ..problem import Refused
from . import form, health
from .ask import Ask, at
from .render import page, to_job

router = APIRouter()

_PATH = "/clusters/{cluster}/services/{service}"


@router.get(_PATH)
async def one_service(request: Request, who: Viewer, cluster: str, service: str) -> Response:
    """A service of a cluster, or one that it could have."""
    return await _shown(request, who, cluster, service)


@router.post(_PATH + "/{verb}")
async def change(request: Request, who: Viewer, cluster: str, service: str, verb: str) -> Response:
    """Begin to change a service, or tell first what would change; what cannot be is told beside the form."""
    given = await form.filled(request)
    password = form.sudo(given)
    values = _values(cluster, service, verb, given) | password
    try:
        job = await Ask(request).do(verb, cluster=cluster, service=service, **values)
    except Refused as error:
        if error.status != 422:
            raise
        return await _shown(request, who, cluster, service, given, error)
    return to_job(job)


async def _shown(
    request: Request,
    who: Principal,
    cluster: str,
    service: str,
    given: Mapping[str, str] | None = None,
    refused: Refused | None = None,
) -> Response:
    ask = Ask(request)
    detail = await ask.get(at("clusters", cluster))
    room = rooms.get(service)
    recorded = _recorded(cluster, service)
    return page(
        request,
        "service.html",
        who,
        status=refused.status if refused else 200,
        cluster=detail,
        room=room,
        deployed=service in detail["services"],
        fields=form.fields(room, recorded, _named(given or {}, "option.")),
        given=given or {},
        refused=refused,
        known=(await health.read(detail, ask.get)).service(service),
        runs=await ask.get("/runs", cluster=cluster, service=service, limit=40, brief=True),
        jobs=await ask.get("/jobs", cluster=cluster, service=service, limit=8),
    )


def _recorded(cluster: str, service: str) -> dict[str, Any]:
    return inventory.options_of(inventory.resolve(cluster=cluster), service)


def _values(cluster: str, service: str, verb: str, given: Mapping[str, str]) -> dict[str, Any]:
    """What a verb is asked with, from a form: nothing that goes without saying."""
    values: dict[str, Any] = {}
    if verb == "deploy":
        options = form.options(rooms.get(service), _recorded(cluster, service), _named(given, "option."))
        hosts = given.get("hosts", "").strip()
        values = {"options": options} | ({"hosts": hosts} if hosts != given.get("hosts_now", "") else {})
    elif verb == "scale":
        values = {name: given[name].strip() for name in ("add", "drop") if given.get(name, "").strip()}
    elif verb == "upgrade":
        values = {"to": given["to"]} if given.get("to") else {}
    elif verb in ("remove", "verify"):
        values = {name: True for name in ("purge", "deep") if given.get(name)}
    else:
        raise NotThere(f"a service cannot be told to {verb}", hint="deploy, verify, scale, upgrade, remove")
    return values if verb == "verify" else {**values, "dry_run": "apply" not in given}


def _named(given: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): value for name, value in given.items() if name.startswith(prefix)}
