"""Which hosts run the control plane, and how all hosts find it.

With more than one, each host reaches them through a HAProxy of its own: no address is shared, and none must be free.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from string import Template

from ...model import Cluster
from ...runner.facts import Facts
from ...runner.step import Step
from ...runner.steps import Command, File, Package, Unit, Wait
from .config import Config

#: Where HAProxy listens; only this host itself reaches it.
PORT = 7443

UNIT = "bramble-kubernetes-api"


def planes(cluster: Cluster, config: Config) -> tuple[str, ...]:
    """The hosts of the control plane: the manager first."""
    return (cluster.manager, *cluster.workers)[: config.control_plane]


def several(config: Config) -> bool:
    """Whether there is more than one."""
    return config.control_plane > 1


def endpoint(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> tuple[str, int]:
    """Address and port under which each host finds the API server."""
    return ("127.0.0.1", PORT) if several(config) else (facts[cluster.manager].address, 6443)


def bracketed(address: str) -> str:
    """An address as it stands before a port."""
    return f"[{address}]" if ":" in address else address


def balancer(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> tuple[Step, ...]:
    """HAProxy on one host, under a unit of its own; what a person configured for the distribution's stays untouched."""
    home = "/etc/kubernetes/bramble"
    folder = files(__package__) / "files"
    servers = "".join(
        f"    server {host} {bracketed(facts[host].address)}:6443 check\n" for host in planes(cluster, config)
    )
    conf, unit = f"{home}/haproxy.cfg", f"/etc/systemd/system/{UNIT}.service"
    text = Template((folder / "haproxy.cfg").read_text(encoding="utf-8")).substitute(port=PORT, servers=servers)
    service = Template((folder / "haproxy.service").read_text(encoding="utf-8")).substitute(conf=conf)
    return (
        Package(names=("haproxy",), start=False),
        Command(
            name="the distribution's own HAProxy does not start at boot",
            argv=("systemctl", "disable", "--quiet", "haproxy"),
            # One that runs is somebody's.
            unless=("sh", "-c", "systemctl is-active --quiet haproxy || ! systemctl is-enabled --quiet haproxy"),
            undo_argv=("systemctl", "enable", "--quiet", "haproxy"),
        ),
        File(path=conf, content=text),
        File(path=unit, content=service),
        Unit(name=UNIT, restart_on=(conf, unit)),
        Wait(port=PORT, unit=UNIT),
    )
