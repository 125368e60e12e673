"""What is proven of the additions, where they are wanted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from ...runner.steps import Probe
from . import programs
from .config import Config
from .scripts import script


def probes(nodes: Mapping[str, str], config: Config) -> Iterator[Probe]:
    """Probes for the manager; ``nodes`` are the nodes' names and those of their hosts."""
    if config.storage:
        lines = {f"volume {node}": f"a volume on {host} does not outlive its pod" for node, host in nodes.items()}
        yield Probe(
            name="volumes outlive their pods",
            argv=script("volumes.py"),
            input=json.dumps({"nodes": list(nodes), "image": programs.image_name("prove", config.version)}),
            expect_lines=tuple(lines),
            blame=lines,
            hint="kubectl --namespace local-path-storage logs deployment/local-path-provisioner",
            timeout=600,
        )
    if config.metrics:
        lines = {f"figures {node}": f"nobody knows what {host} uses" for node, host in nodes.items()}
        yield Probe(
            name="what nodes use",
            argv=script("figures.py"),
            input=json.dumps({"nodes": list(nodes)}),
            expect_lines=tuple(lines),
            blame=lines,
            hint="kubectl --namespace kube-system logs deployment/metrics-server",
            timeout=90,
        )
