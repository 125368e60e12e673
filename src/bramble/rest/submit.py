"""Asks for a job, in the one way there is: for callers of the service and for its pages alike."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from .. import api, inventory
from ..runner.secret import Secret
from . import named
from .access import viewers
from .access.guard import permit
from .access.roles import Principal
from .arguments import of_route
from .jobs import Job, Request
from .problem import Refused
from .routes import PREFIX, ROUTE_OF

if TYPE_CHECKING:
    from .service import Service


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
        A value of ``of_route(ROUTE_OF[verb]).model``.
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
    route = ROUTE_OF[verb]
    permit(who, route.role)
    arguments = of_route(route)
    values = arguments.call(given, path)
    viewers.check(who, values)
    if values.get("options"):
        values["options"] = named.options(verb, values)
    secrets = dict(_secrets(values))
    shown = _shown(arguments.shown(given, path), values)
    values = await named.files(route, values, service.files)
    function = getattr(api, verb)
    takes = inspect.signature(function).parameters

    async def call(**hooks: Any) -> Any:
        fitting = {name: hook for name, hook in hooks.items() if name in takes or "reach" in takes}
        return await function(**_for_new_cluster(values), **fitting)

    request = Request(
        verb=verb,
        call=call,
        who=who.name,
        cluster=str(values.get("cluster") or ""),
        service=str(values.get("service") or ""),
        arguments=shown,
        secrets=secrets,
        wait=wait,
        key=key,
        body=json.dumps([verb, shown], sort_keys=True),
        area=str(service.files.folder),
    )
    return await service.jobs.submit(request)


async def again(service: Service, who: Principal, job: Job, secrets: Mapping[str, str], **how: Any) -> Job:
    """Ask once more for what a job was, with its secrets by their names; ``how`` is as in `submit`.

    Raises
    ------
    Refused
        Who asks may not ask for this, or a secret is missing.
    UsageError, PlanError
        As `submit`.
    """
    route = ROUTE_OF[job.verb]
    permit(who, route.role)
    missing, unknown = sorted({*job.secrets} - {*secrets}), sorted({*secrets} - {*job.secrets})
    if missing or unknown:
        faults = [("it had secrets, and they are not kept", missing), ("it had no such secrets", unknown)]
        raise Refused(
            422,
            "; ".join(f"{what}: {', '.join(names)}" for what, names in faults if names),
            hint='give those that it had: {"secrets": {"NAME": "…"}}',
            errors=[{"at": f"secrets.{name}", "what": "missing"} for name in missing],
        )
    arguments = of_route(route)
    path = {name: str(job.arguments[name]) for name in arguments.path}
    values = {name: value for name, value in job.arguments.items() if name not in path}
    for name, value in secrets.items():
        kind, _, option = name.partition(".")
        if option:
            values[kind] = {**values.get(kind, {}), option: {"content": value}}
        else:
            values[name] = value
    return await submit(service, who, job.verb, arguments.model.model_validate(values), path, **how)


def _secrets(values: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, bytes]]:
    """Each secret by its name: ``sudo_password``, ``options.pull_secret``."""
    for name, value in values.items():
        if isinstance(value, Secret):
            yield within + name, value.reveal()
        elif name == "options":
            yield from _secrets(value or {}, "options.")


def _shown(shown: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as they are kept and seen: without the secrets among the options."""
    if shown.get("options"):
        kept = {
            name: value for name, value in shown["options"].items() if not isinstance(values["options"][name], Secret)
        }
        return {**shown, "options": kept}
    return shown


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
