"""What a service's version asks of the verbs that change it."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import UsageError
from ..model import Cluster
from ..services import Service


def require_settled(room: Service, cluster: Cluster, chosen: Mapping[str, object]) -> None:
    """Refuse to change a service that is between two versions, or to change its version by the way.

    Raises
    ------
    UsageError
    """
    deployment = cluster.services.get(room.name)
    if deployment is None or not room.versions:
        return
    if deployment.upgrading:
        raise UsageError(
            f"an upgrade of {room.name} to {deployment.upgrading} was begun and not finished",
            hint=f"go on with it: bramble upgrade {room.name} --to {deployment.upgrading} --cluster {cluster.name}",
        )
    before, after = deployment.options.get("version"), chosen.get("version")
    if before and after and before != after and after in room.versions:
        raise UsageError(
            f"{room.name} is there in version {before}",
            hint=f"bramble upgrade {room.name} --to {after} --cluster {cluster.name}",
        )
