"""How the person who deploys reaches the API server."""

from __future__ import annotations

from collections.abc import Mapping

from ...model import Cluster
from ...runner.facts import Facts
from .. import Entrance
from . import planes
from .config import Config
from .configuration import CA, CA_KEY

#: kubeadm lets its members do everything; unlike ``system:masters``, this can be taken from them
#: (https://kubernetes.io/docs/reference/setup-tools/kubeadm/implementation-details/).
ADMINS = "kubeadm:cluster-admins"


def entrance(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Entrance | None:
    """The manager, by the address under which ssh finds it, since other networks may lie between than between hosts."""
    if not config.kubeconfig:
        return None
    host = cluster.host(cluster.manager)
    address = host.address or facts[host.name].address
    return Entrance(
        server=f"https://{planes.bracketed(address)}:6443",
        authority=CA,
        signer=CA,
        signer_key=CA_KEY,
        group=ADMINS,
    )
