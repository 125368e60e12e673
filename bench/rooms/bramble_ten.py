"""Ten steps, the same as in ``bench/pyinfra_ten.py``."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from bramble.model import Cluster
from bramble.plan import Plan, group
from bramble.runner.facts import Facts
from bramble.runner.steps import Directory, File, Line, Link, Package, Probe, Unit, User
from bramble.services import Service


class Config(BaseModel, frozen=True):
    """No options."""


def plan(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """The ten steps."""
    return Plan(
        service="ten",
        groups=(
            group(
                "Ten steps",
                cluster.hostset,
                Package(names=("sudo",)),
                User(name="ten", system=True),
                Directory(path="/etc/ten"),
                Directory(path="/var/lib/ten", owner="ten", group="ten", mode=0o750),
                File(path="/etc/ten/a.conf", content="a = 1\n"),
                File(path="/etc/ten/b.conf", content="b = 2\n", mode=0o640),
                File(path="/etc/ten/c.conf", content="c = 3\n" * 100),
                Link(path="/etc/ten/link", target="/etc/ten/a.conf"),
                Line(path="/etc/hosts", line="10.1.1.99 ten"),
                Unit(name="ssh.service", enabled=True, running=None),
            ),
        ),
    )


def verify(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """One probe; the comparison is made without it."""
    return Plan(
        service="ten",
        groups=(group("Probe", cluster.hostset, Probe(name="file", argv=("test", "-f", "/etc/ten/a.conf"))),),
    )


SERVICE = Service(name="ten", summary="Ten steps", config=Config, plan=plan, verify=verify)
