"""Images of the user's own, on the hosts where containers are made from them."""

from __future__ import annotations

from .. import Service
from .config import Config
from .plan import artifacts, plan
from .verify import verify

SERVICE = Service(
    name="images",
    summary="images of your own on each host, without a registry (bramble images build, load)",
    config=Config,
    plan=plan,
    verify=verify,
    artifacts=artifacts,
    needs=("containerd",),
    follows=("containerd", "docker", "kubernetes"),
    begins="bramble images load app.tar; bramble images build ./app --tag app:1",
    loses="the images on the hosts: containers that run go on, new ones cannot start",
)
