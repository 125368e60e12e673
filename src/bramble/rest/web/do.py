"""The page of an action: what it does, to which hosts, what it wants to know; and the button that begins it."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from ... import inventory
from ... import services as rooms
from ...api.power import what_stops
from ...errors import NotThere
from ..access.guard import Viewer, permit
from ..access.roles import Principal
from ..problem import Refused
from . import form
from .actions import ACTIONS, Action
from .ask import Ask, at
from .render import page, to_job

router = APIRouter()

_PATH = "/clusters/{cluster}/do/{action}"


@router.get(_PATH)
async def before(request: Request, who: Viewer, cluster: str, action: str) -> Response:
    """What an action would do, and to what. All that is asked for can stand in the address."""
    return await _shown(request, who, cluster, _action(action), dict(request.query_params))


@router.post(_PATH)
async def do(request: Request, who: Viewer, cluster: str, action: str) -> Response:
    """Begin it; what cannot be is told beside the form."""
    chosen = _action(action)
    given = await form.filled(request)
    permit(who, chosen.role)
    values = form.sudo(given) | chosen.values(given) | _service(chosen, given)
    if chosen.grave and not given.get("hosts"):
        # Nobody has been told yet which hosts these would be.
        return RedirectResponse(request.url.path, 303)
    try:
        job = await Ask(request).do(chosen.verb, cluster=cluster, **values)
    except Refused as error:
        if error.status != 422 or chosen.at_once:
            raise
        return await _shown(request, who, cluster, chosen, given, error)
    return to_job(job)


async def _shown(
    request: Request,
    who: Principal,
    cluster: str,
    action: Action,
    given: Mapping[str, str],
    refused: Refused | None = None,
) -> Response:
    permit(who, action.role)
    ask = Ask(request)
    detail = await ask.get(at("clusters", cluster))
    hosts = inventory.resolve(cluster=cluster, hosts=given.get("hosts", "") if action.to_hosts else "")
    stored = await ask.get("/files") if action.takes_files else []
    stored.sort(key=lambda one: one["changed"], reverse=True)
    files = [one["name"] for one in stored if one["kind"] == "file"]
    return page(
        request,
        "do.html",
        who,
        status=refused.status if refused else 200,
        cluster=detail,
        action=action,
        hosts=hosts.hostset,
        stops=what_stops(hosts) if action.grave else (),
        service=_service(action, given).get("service", ""),
        fields=action.fields(given, files),
        files=files,
        given=given,
        refused=refused,
    )


def _action(name: str) -> Action:
    if name not in ACTIONS:
        raise NotThere(f"there is nothing called {name} to do here", hint=", ".join(ACTIONS))
    return ACTIONS[name]


def _service(action: Action, given: Mapping[str, str]) -> dict[str, str]:
    """The service that an action is about; none for those that are about no single one."""
    if action.verb not in ("backup", "restore"):
        return {}
    return {"service": rooms.get(given.get("service", "")).name}
