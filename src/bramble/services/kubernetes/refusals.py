"""Hosts that cannot have Kubernetes, or not together: told by name before anything is changed."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from ...errors import PlanError
from ...model import Cluster
from ...runner.facts import Facts
from . import configuration, planes
from .config import Config

#: Bytes that kubeadm insists on for a control plane (1700 MB), and what a worker needs beside its pods [measured].
CONTROL_PLANE, WORKER = 1700 * 10**6, 700 * 10**6

#: Bytes that programs, images and their unpacked copies take [measured on a manager, rounded up].
DISK = 3 * 10**9

#: Seconds by which a clock may be wrong before certificates are not believed.
SKEW = 300.0


def check(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> tuple[str, ...]:
    """Refuse what cannot work; what works, but differently than one may think, comes back as notes.

    Raises
    ------
    PlanError
    """
    hosts = list(cluster.hostset)
    _refuse(
        "Kubernetes is not made for this processor",
        {host: facts[host].architecture for host in hosts if facts[host].architecture not in ("arm64", "amd64")},
        "burn the 64-bit system: every Pi from the Pi 3 and Zero 2 on can run it",
    )
    _refuse(
        "the kernel does not limit memory, and Kubernetes needs that",
        {host: "" for host in hosts if "memory" not in facts[host].controllers},
        "add cgroup_enable=memory to the line in /boot/firmware/cmdline.txt and restart",
    )
    control = planes.planes(cluster, config)
    if len(control) < config.control_plane:
        raise PlanError(
            f"a control plane of {config.control_plane} needs as many hosts, and there are {len(hosts)}",
            hint="--set control_plane=1",
        )
    least = {host: CONTROL_PLANE if host in control else WORKER for host in hosts}
    _refuse(
        "too little memory for Kubernetes",
        {
            host: f"{facts[host].memory / 1e6:.0f} of {least[host] / 1e6:.0f} MB"
            for host in hosts
            if facts[host].memory < least[host]
        },
        f"choose another manager: --manager {hosts[-1]}" if len(hosts) > 1 else "",
    )
    _refuse(
        "the clock is wrong, and certificates would not be believed",
        {host: f"{facts[host].skew:+.0f} s" for host in hosts if abs(facts[host].skew) > SKEW},
        "timedatectl status; sudo systemctl restart systemd-timesyncd",
    )
    _refuse(
        "it has no route to other hosts, so it has no address to be known by",
        {host: "" for host in hosts if not facts[host].address},
        "ip route",
    )
    names: dict[str, list[str]] = {}
    for host in hosts:
        names.setdefault(configuration.node_name(host), []).append(host)
    _refuse("they would be one node", {", ".join(same): name for name, same in names.items() if len(same) > 1}, "")
    for title, network in (("pod_network", config.pod_network), ("service_network", config.service_network)):
        inside = ipaddress.IPv4Network(network)
        _refuse(
            f"{title} {network} holds the hosts' own addresses",
            {host: facts[host].address for host in hosts if _within(facts[host].address, inside)},
            f"choose another: --set {title}=10.200.0.0/16",
        )
    swapping = [host for host in hosts if facts[host].swap]
    return (f"{', '.join(swapping)}: pods do not use the swap there",) if swapping else ()


def _refuse(what: str, hosts: Mapping[str, str], hint: str) -> None:
    if hosts:
        named = ", ".join(f"{host} ({why})" if why else host for host, why in hosts.items())
        raise PlanError(f"{named}: {what}", hint=hint)


def _within(address: str, network: ipaddress.IPv4Network) -> bool:
    try:
        return ipaddress.IPv4Address(address) in network
    except ValueError:
        return False
