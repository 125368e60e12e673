"""Whether Docker runs containers on each host: real ones, from an image that is made there."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.step import Step
from ...runner.steps import Probe
from . import configuration
from .config import Config

LOGS = ("docker",)
HINT = "systemctl status docker; sudo docker info; journalctl -u docker"

#: Each line that the proof prints, and what to say where it does not come.
BLAME = {
    "image loaded": "an image made on the host could not be loaded",
    "answer 42": "a container did not count",
    "process 1": "a container sees other processes than its own",
    "disk own": "a container has no disk of its own",
    "name reached": "a container does not reach another by its name",
    "port answers": "a published port of a container does not answer",
    "memory limited": "a container takes more memory than it may",
}


def verify(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """Containers on each host; their memory only where its kernel can limit that (`refusals` tells where not)."""
    # Asked first: its socket would start it for whoever wants to know whether it runs.
    daemon = Probe(
        name="Docker runs",
        argv=("systemctl", "is-active", "docker"),
        expect_status=None,
        expect_lines=("active",),
        blame={"active": "docker.service is not active"},
        log_units=LOGS,
        hint=HINT,
    )

    def probe(host: str) -> Step:
        limits = "memory" in facts[host].controllers
        return Probe(
            name="containers run",
            argv=("python3", "-IS", "-c", configuration.text("proof.py")),
            input=json.dumps({"address": facts[host].address or "127.0.0.1", "limits": limits}),
            expect_lines=tuple(line for line in BLAME if limits or line != "memory limited"),
            blame=BLAME,
            log_units=LOGS,
            hint=HINT,
            timeout=180,
        )

    return Plan(service="docker", groups=(group("Containers", cluster.hostset, daemon, probe),))
