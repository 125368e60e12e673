"""What a cluster has on top, if it is wanted: volumes on local disks, figures of what is used, a dashboard."""

from __future__ import annotations

from string import Template

from ...model import Cluster
from ...plan import Group, group
from ...runner.secret import Secret
from ...runner.step import Step
from ...runner.steps import Command, Directory, File, Wait
from . import programs
from .config import Config
from .configuration import HOME, text
from .scripts import shell

#: Where volumes lie on each host; the same stands in go/pods/volume.
VOLUMES = "/var/lib/bramble-volumes"

#: Names by which the API server asks the metrics server.
_METRICS_NAMES = ("metrics-server.kube-system.svc", "metrics-server.kube-system", "metrics-server")

#: Of all architectures; the tag is for people, the digest says what it is.
HEADLAMP = (
    "ghcr.io/headlamp-k8s/headlamp:v0.45.0@sha256:db3f0e0fc58d358d41daa3fe7fc852437552c7ee873c3645470f7b86a8e0db49"
)

#: Seconds until what was brought in must be at work; the metrics server first looks at every node twice.
PATIENCE = 180


def groups(cluster: Cluster, config: Config) -> tuple[Group, ...]:
    """The steps of what is wanted, once the nodes are there."""
    steps: list[Step] = []
    if config.storage:
        steps += _brought("storage", _storage(config), "local-path-provisioner", "local-path-storage")
    if config.metrics:
        certificate, key = (
            Secret("kubernetes/metrics-server.crt", form="tls-certificate", names=_METRICS_NAMES),
            Secret("kubernetes/metrics-server.key", form="tls-key"),
        )
        steps += (
            File(path=f"{HOME}/metrics.crt", content=certificate),
            File(path=f"{HOME}/metrics.key", content=key, mode=0o600),
        )
        steps += _brought("metrics", _metrics(config), "metrics-server", "kube-system", "crt", "key")
    if config.dashboard == "headlamp":
        steps += _brought("headlamp", _filled("headlamp.yaml", headlamp=HEADLAMP), "headlamp", "headlamp")
    return (
        group("Volumes", cluster.hostset if config.storage else (), Directory(path=VOLUMES, mode=0o711, data=True)),
        group("Additions", [cluster.manager], *steps, after=["Nodes"]),
    )


def _brought(name: str, manifest: str, deployment: str, namespace: str, *besides: str) -> tuple[Step, ...]:
    return (
        File(path=f"{HOME}/{name}.yaml", content=manifest),
        Command(
            name=f"bring in {name}",
            argv=shell("addon.sh", "apply", name, HOME),
            when_changed=tuple(f"{HOME}/{name}.{end}" for end in ("yaml", *besides)),
            undo_argv=shell("addon.sh", "remove", name, HOME),
            timeout=60,
        ),
        Wait(
            command=shell("available.sh", "available", namespace, deployment),
            name=f"{name} to work",
            unit="kubelet",
            deadline=PATIENCE,
        ),
    )


def _storage(config: Config) -> str:
    return _filled(
        "storage.yaml",
        volumes=VOLUMES,
        volume=programs.image_name("volume", config.version),
        provisioner=programs.image_name("local-path-provisioner", config.version),
    )


def _metrics(config: Config) -> str:
    return _filled("metrics.yaml", metrics=programs.image_name("metrics-server", config.version))


def _filled(template: str, /, **values: str) -> str:
    return Template(text(template)).substitute(values)
