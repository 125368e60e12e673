"""Docker: runs containers on each host, for people who know it from elsewhere."""

from __future__ import annotations

from .. import Service
from .config import Config
from .plan import plan
from .refusals import FOREIGN
from .verify import verify

SERVICE = Service(
    name="docker",
    summary="runs containers on each host, as on any other machine (Docker Engine)",
    config=Config,
    plan=plan,
    verify=verify,
    packages=FOREIGN,
    needs=("containerd",),
    loses="containers, what they wrote, and images",
)
