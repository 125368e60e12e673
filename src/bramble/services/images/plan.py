"""What is to be done on each host to have the user's images there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...artifact import Artifact, LocalFile
from ...model import Cluster, HostSet, Reference
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.step import Step
from ...runner.steps import ImageArchive
from .config import Archive, Config

#: Seconds for all images of a host: gigabytes, over a slow network, onto a slow card.
TIMEOUT = 3600.0


def plan(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """On each host the images of its architecture: in containerd, and in Docker where that is deployed."""

    def brought(host: str) -> tuple[Step, ...]:
        return tuple(
            step
            for name, archives in config.images.items()
            if facts[host].architecture in archives
            for step in _steps(name, facts[host].architecture, archives[facts[host].architecture], host in docker)
        )

    docker = cluster.members_of("docker") if "docker" in cluster.services else HostSet()
    having = [host for host in cluster.hostset if brought(host)]
    return Plan(
        service="images",
        groups=(group("Images", having, brought, timeout=TIMEOUT),) if having else (),
        notes=tuple(_without(cluster, config, facts)),
        artifacts=artifacts(config, (facts[host].architecture for host in cluster.hostset)),
    )


def artifacts(config: Config, architectures: Iterable[str]) -> tuple[Artifact, ...]:
    """The archives for hosts of these architectures."""
    there = set(architectures)
    return tuple(
        artifact(name, architecture, archive)
        for name, archives in config.images.items()
        for architecture, archive in archives.items()
        if architecture in there
    )


def artifact(name: str, architecture: str, archive: Archive) -> Artifact:
    """The archive of an image, as it is kept and brought."""
    return Artifact(
        name=f"images/{name}",
        version=archive.image.partition(":")[2][:12],
        architecture=architecture,
        source=LocalFile(again=f"bramble images load FILE --tag {name}; or build it again: bramble images build"),
        sha256=archive.sha256,
    )


def _steps(name: str, architecture: str, archive: Archive, docker: bool) -> tuple[ImageArchive, ...]:
    id = artifact(name, architecture, archive).id
    whole = Reference.parse(name).whole
    digests = {"containerd": archive.manifest, **({"docker": archive.image} if docker else {})}
    return tuple(
        ImageArchive(artifact=id, name=whole, digest=digest, engine=engine, sha256=archive.sha256, size=archive.size)
        for engine, digest in digests.items()
    )


def _without(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> list[str]:
    notes = []
    for name, archives in config.images.items():
        missing = [host for host in cluster.hostset if facts[host].architecture not in archives]
        if missing:
            kinds = "/".join(sorted({facts[host].architecture for host in missing}))
            there = ", ".join(sorted(archives))
            notes.append(f"{name} is not brought to {HostSet(missing)} ({kinds}): there is only one for {there}")
    return notes
