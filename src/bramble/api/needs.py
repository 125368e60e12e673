"""Services that others need: they come before these, and go when nothing needs them any more."""

from __future__ import annotations

from collections.abc import Collection

from .. import services
from ..errors import UsageError
from ..model import Cluster, HostSet
from ..runner.facts import Wanted
from ..services import Service


def with_needs(name: str) -> tuple[Service, ...]:
    """A service and all that it needs, what is needed first.

    Raises
    ------
    UsageError
        There is no such service.
    """
    room = services.get(name)
    found = [one for need in room.needs for one in with_needs(need)]
    return (*dict.fromkeys(found), room)


def require_deployed(service: str, cluster: Cluster) -> None:
    """Refuse what only makes sense where a service is.

    Raises
    ------
    UsageError
    """
    if service not in cluster.services:
        raise UsageError(
            f"{service} is not deployed on the cluster {cluster.name}",
            hint=f"bramble deploy {service} --cluster {cluster.name}",
        )


def wanted_by(rooms: tuple[Service, ...]) -> Wanted:
    """What their plans want to find in the facts."""
    return Wanted(
        packages=tuple(dict.fromkeys(package for room in rooms for package in room.packages)),
        ports=tuple(dict.fromkeys(port for room in rooms for port in room.ports)),
        paths=tuple(dict.fromkeys(path for room in rooms for path in room.paths)),
    )


def wanted_besides(cluster: Cluster, name: str, leaving: Collection[str]) -> HostSet:
    """Where a service stays wanted when others leave: for itself, or for a third."""
    others = [one for one in cluster.services if one not in leaving]
    wanting = [one for one in others if name in (room.name for room in with_needs(one))]
    return HostSet(host for one in wanting for host in cluster.members_of(one))


def dependents(cluster: Cluster, name: str) -> list[str]:
    """Services of a cluster that need this one."""
    return [one for one in cluster.services if one != name and name in (room.name for room in with_needs(one))]
