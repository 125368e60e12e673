"""Whether Java runs on each host, and is new enough."""

from __future__ import annotations

from collections.abc import Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.steps import Probe
from .. import JAVA
from .config import Config

#: ``openjdk 17.0.13 2024-10-15``: 17 or later.
_NEW_ENOUGH = r"^openjdk (1[7-9]|[2-9]\d)\b"


def verify(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """Start Java by the path that services use."""
    probe = Probe(
        name="Java runs, 17 or later",
        argv=(f"{JAVA}/bin/java", "--version"),
        expect_match=_NEW_ENOUGH,
        user="nobody",
        hint="bramble deploy java; then look: java --version",
    )
    return Plan(service="java", groups=(group("Java", cluster.hostset, probe),))
