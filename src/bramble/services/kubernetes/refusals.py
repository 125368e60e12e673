"""Hosts that cannot have Kubernetes, or not together: told by name before anything is changed."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

from ...errors import PlanError
from ...model import Cluster, HostSet
from ...runner.facts import Facts
from ...runner.step import FREE_SPACE
from .. import kernel
from . import configuration, foreign, planes
from .config import Config

#: Bytes that kubeadm insists on for a control plane (1700 MB), and what a worker needs beside its pods [measured].
CONTROL_PLANE, WORKER = 1700 * 10**6, 700 * 10**6

#: Bytes that programs, images and their unpacked copies take while they come: on the control plane, and on a worker
#: [measured, and rounded up].
DISK, WORKER_DISK = 3 * 10**9, 1.5 * 10**9

#: Seconds by which a clock may be wrong before certificates are not believed: Kubernetes dates its own five minutes
#: back, and two hosts may be wrong in opposite directions.
SKEW = 120.0

#: Networks for pods or services where those asked for are in use, and interfaces of Kubernetes' own.
_OTHERS = ("10.200.0.0/16", "172.28.0.0/16", "192.168.128.0/17", "10.32.0.0/16")
_OWN = ("cni0", "flannel.1")


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
        {host: "" for host in hosts if not kernel.can_limit_memory(facts[host])},
        "there is no cmdline.txt in which bramble could change that: mount | grep /boot; where it is no Raspberry Pi, "
        "start its kernel with cgroup_enable=memory",
    )
    control = planes.planes(cluster, config)
    if len(control) < config.control_plane:
        raise PlanError(
            f"a control plane of {config.control_plane} needs as many hosts, and there are {len(hosts)}",
            hint="--set control_plane=1",
        )
    foreign.check({host: facts[host] for host in hosts}, control, several=planes.several(config))
    least = {host: CONTROL_PLANE if host in control else WORKER for host in hosts}
    small = [host for host in hosts if facts[host].memory < least[host]]
    _refuse(
        "too little memory for Kubernetes",
        {host: f"{facts[host].memory / 1e6:.0f} of {least[host] / 1e6:.0f} MB" for host in small},
        _instead(cluster, facts, small),
    )
    room = {host: DISK if host in control else WORKER_DISK for host in hosts if not foreign.is_node(facts[host])}
    _refuse(
        "too little free disk for Kubernetes",
        {
            host: f"{facts[host].disk_free / 1e6:.0f} of {least / 1e6:.0f} MB"
            for host, least in room.items()
            if facts[host].disk_free < least
        },
        FREE_SPACE,
    )
    _refuse(
        "the clock is wrong by the controller's, and certificates would not be believed",
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
    for title, network, other in (
        ("pod_network", config.pod_network, config.service_network),
        ("service_network", config.service_network, config.pod_network),
    ):
        overlaps = {host: _overlap(facts[host], network) for host in hosts}
        _refuse(
            f"{title} {network} overlaps a network that the hosts themselves are in",
            {host: found for host, found in overlaps.items() if found},
            f"choose another: --set {title}={_free([facts[host] for host in hosts], other)}",
        )
    swapping = [host for host in hosts if facts[host].swap]
    return (f"{', '.join(swapping)}: pods do not use the swap there",) if swapping else ()


def _refuse(what: str, hosts: Mapping[str, str], hint: str) -> None:
    if hosts:
        named = ", ".join(f"{host} ({why})" if why else host for host, why in hosts.items())
        raise PlanError(f"{named}: {what}", hint=hint)


def _instead(cluster: Cluster, facts: Mapping[str, Facts], small: list[str]) -> str:
    """What to do about hosts with too little memory."""
    if cluster.manager in small:
        able = [host for host in cluster.hostset if facts[host].memory >= CONTROL_PLANE]
        return f"choose another manager: --manager {able[0]}" if able else "a Pi with 2 GB or more must be among them"
    return f"leave them out: --hosts {cluster.hostset - HostSet(small)}"


def _overlap(facts: Facts, network: str) -> str:
    """The address or network of a host's that lies in this one, or this one in it; empty where there is none."""
    wanted = ipaddress.IPv4Network(network)
    if ":" not in facts.address and ipaddress.IPv4Address(facts.address) in wanted:
        return facts.address
    if foreign.is_node(facts):
        return ""  # what is there now is told by its own pods, too
    others = ((other, name) for other, name in facts.networks.items() if name not in _OWN)
    return next((f"{other}, {name}" for other, name in others if wanted.overlaps(ipaddress.IPv4Network(other))), "")


def _free(hosts: Iterable[Facts], other: str) -> str:
    """A network that overlaps nothing that these hosts are in, nor this other one."""
    known = list(hosts)
    wanted = ipaddress.IPv4Network(other)
    free = (n for n in _OTHERS if not wanted.overlaps(ipaddress.IPv4Network(n)))
    return next((network for network in free if not any(_overlap(facts, network) for facts in known)), _OTHERS[0])
