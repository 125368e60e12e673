"""The verbs of `bramble.api` on a service: the same calls, carried out there."""

from __future__ import annotations

import asyncio
import inspect
import secrets
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, get_type_hints

import httpx

from .. import api
from ..api import ClusterInfo, Reach
from ..errors import BrambleError, UsageError
from ..model import Cluster, Deployment, Host, HostSet
from . import luggage, question
from .carrier import Carrier
from .decode import decode
from .description import Description
from .job import Job
from .wire import PREFIX, Wire

Verb = Callable[..., Any]


class Remote:
    """A service, with the verbs of `bramble.api` as methods.

    Parameters
    ----------
    wire
        The way to it.
    """

    run = staticmethod(api.run)

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self._described: Description | None = None

    def __getattr__(self, name: str) -> Any:
        found = getattr(api, name)
        if not inspect.isfunction(found):
            return found
        return self._verb(found) if inspect.iscoroutinefunction(found) else _waited_for(self._verb(found))

    def resolve(self, reach: Reach) -> Cluster:
        """The hosts that are meant, as the service knows them, for a question before something is changed there.

        Raises
        ------
        UsageError
            No cluster, or more than one, is meant.
        """
        known: tuple[ClusterInfo, ...] = self.hosts_list()
        hosts, name = reach.get("hosts", ""), reach.get("cluster", "")
        name = name or question.meant(reach, known)
        if name not in {one.name for one in known}:
            if reach.get("cluster"):
                raise UsageError(f"{self.wire.name} has no cluster {name!r}", hint=_names(known))
            return Cluster(name=name, hosts=tuple(map(Host.parse, HostSet.parse(hosts))), manager="")
        whole = self.hosts_show(name)
        wanted = self.hosts_expand(hosts, cluster=name) if hosts else [host.name for host in whole.hosts]
        return Cluster(
            name=name,
            hosts=tuple(map(Host.parse, wanted)),
            manager=whole.manager,
            services={service: Deployment(hosts=HostSet.parse(on)) for service, on in whole.services.items()},
        )

    def _verb(self, verb: Verb) -> Callable[..., Coroutine[Any, Any, Any]]:
        async def call(*args: Any, **given: Any) -> Any:
            values = question.arguments(verb, args, given)
            on_event = values.pop("on_event", None)
            async with self.wire.opened() as client:
                described = await self._description(client)
                operation = described.operation(verb.__name__)
                if "cluster" in operation.in_path and not values.get("cluster"):
                    values["cluster"] = question.meant(values, await self._clusters(client, described))
                described.check(verb.__name__, values)
                packed = await asyncio.to_thread(luggage.of, verb.__name__, values)
                carrier = Carrier(self.wire, client, packed, on_event)
                # A request that got through, but whose answer did not, is the same job when it is asked again.
                asked = question.as_request(operation, packed.values)
                asked["headers"] = {"Idempotency-Key": secrets.token_urlsafe(16)}
                async with carrier.there(operation.role):
                    asking = self.wire.ask(client, operation.method, operation.address(values), **asked)
                    data = await carrier.home(await Job(self.wire, client, carrier.on_event).do(asking))
                try:
                    return decode(get_type_hints(verb)["return"], data)
                except (TypeError, ValueError, AttributeError, KeyError) as error:
                    raise BrambleError(
                        f"{self.wire.name} answers what this bramble does not understand",
                        why=f"{described.whose} ({error})", hint="bring both to the same version",
                    ) from None  # fmt: skip

        return call

    async def _description(self, client: httpx.AsyncClient) -> Description:
        if self._described is None:
            answer = await self.wire.ask(client, "GET", f"{PREFIX}/openapi.json")
            self._described = Description(answer.json(), self.wire.name)
        return self._described

    async def _clusters(self, client: httpx.AsyncClient, described: Description) -> tuple[ClusterInfo, ...]:
        answer = await self.wire.ask(client, "GET", described.operation("hosts_list").path)
        found: tuple[ClusterInfo, ...] = decode(tuple[ClusterInfo, ...], answer.json())
        return found


def _waited_for(verb: Callable[..., Coroutine[Any, Any, Any]]) -> Verb:
    """A verb as one that is not async."""

    def call(*args: Any, **given: Any) -> Any:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(verb(*args, **given))
        with ThreadPoolExecutor(1) as apart:  # a loop is at work in this thread, and cannot wait for itself
            return apart.submit(asyncio.run, verb(*args, **given)).result()

    return call


def _names(known: tuple[ClusterInfo, ...]) -> str:
    return f"it has: {', '.join(one.name for one in known)}" if known else "it has none yet: name hosts with --hosts"
