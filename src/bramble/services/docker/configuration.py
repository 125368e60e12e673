"""What Docker reads: keys of its daemon.json, and the addition to its unit."""

from __future__ import annotations

import ipaddress
from importlib.resources import files
from string import Template
from typing import Any

from .config import NETWORK_PREFIX, Config

_BANNER = "Made by bramble: what is changed here is overwritten by the next `bramble deploy docker`."

#: Where Docker keeps what it has unless it is told otherwise.
USUAL = "/var/lib/docker"


def text(name: str) -> str:
    """A file of this room as it is."""
    return (files(__package__) / "files" / name).read_text(encoding="utf-8")


def daemon_keys(config: Config) -> dict[str, Any]:
    """Keys of /etc/docker/daemon.json; what they do not say is as Docker has it, or as somebody wrote it there."""
    keys: dict[str, Any] = {}
    if config.log_size != "none":
        keys["log-driver"] = "json-file"
        keys["log-opts"] = {"max-size": config.log_size, "max-file": str(config.log_files)}
    if config.registry_mirrors:
        keys["registry-mirrors"] = list(config.registry_mirrors)
    if config.data != USUAL:
        keys["data-root"] = config.data
    if config.address_pool is not None:
        pool = ipaddress.IPv4Network(config.address_pool)
        # The bridge that there is from the start would keep the address that it has.
        keys["bip"] = f"{pool[1]}/{NETWORK_PREFIX}"
        keys["default-address-pools"] = [{"base": str(pool), "size": NETWORK_PREFIX}]
    if config.live_restore:
        keys["live-restore"] = True
    return keys


def drop_in() -> str:
    """The addition to docker.service."""
    return Template(text("docker.conf")).substitute(banner=_BANNER)
