"""Which images of the user's own a cluster has: what its file says, and what is kept here for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import inventory, services
from ..model import Cluster
from ..services.images.config import Archive, Config
from ..services.images.plan import artifact
from .kept import kept

SERVICE = "images"


@dataclass(frozen=True, kw_only=True)
class ImageInfo:
    """An image that is on hosts of a cluster.

    Attributes
    ----------
    name
        As people write it: ``app:1``.
    architectures
        Debian's words.
    images
        What ``docker images`` calls the image's id, for each architecture: the beginning of its digest.
    size
        Bytes of the archives of all architectures.
    hosts
        As an expression.
    """

    cluster: str
    name: str
    architectures: tuple[str, ...]
    images: tuple[str, ...]
    size: int
    hosts: str


def images_list(*, cluster: str = "") -> tuple[ImageInfo, ...]:
    """The images of a cluster, or of all. No host is contacted; ``status`` tells whether they are still there."""
    found = []
    for name in (cluster,) if cluster else inventory.names():
        known = inventory.load(name)
        if SERVICE in known.services:
            for image, archives in recorded(known).items():
                info = ImageInfo(
                    cluster=name,
                    name=image,
                    architectures=tuple(archives),
                    images=tuple(one.image.partition(":")[2][:12] for one in archives.values()),
                    size=sum(one.size for one in archives.values()),
                    hosts=str(known.members_of(SERVICE)),
                )
                found.append(info)
    return tuple(found)


def recorded(cluster: Cluster) -> dict[str, dict[str, Archive]]:
    """Name → architecture → archive, of a cluster."""
    config = services.configure(services.get(SERVICE), inventory.options_of(cluster, SERVICE))
    assert isinstance(config, Config)
    return {name: dict(archives) for name, archives in config.images.items()}


def as_options(images: Mapping[str, Mapping[str, Archive]]) -> dict[str, Any]:
    """As they stand in the cluster file."""
    written = {
        name: {architecture: archive.model_dump() for architecture, archive in archives.items()}
        for name, archives in images.items()
    }
    return {"images": written}


def tidy(before: Mapping[str, Mapping[str, Archive]]) -> None:
    """Take out of the store what no cluster speaks of any more."""
    wanted = {
        one.sha256
        for name in inventory.names()
        for archives in recorded(inventory.load(name)).values()
        for one in archives.values()
    }
    for name, archives in before.items():
        for architecture, archive in archives.items():
            if archive.sha256 not in wanted:
                kept().forget(artifact(name, architecture, archive))
