"""Kubernetes, by kubeadm."""

from __future__ import annotations

from .. import Service
from ..kernel import COMMAND_LINES
from .backup import BACKUP
from .config import Config
from .deep import deep
from .entrance import entrance
from .foreign import PATHS, PORTS
from .leave import leave
from .logins import OWN_FILE
from .look import look
from .plan import artifacts, plan
from .programs import VERSIONS
from .upgrade import upgrade
from .verify import verify

SERVICE = Service(
    name="kubernetes",
    summary="runs containers across all hosts: kubeadm, flannel, CoreDNS (Kubernetes)",
    config=Config,
    plan=plan,
    verify=verify,
    deep=deep,
    look=look,
    leave=leave,
    versions=VERSIONS,
    fixed=("control_plane", "pod_network", "service_network"),
    own_files=(OWN_FILE,),
    upgrade=upgrade,
    backup=BACKUP,
    artifacts=artifacts,
    ports=PORTS,
    paths=(*PATHS, *COMMAND_LINES),
    needs=("containerd",),
    entrance=entrance,
    loses="pods, what they wrote, and all that the cluster knows",
)
