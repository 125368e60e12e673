"""What is deployed where, as the cluster file records it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..errors import UsageError
from ..model import Cluster, HostSet, choose_manager
from . import clusters, roster
from .build import build
from .document import Document
from .edit import drop, put

#: What the rules say where ``--manager`` was given; see `choose_manager`.
_ASKED = "--manager"


def of_service(cluster: Cluster, service: str, *, given: bool) -> Cluster:
    """The cluster as a service sees it: narrowed to the hosts it is on, under the manager it has.

    Parameters
    ----------
    given
        The hosts were named for this run: it is about these, and no others.

    Raises
    ------
    UsageError
        The service is on these hosts, but the one that manages it is not among those named.
    """
    deployment = cluster.services.get(service)
    if deployment is None:
        return cluster
    if not given:
        members = cluster.members_of(service)
        cluster = cluster.only(members) if members else cluster
    if cluster.manager_rule == _ASKED:
        choose_manager(cluster.hostset.names, cluster.manager)  # raises where it is not on the service's hosts
        return cluster
    everyone = clusters.load(cluster.name) if given and cluster.file else cluster
    names = everyone.members_of(service).names
    in_file = deployment.manager or (everyone.manager if everyone.manager in names else "")
    manager, rule = choose_manager(names, in_file=in_file)
    if manager not in cluster.hostset:
        raise UsageError(
            f"{service} is managed by {manager}, which is not among {cluster.hostset}",
            hint=f"name {manager}, too, or leave --hosts out",
        )
    known = everyone.manager == manager and not deployment.manager
    return replace(cluster, manager=manager, manager_rule=everyone.manager_rule if known else rule)


def options_of(cluster: Cluster, service: str) -> dict[str, Any]:
    """The options that the cluster file records for a service; none where it is not deployed."""
    deployment = cluster.services.get(service)
    return dict(deployment.options) if deployment else {}


def save_service(cluster: Cluster, service: str, options: Mapping[str, Any], dropped: Iterable[str] = ()) -> None:
    """Record that a service is on exactly these hosts, with these options; makes the cluster file if there is none.

    Parameters
    ----------
    cluster
        The service's hosts and manager.
    dropped
        Hosts that it leaves with this.

    Raises
    ------
    UsageError
        The file records it on further hosts, which would be forgotten with the service still on them.
    ClusterFileError
        The file cannot be read or edited.
    """
    if not cluster.file and cluster.name not in clusters.names():
        clusters.create(cluster)
    gone = HostSet(dropped)

    def edit(document: Document, described: Cluster) -> Document:
        before = described.members_of(service) if service in described.services else HostSet()
        forgotten = before - cluster.hostset - gone
        if forgotten:
            raise UsageError(
                f"{service} is on {before}, and {forgotten} is not among the hosts named",
                hint=f"leave --hosts out; or first: bramble scale {service} --drop {forgotten}",
            )
        if not cluster.file and not described.hostset & cluster.hostset:
            raise UsageError(
                f"there is a cluster {cluster.name} already, of other hosts", hint=f"it is {document.file}"
            )
        document = roster.add_to(document, described, cluster.hosts, moving=service)
        return _recorded(document, cluster, service, options)

    clusters.change(cluster.name, edit)


def begin_upgrade(cluster: Cluster, service: str, version: str) -> None:
    """Record that a service is on its way to a version; nothing else is done to it until it is there."""
    clusters.change(cluster.name, lambda document, _: put(document, ("services", service, "upgrading"), version))


def end_upgrade(cluster: Cluster, service: str, version: str) -> None:
    """Record that a service has a version, and is on its way to none."""

    def edit(document: Document, described: Cluster) -> Document:
        path = ("services", service)
        document = put(document, (*path, "version"), version)
        return drop(document, (*path, "upgrading")) if described.services[service].upgrading else document

    clusters.change(cluster.name, edit)


def forget_service(cluster: Cluster, service: str) -> None:
    """Record that a service is no longer on these hosts. Does nothing where no file says that it is."""
    if cluster.name not in clusters.names():
        return

    def edit(document: Document, described: Cluster) -> Document:
        if service not in described.services:
            return document
        path = ("services", service)
        left = described.members_of(service) - cluster.hostset
        if not left:
            return drop(document, path, prune=True)
        if described.services[service].manager not in ("", *left):
            document = drop(document, (*path, "manager"))
        return put(document, (*path, "hosts"), str(left))

    clusters.change(cluster.name, edit)


def _recorded(document: Document, cluster: Cluster, service: str, options: Mapping[str, Any]) -> Document:
    path = ("services", service)
    described = build(document, cluster.name)
    members = cluster.hostset
    if service not in described.services:
        document = put(document, path, dict(options))
        described = build(document, cluster.name)
    recorded = described.services[service]
    for name in recorded.options.keys() - options.keys():
        document = drop(document, (*path, name))
    for name, value in options.items():
        if name not in recorded.options or recorded.options[name] != value:
            document = put(document, (*path, name), value)
    if set(described.members_of(service)) != set(members):
        document = put(document, (*path, "hosts"), str(members))
    after = build(document, cluster.name)
    if of_service(replace(after, manager_rule=""), service, given=False).manager != cluster.manager:
        document = put(document, (*path, "manager"), cluster.manager)
    return document
