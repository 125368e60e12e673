"""What is known of a cluster's hosts, without asking them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .. import inventory
from ..engine.history import History
from ..runner.facts import Facts


@dataclass(frozen=True, kw_only=True)
class HostInfo:
    """One host of a cluster.

    Attributes
    ----------
    name, address, user, port
        As the cluster file has them; empty and 0 where it leaves them to the OpenSSH configuration.
    services
        What is deployed there, by the cluster file.
    labels
        What services want to know of it.
    facts
        What it was when it last answered a run; None where it never did.
    """

    name: str
    address: str = ""
    user: str = ""
    port: int = 0
    services: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    facts: Facts | None = None


@dataclass(frozen=True, kw_only=True)
class ClusterDetail:
    """A cluster with all its hosts.

    Attributes
    ----------
    manager, manager_rule
        The host that manages the others, and the rule that chose it.
    groups
        Name → hosts, folded, for ``@name`` in host expressions.
    services
        What is deployed → its hosts, folded.
    hosts
        In the order of the cluster file.
    """

    name: str
    manager: str
    manager_rule: str
    groups: Mapping[str, str]
    services: Mapping[str, str]
    hosts: tuple[HostInfo, ...]


def hosts_show(cluster: str = "") -> ClusterDetail:
    """A cluster as its file and the last runs know it. No host is contacted.

    Parameters
    ----------
    cluster
        Its name; left out, the only cluster there is.

    Raises
    ------
    NotThere
        There is no such cluster.
    UsageError
        None, or more than one, is meant.
    """
    whole = inventory.resolve(cluster=cluster)
    known = History(inventory.folders.history()).facts(whole.name)
    members = {name: whole.members_of(name) for name in whole.services}
    return ClusterDetail(
        name=whole.name,
        manager=whole.manager,
        manager_rule=whole.manager_rule,
        groups={name: str(hosts) for name, hosts in whole.every_group.items()},
        services={name: str(hosts) for name, hosts in members.items()},
        hosts=tuple(
            HostInfo(
                name=host.name,
                address=host.address,
                user=host.user,
                port=host.port,
                services=tuple(name for name, hosts in members.items() if host.name in hosts),
                labels=host.labels,
                facts=known.get(host.name),
            )
            for host in whole.hosts
        ),
    )
