"""Whether containers run on each host: a real one, from an image that is made there."""

from __future__ import annotations

from collections.abc import Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.steps import Probe
from . import configuration
from .config import Config


def verify(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """One container on each host."""
    probe = Probe(
        name="a container runs",
        argv=("python3", "-IS", "-c", configuration.text("proof.py")),
        expect_lines=("answer 42", "process 1", "disk own"),
        log_units=("containerd",),
        hint="journalctl -u containerd; ctr version",
        timeout=120,
    )
    return Plan(service="containerd", groups=(group("Containers", cluster.hostset, probe),))
