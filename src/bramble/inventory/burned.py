"""Hosts whose cards are burned, as the cluster file tells of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..model import Cluster, Entry, HostSet
from . import clusters, roster
from .document import Document
from .edit import put
from .resolve import resolve, with_hosts


def to_be_burned(hosts: str, cluster: str, user: str) -> Cluster:
    """The hosts that cards are wanted for, as `resolve` finds them; with both named, also those that are new.

    Parameters
    ----------
    hosts
        A host expression.
    cluster
        A cluster file that is to know them, or the name of a new one.
    user
        Whom their cards let in, instead of whom the file names.

    Raises
    ------
    UsageError
        None or several clusters are meant, or a name or expression has a mistake in it.
    """
    if not (hosts and cluster):
        return resolve(hosts=hosts, cluster=cluster, user=user)
    if cluster in clusters.names():
        known = clusters.load(cluster)
        entries = known.parse(hosts)
        found = with_hosts(known, entries).only(Entry.parse(entry).name for entry in entries)
    else:
        clusters.check_name(cluster)
        found = replace(clusters.of_entries(HostSet.parse(hosts)), name=cluster)
    return replace(found, hosts=tuple(replace(host, user=user) for host in found.hosts)) if user else found


def record_burned(cluster: Cluster, options: Mapping[str, Any]) -> Cluster:
    """Record the way to these hosts, and how their cards were burned; makes the cluster file if there is none.

    Parameters
    ----------
    cluster
        The hosts that were burned, with the address and user that their cards give them.
    options
        Keys of ``cards`` in the file; those not named stay as they are.

    Raises
    ------
    UsageError
        There is another cluster of this name.
    ClusterFileError
        The file cannot be read or edited.
    """
    if not cluster.file and cluster.name not in clusters.names():
        clusters.create(cluster)

    def edit(document: Document, described: Cluster) -> Document:
        document = roster.add_to(document, described, cluster.hosts)
        document = roster.with_ways(document, cluster)
        for name, value in options.items():
            if name not in described.cards or described.cards[name] != value:
                document = put(document, ("cards", name), list(value) if isinstance(value, tuple) else value)
        return document

    return clusters.change(cluster.name, edit)
