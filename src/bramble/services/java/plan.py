"""What is to be done on each host so that Java programs run there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.step import Step
from ...runner.steps import Directory, Link, Package
from .. import JAVA, LIBRARY
from .config import Config
from .releases import version_of


def plan(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """Hosts have nothing to do with each other here.

    Raises
    ------
    PlanError
        A host's release has no Java that is new enough.
    """

    def java(host: str) -> Iterator[Step]:
        version = version_of(host, facts[host])
        yield Package(names=(f"openjdk-{version}-jre-headless",))
        yield Link(path=JAVA, target=f"/usr/lib/jvm/java-{version}-openjdk-{facts[host].architecture}")

    return Plan(service="java", groups=(group("Java", cluster.hostset, Directory(path=LIBRARY), java),))
