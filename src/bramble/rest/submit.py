"""Asks for a job, in the one way there is: for callers of the service and for its pages alike."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from .. import api, inventory
from .access import viewers
from .access.guard import permit
from .access.roles import Principal
from .arguments import of_verb
from .jobs import Job, Request
from .problem import Refused
from .routes import PREFIX, ROUTES

if TYPE_CHECKING:
    from .app import Service


async def submit(
    service: Service,
    who: Principal,
    verb: str,
    given: BaseModel,
    path: Mapping[str, str],
    *,
    key: str = "",
    wait: bool = True,
) -> Job:
    """Begin a job for somebody who may ask for it.

    Parameters
    ----------
    given
        A value of ``of_verb(verb).model``.
    path
        The parameters that stand in the route's path.
    key
        The caller's idempotency key.
    wait
        Whether it waits for its hosts; else it is refused where another job has one of them.

    Raises
    ------
    UsageError, PlanError, Refused
        As `Jobs.submit`.
    """
    permit(who, next(route.role for route in ROUTES if route.verb == verb))
    arguments = of_verb(verb)
    values = arguments.call(given, path)
    viewers.check(who, values)
    function = getattr(api, verb)
    takes = inspect.signature(function).parameters

    async def call(**hooks: Any) -> Any:
        fitting = {name: hook for name, hook in hooks.items() if name in takes or "reach" in takes}
        return await function(**_for_new_cluster(values), **fitting)

    shown = arguments.shown(given, path)
    request = Request(
        verb=verb,
        call=call,
        who=who.name,
        cluster=str(values.get("cluster", "")),
        service=str(values.get("service", "")),
        arguments=shown,
        secret=bool(arguments.secret & given.model_fields_set),
        wait=wait,
        key=key,
        body=json.dumps([verb, shown], sort_keys=True),
    )
    return await service.jobs.submit(request)


def _for_new_cluster(values: dict[str, Any]) -> dict[str, Any]:
    """Arguments for a cluster that has no file yet: its hosts alone, if they would be a cluster of this name."""
    name, hosts = values.get("cluster", ""), values.get("hosts", "")
    if not (name and hosts) or name in inventory.names():
        return values
    found = inventory.resolve(hosts=hosts, manager=values.get("manager") or "")
    if found.name != name:
        raise Refused(
            404, f"there is no cluster {name!r}", why=f"of these hosts, it would be called {found.name}",
            hint=f"PUT {PREFIX}/clusters/{found.name}/…",
        )  # fmt: skip
    return {key: value for key, value in values.items() if key != "cluster"}
