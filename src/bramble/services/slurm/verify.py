"""Does Slurm do its work, on every host that it should?"""

from __future__ import annotations

from collections.abc import Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.steps import Probe
from . import nodes
from .config import Config

#: Jobs run as the one plain user that every host has, under the same number: what it may do, others may.
USER = "nobody"


def verify(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """Real jobs whose answers are known beforehand."""
    slurm = nodes.describe(cluster, config, facts)
    return Plan(
        service="slurm",
        groups=(
            group("Keys", slurm.hosts, Probe(name="munge", argv=("sh", "-c", "munge -n | unmunge"), log_units=("munge",))),
            group("Jobs", [cluster.manager], _on_all_nodes(slurm)),
        ),
    )


def _on_all_nodes(slurm: nodes.Nodes) -> Probe:
    count = len(slurm.working)
    return Probe(
        name="one job on all nodes",
        argv=("srun", "--chdir=/", "--mem=16", f"--nodes={count}", f"--ntasks={count}", "--ntasks-per-node=1", "uname", "-n"),
        expect_lines=tuple(node.facts.hostname for node in slurm.working),
        blame={node.facts.hostname: f"{node.host} ran nothing" for node in slurm.working},
        user=USER,
        timeout=60,
        log_units=("slurmctld",),
        hint="sinfo --Node --long; sinfo --list-reasons",
    )
