"""Where what was built or fetched for services is kept on the controller, and what of it is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .. import inventory, services
from ..artifact import ARCHITECTURES, Artifact
from ..engine.artifacts import Store
from ..engine.history import History
from ..model import Cluster
from .needs import with_needs


def kept() -> Store:
    """Where artifacts are kept."""
    return Store(inventory.folders.cache() / "artifacts")


def needed(
    service: str, options: Mapping[str, object], architectures: Iterable[str], cluster: Cluster | None
) -> tuple[Artifact, ...]:
    """All that a service and what it needs may bring to hosts of these architectures.

    Parameters
    ----------
    options
        Of the service itself, besides those that the cluster's file records.
    cluster
        Where it is, or is to be.

    Raises
    ------
    UsageError
        There is no such service, or an option does not fit.
    """
    found: dict[str, Artifact] = {}
    for room in with_needs(service):
        recorded = inventory.options_of(cluster, room.name) if cluster else {}
        config = services.configure(room, {**recorded, **(options if room.name == service else {})})
        found |= {one.id: one for one in room.artifacts(config, architectures)}
    return tuple(found.values())


def architectures_of(cluster: Cluster, service: str, *, unknown: Iterable[str]) -> tuple[str, ...]:
    """Architectures of a service's hosts as last known; ``unknown`` as well where one was never asked."""
    members = cluster.members_of(service) if service in cluster.services else cluster.hostset
    facts = History(inventory.folders.history()).facts(cluster.name)
    known = [facts[host].architecture for host in members if host in facts]
    return tuple(dict.fromkeys([*known, *(unknown if len(known) < len(members) else ())]))


def wanted() -> dict[str, list[str]]:
    """What deployed services would want if they were deployed once more: ``Artifact.key`` → ``kubernetes on red``.

    Raises
    ------
    UsageError, ClusterFileError
        A cluster file cannot be read, so that it cannot be told.
    """
    found: dict[str, list[str]] = {}
    for name in inventory.names():
        cluster = inventory.load(name)
        for service in cluster.services:
            for one in needed(service, {}, architectures_of(cluster, service, unknown=ARCHITECTURES), cluster):
                found.setdefault(one.key, []).append(f"{service} on {name}")
    return found
