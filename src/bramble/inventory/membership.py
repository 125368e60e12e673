"""Hosts of a cluster file: added and taken out. No host is contacted."""

from __future__ import annotations

from dataclasses import replace

from ..errors import UsageError
from ..model import Cluster, Entry, Host, HostSet
from . import clusters, roster
from .document import Document
from .resolve import resolve, with_hosts


def add_hosts(entries: HostSet, cluster: str = "") -> Cluster:
    """Add hosts to a cluster's file; those that it has already stay as they are. Makes the file if there is none.

    Parameters
    ----------
    cluster
        Its name; empty for the only one there is, and, where there is none, for a new one named after its manager.

    Raises
    ------
    UsageError
        No hosts, a host named in two ways, or several clusters and none is named.
    ClusterFileError
        The file cannot be read or edited.
    """
    if not entries:
        raise UsageError("no hosts to add")
    known = clusters.names()
    if cluster not in known and (cluster or not known):
        new = clusters.of_entries(entries)
        if cluster:
            clusters.check_name(cluster)
            new = replace(new, name=cluster)
        return clusters.create(new)
    name = resolve(cluster=cluster).name

    def edit(document: Document, described: Cluster) -> Document:
        return roster.add_to(document, described, with_hosts(described, entries).hosts)

    return clusters.change(name, edit)


def join(name: str, hosts: tuple[Host, ...]) -> Cluster:
    """Add hosts, with the way to each, to the file of a cluster; those that it has already stay as they are."""
    return clusters.change(name, lambda document, described: roster.add_to(document, described, hosts))


def readdress(cluster: Cluster, host: str, address: str) -> None:
    """Write down that a host is at another address. Its key is known by its name, and stays so.

    Does nothing where no file has that host.
    """
    if cluster.name not in clusters.names():
        return

    def edit(document: Document, described: Cluster) -> Document:
        if host not in described.hostset or described.host(host).address == address:
            return document
        return roster.with_ways(document, described.with_hosts([replace(described.host(host), address=address)]))

    clusters.change(cluster.name, edit)


def remove_hosts(entries: HostSet, cluster: str = "") -> Cluster:
    """Take hosts out of a cluster's file.

    Raises
    ------
    UsageError
        One is not in it or has services, or none would be left.
    ClusterFileError
        The file cannot be read or edited.
    """
    name = resolve(cluster=cluster).name
    gone = HostSet(Entry.parse(entry).name for entry in entries)

    def edit(document: Document, described: Cluster) -> Document:
        strangers = gone - described.hostset
        if strangers:
            raise UsageError(f"{strangers} is not in the cluster {name}", hint=f"its hosts are {described.hostset}")
        for service in described.services:
            having = described.members_of(service) & gone
            if having:
                raise UsageError(
                    f"{having} has {service}", hint=f"first: bramble scale {service} --drop {having} --cluster {name}"
                )
        if not described.hostset - gone:
            raise UsageError(
                f"no host would be left in the cluster {name}", hint=f"to forget it, remove its file {described.file}"
            )
        return roster.take_from(document, described, gone)

    return clusters.change(name, edit)
