"""What viewers may not say: they see clusters by the way that is written down, and send nobody anywhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import inventory
from ...model import Host
from ..problem import Refused
from .roles import Principal

#: Options that choose where a connection goes, as whom, and whose key is believed.
_OTHER_WAYS = {"user", "port", "jump", "accept_new", "sudo_password", "manager"}


def check(who: Principal, values: Mapping[str, Any]) -> None:
    """Refuse what a viewer may not say; others may.

    Raises
    ------
    Refused
        It is said all the same.
    HostExpressionError
        The hosts have a mistake in them.
    """
    if who.role != "viewer":
        return
    said = sorted(_OTHER_WAYS & values.keys())
    name = values.get("cluster") or ""
    if name not in inventory.names():
        raise Refused(404, f"there is no cluster {name!r}", hint="GET /api/v1/clusters")
    cluster = inventory.resolve(cluster=name)
    for host in map(Host.parse, cluster.parse(values.get("hosts") or "")):
        if host.user or host.port:
            said.append("hosts with a user or a port")
        elif host.name not in cluster.hostset:
            said.append("hosts that are not in the cluster")
    if said:
        raise Refused(403, f"this needs the role operator: {', '.join(dict.fromkeys(said))}; {who.name} is viewer")
