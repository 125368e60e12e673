"""The hosts in a cluster file's text: put in and taken out, with all that the file says of them."""

from __future__ import annotations

from typing import Any

from ..model import Cluster, Entry, Host, HostSet
from .build import build
from .document import Document
from .edit import drop, put


def add_to(document: Document, cluster: Cluster, hosts: tuple[Host, ...], moving: str = "") -> Document:
    """The file with these hosts at the end of its own; those that it has already stay as they are.

    What is deployed stays where it is, and under the manager it has; the service ``moving`` is the caller's business.
    """
    new = [host for host in hosts if host.name not in cluster.hostset]
    if not new:
        return document
    document = _with_hosts(document, HostSet(host.name for host in new))
    for service, deployment in cluster.services.items():
        if deployment.hosts is None and service != moving:
            document = put(document, ("services", service, "hosts"), str(cluster.hostset))
    document = with_ways(document, cluster.with_hosts(new))
    if cluster.services and build(document, cluster.name).manager != cluster.manager:
        # By the usual rules the new host would take over what another one manages.
        document = put(document, ("manager",), cluster.manager)
    return document


def take_from(document: Document, cluster: Cluster, hosts: HostSet) -> Document:
    """The file without these hosts: in the list of hosts, addresses, labels and groups."""
    if document.data.get("manager") in hosts:
        document = drop(document, ("manager",), prune=True)
    emptied = [group for group, members in cluster.groups.items() if not members - hosts]
    for group in cluster.groups:
        members = build(document, cluster.name).groups[group]  # a group of groups shrinks with them
        if members & hosts and group not in emptied:
            document = put(document, ("groups", group), str(members - hosts))
    for group in reversed(emptied):
        document = drop(document, ("groups", group), prune=True)
    for key, anew in (("labels", _labels), ("addresses", _addresses)):
        for expression, value in (document.data.get(key) or {}).items():
            there = cluster.parse(expression)
            if there & hosts:
                for left, same in anew(there, there - hosts, value).items():
                    document = put(document, (key, left), same)
                document = drop(document, (key, expression), prune=True)
    return _without_hosts(document, hosts)


def _labels(_: HostSet, left: HostSet, labels: dict[str, Any]) -> dict[str, Any]:
    return {str(left): labels} if left else {}


def _addresses(hosts: HostSet, left: HostSet, addresses: str) -> dict[str, Any]:
    return {host: address for host, address in zip(hosts, HostSet.parse(addresses), strict=True) if host in left}


def _with_hosts(document: Document, new: HostSet) -> Document:
    value = document.data["hosts"]
    if isinstance(value, list):
        return put(document, ("hosts", len(value)), str(new))
    before = _if_folded(value)
    return put(document, ("hosts",), f"{value},{new}" if before is None else str(before | new))


def _without_hosts(document: Document, gone: HostSet) -> Document:
    value = document.data["hosts"]
    texts = value if isinstance(value, list) else [value]
    for index in reversed(range(len(texts))):
        path = ("hosts", index) if isinstance(value, list) else ("hosts",)
        entries = HostSet.parse(texts[index])
        mine = HostSet(entry for entry in entries if Entry.parse(entry).name in gone)
        if mine == entries:
            document = drop(document, path)
        elif mine:
            folded = _if_folded(texts[index]) is not None
            document = put(document, path, str(entries - mine) if folded else f"{texts[index]}!{mine}")
    return document


def _if_folded(expression: str) -> HostSet | None:
    """The hosts of an expression that is written as bramble writes it; None for a person's own way of writing."""
    hosts = HostSet.parse(expression)
    return hosts if str(hosts) == expression else None


def with_ways(document: Document, cluster: Cluster) -> Document:
    """The file with an address, user or port of its own for each host of ``cluster`` that the file gives another."""
    described = build(document, cluster.name)
    for host in cluster.hosts:
        there = described.host(host.name)
        user = host.user if host.user != there.user else ""
        port = host.port if host.port != there.port else 0
        if user or port or host.address != there.address:
            entry = Entry(name=host.address or host.name, user=user, port=port)
            document = put(document, ("addresses", host.name), str(entry))
    return document
