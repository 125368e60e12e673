"""What viewers may not say: they see clusters by the way that is written down, and send nobody anywhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import inventory
from ..problem import Refused
from .roles import Principal

#: Options that choose where a connection goes, as whom, and whose key is believed.
_OTHER_WAYS = {"user", "port", "jump", "accept_new", "sudo_password", "manager"}


def check(who: Principal, values: Mapping[str, Any]) -> None:
    """Refuse what a viewer may not say; others may.

    That hosts are those of the cluster is seen to where they are looked up.

    Raises
    ------
    Refused
        It is said all the same.
    """
    if who.role != "viewer":
        return
    said = sorted(_OTHER_WAYS & values.keys())
    if said:
        raise Refused(403, f"this needs the role operator: {', '.join(said)}, and {who.name} is viewer")
    cluster = values.get("cluster", "")
    if cluster and cluster not in inventory.names():
        raise Refused(404, f"there is no cluster {cluster!r}", hint="GET /api/v1/clusters")
