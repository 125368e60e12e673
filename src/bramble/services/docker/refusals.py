"""Hosts that cannot have Docker, refused before anything is changed; and what one should know of the others."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from ...errors import PlanError
from ...model import Cluster
from ...runner.facts import Facts
from .. import kernel
from .config import Config

#: Docker's own packages, which bar the distribution's: with them comes another containerd, too.
FOREIGN = ("docker-ce", "containerd.io")


def check(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> tuple[str, ...]:
    """Refuse what cannot work; what works, but differently than one may think, comes back as notes.

    Raises
    ------
    PlanError
    """
    hosts = list(cluster.hostset)
    foreign = {host: name for host in hosts for name in FOREIGN if facts[host].packages.get(name)}
    if foreign:
        raise PlanError(
            f"{_named(foreign)}: Docker is there already, from docker.com and not from the distribution",
            hint="leave it as it is and use it without bramble, or make room (images and volumes stay): "
            "sudo apt-get remove docker-ce docker-ce-cli containerd.io",
        )
    if config.address_pool is not None:
        pool = ipaddress.IPv4Network(config.address_pool)
        inside = {host: facts[host].address for host in hosts if _within(facts[host].address, pool)}
        if inside:
            raise PlanError(
                f"{_named(inside)}: address_pool {pool} holds the hosts' own addresses",
                hint="choose another: --set address_pool=10.201.0.0/16",
            )
    notes = []
    if config.users:
        users = ", ".join(config.users)
        notes.append(f"{users}: as members of the group docker they are root on each host without a password")
    unlimited = [host for host in hosts if not kernel.can_limit_memory(facts[host])]
    if unlimited:
        notes.append(
            f"{', '.join(unlimited)}: the kernel does not limit the memory of containers, and there is no "
            "cmdline.txt in which bramble could change that"
        )
    return tuple(notes)


def _named(hosts: Mapping[str, str]) -> str:
    return ", ".join(f"{host} ({why})" for host, why in hosts.items())


def _within(address: str, network: ipaddress.IPv4Network) -> bool:
    try:
        return ipaddress.IPv4Address(address) in network
    except ValueError:
        return False
