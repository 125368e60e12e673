"""A cluster: hosts, the one of them that manages, and what is deployed on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import PlanError, UsageError
from .host import Host
from .hostset import HostSet

#: Groups that every cluster has.
GROUPS = ("all", "manager", "workers")


def choose_manager(names: Sequence[str], asked: str = "", in_file: str = "") -> tuple[str, str]:
    """The host that manages the others, and the rule that chose it.

    What was asked for wins, then the cluster file, then the one name without a digit, then the first.

    Parameters
    ----------
    names
        Of all hosts; at least one.
    asked, in_file
        What ``--manager`` and the cluster file say; empty where they say nothing.

    Returns
    -------
    tuple
        Its name, and one short sentence for the output.

    Raises
    ------
    UsageError
        There are no hosts, or the wanted one is not among them.
    """
    if not names:
        raise UsageError("a cluster needs at least one host")
    for wanted, rule in ((asked, "--manager"), (in_file, "the cluster file says so")):
        if wanted and wanted not in names:
            several = [part.strip() for part in wanted.split(",")]
            if len(several) > 1:
                raise UsageError(
                    f"{len(several)} managers are named, {wanted}, and a cluster has one",
                    hint=f"name one of them: --manager {several[0]}",
                )
            raise UsageError(
                f"the manager {wanted} is not one of the hosts", hint=f"the hosts are {HostSet(names)}: add {wanted}"
            )
        if wanted:
            return wanted, rule
    # An address has only digits and never names a role.
    plain = [name for name in names if not any(c.isdigit() for c in name) and ":" not in name]
    if len(plain) == 1:
        return plain[0], "the only name without a digit"
    return names[0], "the first host" if len(names) > 1 else "the only host"


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What a cluster file records of a service.

    Attributes
    ----------
    options
        As given; the service fills in the rest.
    hosts
        The hosts it is on; None for all of the cluster, also those that come later.
    manager
        The host that manages it; empty where the usual rules choose it.
    upgrading
        The version that an upgrade is on its way to; empty where none was begun and not finished.
    """

    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    hosts: HostSet | None = None
    manager: str = ""
    upgrading: str = ""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Hosts that belong together.

    Attributes
    ----------
    name
        As in ``--cluster NAME``.
    hosts
        In the order of the file or the expression; their names are unique.
    manager
        Name of the host that manages the others. A cluster narrowed to other hosts still names it.
    manager_rule
        The rule that chose it, one short sentence.
    groups
        Name → hosts, for ``@name`` in host expressions.
    services
        What is deployed, by the service's name.
    cards
        How its cards were burned last, by the keys of `bramble cards burn`; what was never asked for is not there.
    file
        The cluster file; empty where there is none.

    Raises
    ------
    ValueError
        Two hosts of one name: a mistake of the caller.
    """

    name: str
    hosts: tuple[Host, ...]
    manager: str
    manager_rule: str = ""
    groups: Mapping[str, HostSet] = field(default_factory=dict, hash=False)
    services: Mapping[str, Deployment] = field(default_factory=dict, hash=False)
    cards: Mapping[str, Any] = field(default_factory=dict, hash=False)
    file: str = ""

    def __post_init__(self) -> None:
        names = [host.name for host in self.hosts]
        if len(set(names)) != len(names):
            raise ValueError(f"two hosts of one name in {names}")

    @property
    def hostset(self) -> HostSet:
        """The names of all hosts."""
        return HostSet(host.name for host in self.hosts)

    @property
    def workers(self) -> HostSet:
        """The names of all hosts but the manager."""
        return self.hostset - {self.manager}

    def host(self, name: str) -> Host:
        """The host of this name; KeyError where there is none."""
        for host in self.hosts:
            if host.name == name:
                return host
        raise KeyError(name)

    def require_manager(self) -> None:
        """Refuse a cluster that was narrowed to hosts without its manager.

        Raises
        ------
        PlanError
            The manager is not among the hosts.
        """
        if self.manager not in self.hostset:
            raise PlanError(
                f"{self.manager} manages the cluster {self.name}, and is not among the hosts",
                hint=f"take it in, or make another host the manager: --manager {self.hosts[0].name}",
            )

    @property
    def every_group(self) -> dict[str, HostSet]:
        """Name → hosts, of its own groups and of ``all``, ``manager`` and ``workers``, which every cluster has."""
        own = dict(zip(GROUPS, (self.hostset, HostSet([self.manager]), self.workers), strict=True))
        return {**self.groups, **own}

    def parse(self, expression: str) -> HostSet:
        """The hosts of an expression that may name this cluster's groups (see `every_group`).

        Raises
        ------
        HostExpressionError
            A mistake in it.
        """
        return HostSet.parse(expression, self.every_group)

    def members_of(self, service: str) -> HostSet:
        """The hosts that a service is on, of those that are here; all where nothing else is recorded."""
        recorded = self.services[service].hosts if service in self.services else None
        return self.hostset if recorded is None else self.hostset & recorded

    def with_hosts(self, hosts: Iterable[Host]) -> Cluster:
        """The same cluster and further hosts at its end; one that it has already is replaced in its place."""
        known = {host.name: host for host in self.hosts}
        return replace(self, hosts=tuple({**known, **{host.name: host for host in hosts}}.values()))

    def only(self, names: Iterable[str]) -> Cluster:
        """The same cluster narrowed to some of its hosts, in its own order.

        The manager stays who it is, even where it is not among them: another host does not take over because this one
        does not answer for a moment.
        """
        wanted = set(names)
        return replace(self, hosts=tuple(host for host in self.hosts if host.name in wanted))

    def without(self, names: Iterable[str]) -> Cluster:
        """The same cluster without some of its hosts; the manager stays who it is, as in `only`."""
        gone = set(names)
        return replace(self, hosts=tuple(host for host in self.hosts if host.name not in gone))
