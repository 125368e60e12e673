"""Options of the Docker service."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ...model import spelling
from ..words import Words

#: A size as Docker's log drivers take it.
_SIZE = re.compile(r"[1-9]\d*[kmg]")

#: A network of containers gets so many addresses of the pool: enough for a Pi, and many networks in a small pool.
NETWORK_PREFIX = 24


def _mirror(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is not the address of a registry: give https://NAME or http://NAME:PORT")
    if parts.username or parts.password:
        raise ValueError("a mirror takes no password here: everybody on the host could read it")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(f"{url!r}: Docker takes a mirror without a path: {parts.scheme}://{parts.netloc}")
    return f"{parts.scheme}://{parts.netloc}"


def _size(text: str) -> str:
    if text != "none" and not _SIZE.fullmatch(text):
        raise ValueError("not a size: give 500k, 10m, 1g, or none")
    return text


def _folder(path: str) -> str:
    if not re.fullmatch(r"(/[A-Za-z0-9._-]+)+", path) or ".." in path.split("/"):
        raise ValueError("not the path of a folder: it begins with / and has letters, digits, dots, - and _")
    return path


def _pool(text: str) -> str:
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise ValueError(f"not an IPv4 network: {error}") from None
    if network.prefixlen > NETWORK_PREFIX - 2:
        raise ValueError(f"too small: at most /{NETWORK_PREFIX - 2}, since each network of containers gets a /24 of it")
    return str(network)


class Config(BaseModel):
    """All options; every one has a default that fits a Pi."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    users: Annotated[tuple[Annotated[str, AfterValidator(spelling.user)], ...], Words] = Field(
        default=(),
        description="Who may use Docker without sudo: [pi]. Whoever may is root on that host without a password, since "
        "a container can be given all of its disk.",
    )
    log_size: Annotated[str, AfterValidator(_size)] = Field(
        default="10m",
        description="How large the log of a container grows before a new file is begun: 500k, 10m, 1g. With `none` "
        "logs are kept as Docker does it by itself, and grow until the card is full.",
    )
    log_files: int = Field(default=3, ge=1, le=100, description="How many such files are kept of each container.")
    registry_mirrors: Annotated[tuple[Annotated[str, AfterValidator(_mirror)], ...], Words] = Field(
        default=(), description="Where images of Docker Hub are asked for first: [https://mirror.example]."
    )
    data: Annotated[str, AfterValidator(_folder)] = Field(
        default="/var/lib/docker",
        description="Where images, containers and volumes are kept: a folder on an SSD, whose parent must be there. "
        "When it is changed later, images and containers begin anew; volumes stay where they were.",
    )
    address_pool: Annotated[str, AfterValidator(_pool)] | None = Field(
        default=None,
        description="Addresses for networks of containers, a /24 each: 10.201.0.0/16. By default Docker takes some of "
        "172.17.0.0 to 192.168.255.255 that the host has no route to; choose where yours lie behind a router.",
    )
    live_restore: bool = Field(
        default=False,
        description="Whether containers go on when Docker itself is started anew. Not with `docker swarm`.",
    )
