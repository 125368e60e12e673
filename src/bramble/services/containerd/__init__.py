"""containerd: runs containers, for Kubernetes and for people."""

from __future__ import annotations

from .. import Service
from ..kernel import COMMAND_LINES
from .config import Config
from .plan import plan
from .verify import verify

SERVICE = Service(
    name="containerd",
    summary="runs containers on each host, for Kubernetes or by hand (containerd)",
    config=Config,
    plan=plan,
    verify=verify,
    paths=COMMAND_LINES,
    loses="containers, what they wrote, and images",
)
