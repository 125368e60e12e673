"""Services that follow others: up to date with them, on hosts that these join, and off hosts that they leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .. import inventory, services
from ..errors import PlanError
from ..model import Cluster, Deployment, HostSet, choose_manager
from ..plan import Plan
from ..runner.facts import Facts
from ..services import Service
from .needs import with_needs


@dataclass(frozen=True, kw_only=True)
class Follower:
    """A service that follows the one that is changed.

    Attributes
    ----------
    before, after
        All of its hosts.
    """

    room: Service
    before: Cluster
    after: Cluster

    def record(self) -> None:
        """Write down where it is from now on, if that is another place."""
        gone = self.before.hostset - self.after.hostset
        if not self.after.hosts:
            inventory.forget_service(self.before, self.room.name)
        elif self.before.hostset != self.after.hostset:
            options = inventory.options_of(self.before, self.room.name)
            inventory.save_service(self.after, self.room.name, options, dropped=gone)

    def note(self, service: str) -> str:
        """What is told of it."""
        ways = (("to", self.after.hostset - self.before.hostset), ("off", self.before.hostset - self.after.hostset))
        moves = " and ".join(f"{way} {hosts}" for way, hosts in ways if hosts)
        return f"{self.room.name} follow {service}: " + (f"they go {moves}" if moves else "they are brought up to date")


def followers(
    everyone: Cluster, service: str, joining: HostSet | None = None, leaving: HostSet | None = None
) -> tuple[Follower, ...]:
    """What follows a service, and where it is when that is through.

    What is on all hosts of the service comes to those that join, too. It leaves with the service, but for hosts that
    have another service that it follows.

    Parameters
    ----------
    everyone
        All hosts of the run, with what the cluster file says of them.
    joining, leaving
        Hosts that the service comes to or leaves.
    """
    joining, leaving = joining or HostSet(), leaving or HostSet()
    found = []
    for room in map(services.get, everyone.services):
        if service not in room.follows:
            continue
        whole = inventory.load(everyone.name)
        before = inventory.of_service(whole, room.name, given=False)
        led = whole.members_of(service) if service in whole.services else HostSet()
        coming = HostSet() if not led or led - before.hostset else joining - before.hostset
        others = [one for one in room.follows if one != service and one in whole.services]
        going = leaving - {name for one in others for name in whole.members_of(one)}
        after = before.with_hosts(map(everyone.host, coming)).without(going)
        if after.hosts and before.manager in going:
            after = replace(after, manager=choose_manager(after.hostset.names)[0])
        found.append(Follower(room=room, before=before, after=after))
    return tuple(found)


def plans(
    room: Service,
    cluster: Cluster,
    config: Any,
    facts: Mapping[str, Facts],
    everyone: Cluster,
    following: tuple[Follower, ...] = (),
) -> list[Plan]:
    """The plans of a service, of what it needs, and of what follows it with what that needs; in this order.

    Parameters
    ----------
    room
        The service, perhaps with another plan than its usual one.
    cluster
        The service's hosts from now on.
    everyone
        All hosts of the run.

    Raises
    ------
    PlanError
        The manager cannot be reached and nothing is known of it yet, or a plan cannot be made.
    """
    unknown = [host.name for host in everyone.hosts if host.name not in facts]
    if cluster.manager in unknown:
        raise PlanError(
            f"the manager {cluster.manager} cannot be reached, and nothing is known of it yet",
            hint=f"bramble hosts check --hosts {cluster.manager}",
        )
    now = {**cluster.services, room.name: Deployment(hosts=cluster.hostset)}
    wanted = {room.name: cluster.without(unknown)}
    for one in following:
        here = one.after.only(everyone.hostset).without(unknown)
        wanted[one.room.name] = replace(here, services=now)
    made: dict[str, Plan] = {}
    for name, its in wanted.items():
        for part in with_needs(name):
            own = room if part.name == room.name else part
            options = config if own is room else services.configure(part, inventory.options_of(cluster, part.name))
            # What several need is on the hosts of all of them.
            needing = [other for other in wanted if part in with_needs(other)]
            shared = its.with_hosts(host for other in needing for host in wanted[other].hosts)
            made.setdefault(part.name, own.plan(wanted.get(part.name, shared), options, facts))
    return list(made.values())


def plans_without(
    service: str, cluster: Cluster, facts: Mapping[str, Facts], following: tuple[Follower, ...]
) -> list[Plan]:
    """The plans of what follows a service that is about to leave these hosts; without what they need.

    Only what is known of the hosts counts: what they no longer want is found even where nothing can be brought.
    """
    left = cluster.services[service].hosts if service in cluster.services else None
    rest = {name: one for name, one in cluster.services.items() if name != service}
    if left is not None and left - cluster.hostset:
        rest[service] = replace(cluster.services[service], hosts=left - cluster.hostset)
    made = []
    for one in following:
        here = one.after.only(cluster.hostset).only(facts)
        config = services.configure(one.room, inventory.options_of(cluster, one.room.name))
        made.append(one.room.plan(replace(here, services=rest), config, facts))
    return made
