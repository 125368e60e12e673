"""What a lab is doing, asked of the kernel and not of any record."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from bramble.lab import clusterfile, identity, network, power
from bramble.lab.state import HostSpec, LabSpec

Power = Literal["on", "paused", "off", "broken"]


@dataclass(frozen=True, kw_only=True)
class HostStatus:
    """One host. ``broken``: it runs, but what watches over it was killed; ``start`` or ``up`` mends it.

    ``connected`` is None for a host that is off.
    """

    name: str
    address: str
    release: str
    power: Power
    connected: bool | None


@dataclass(frozen=True, kw_only=True)
class LabStatus:
    """One lab: its hosts, and the files by which others reach them."""

    name: str
    subnet: str
    cluster: str
    cluster_file: str
    key: str
    known_hosts: str
    hosts: tuple[HostStatus, ...]

    def host(self, name: str) -> HostStatus:
        """The host of that name; ``KeyError`` when there is none."""
        return {host.name: host for host in self.hosts}[name]

    def to_json(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return asdict(self)


def of(lab: LabSpec) -> LabStatus:
    """The present status of a lab."""
    hosts = []
    for host in lab.hosts:
        state = power_of(lab, host)
        hosts.append(
            HostStatus(
                name=host.name,
                address=str(lab.address(host)),
                release=host.release,
                power=state,
                connected=None if state == "off" else network.connected(lab, host),
            )
        )
    return LabStatus(
        name=lab.name,
        subnet=lab.subnet,
        cluster=clusterfile.cluster_name(lab),
        cluster_file=str(clusterfile.cluster_file(lab)),
        key=str(identity.client_key(lab)),
        known_hosts=str(identity.known_hosts(lab)),
        hosts=tuple(hosts),
    )


def power_of(lab: LabSpec, host: HostSpec) -> Power:
    """Whether a host is on."""
    groups = power.host_groups(lab, host)
    if not groups.pids():
        return "off"
    if not power.supervised(lab, host):
        return "broken"
    return "paused" if groups.frozen() else "on"
