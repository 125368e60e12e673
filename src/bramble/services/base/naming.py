"""What hosts are called, and by whom."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ...errors import PlanError
from ...model import Cluster, reachable, spelling
from ...runner.facts import Facts
from ...runner.step import Step
from ...runner.steps import File, Hostname, Line
from .config import Config

HOSTS = "/etc/hosts"

#: Where cloud-init looks for what it shall leave alone; it would rename the host at its next start.
CLOUD = "/etc/cloud/cloud.cfg.d"


def naming(cluster: Cluster, config: Config, facts: Mapping[str, Facts], host: str) -> Iterator[Step]:
    """A host's own name, and the names of all."""
    if config.hostname:
        if CLOUD in facts[host].paths:
            yield File(path=f"{CLOUD}/99-bramble.cfg", content="preserve_hostname: true\n")
        yield Hostname(name=own_name(host))
    if config.names:
        yield from _everybody(cluster, config, facts, host)
    elif config.hostname:
        yield Line(path=HOSTS, line=f"127.0.1.1\t{own_name(host)}", match=r"^127\.0\.1\.1\s")


def _everybody(cluster: Cluster, config: Config, facts: Mapping[str, Facts], host: str) -> Iterator[Step]:
    """A line for each host; 127.0.1.1 goes: daemons that tell others their address must not tell them that one."""
    own = rf"^\s*127\.(?!.*\slocalhost(\s|$))\S+\s(.*\s)?{re.escape(own_name(host))}(\s|$)"
    yield Line(path=HOSTS, line=f"127.0.1.1\t{own_name(host)}", match=own, absent=True)
    for other in cluster.hosts:
        fixed = config.address.get(other.name, "").partition("/")[0]
        address = fixed or reachable(other.address, facts[other.name].address)
        if not address:
            raise PlanError(
                "it has no address that could stand in /etc/hosts",
                host=other.name,
                hint="look there: ip address; or leave names out",
            )
        yield Line(path=HOSTS, line=f"{address}\t{own_name(other.name)}")


def own_name(host: str) -> str:
    """The name without a domain of how the cluster calls a host."""
    return host.partition(".")[0]


def check(cluster: Cluster, config: Config) -> None:
    """Refuse names that no host can have.

    Raises
    ------
    PlanError
    """
    if not config.hostname and not config.names:
        return
    seen: dict[str, str] = {}
    for host in cluster.hostset:
        name = own_name(host)
        try:
            spelling.hostname(name)
        except spelling.Misspelt:
            raise PlanError(
                f"the cluster calls it {host!r}, which is no name that a host can have",
                host=host,
                hint="give it a name in the cluster file, with its address below addresses:",
            ) from None
        if seen.setdefault(name.lower(), host) != host:
            raise PlanError(f"{seen[name.lower()]} and {host} would both be called {name}")
