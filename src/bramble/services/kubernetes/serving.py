"""What each kubelet is believed by, when the API server and the metrics server ask it something."""

from __future__ import annotations

from collections.abc import Mapping

from ...model import Cluster
from ...runner.facts import Facts
from ...runner.secret import Secret
from ...runner.steps import File
from .configuration import HOME, node_name


def files(cluster: Cluster, facts: Mapping[str, Facts], host: str) -> tuple[File, ...]:
    """Certificate and key of a host's kubelet, signed by the cluster's own authority.

    By itself a kubelet would make one that nobody can verify. The kubelet notices by itself that they changed.
    """
    # The address is how it is asked; more names do no harm.
    names = tuple(dict.fromkeys((node_name(host), host, facts[host].address)))
    return (
        File(
            path=f"{HOME}/kubelet.crt",
            content=Secret(f"kubernetes/kubelet-{host}.crt", form="tls-certificate", names=names),
        ),
        File(path=f"{HOME}/kubelet.key", content=Secret(f"kubernetes/kubelet-{host}.key", form="tls-key"), mode=0o600),
    )
