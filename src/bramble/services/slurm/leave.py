"""Before hosts leave, their jobs come to an end."""

from __future__ import annotations

from collections.abc import Mapping

from ...model import Cluster
from ...plan import Plan
from ...runner.facts import Facts
from .config import Config


def leave(cluster: Cluster, config: Config, facts: Mapping[str, Facts], leaving: tuple[str, ...]) -> Plan:
    """Drain the hosts that leave: they get no new jobs, and those that run there are waited for."""
    return Plan(service="slurm")
