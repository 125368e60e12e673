"""What stays as it is while a service is there: its version but for upgrades, and options that are built in."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import UsageError
from ..model import Cluster
from ..services import Service


def require_settled(room: Service, cluster: Cluster, chosen: Mapping[str, object]) -> None:
    """Refuse to change a service that is between two versions, or by the way what cannot be changed so.

    Raises
    ------
    UsageError
    """
    deployment = cluster.services.get(room.name)
    if deployment is None:
        return
    for name in room.fixed:
        default = room.config.model_fields[name].default
        there, wanted = (options.get(name, default) for options in (deployment.options, chosen))
        if name in chosen and str(there) != str(wanted):
            raise UsageError(
                f"{name} of {room.name} is {there}, and cannot be changed while it is there",
                hint=f"bramble remove {room.name}; then deploy it anew with --set {name}={wanted}",
            )
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
