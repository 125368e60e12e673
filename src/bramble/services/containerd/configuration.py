"""The text of containerd's configuration."""

from __future__ import annotations

from importlib.resources import files
from string import Template

from .config import Config

_BANNER = "Made by bramble: what is changed here is overwritten by the next `bramble deploy containerd`."


def text(name: str) -> str:
    """A file of this room as it is."""
    return (files(__package__) / "files" / name).read_text(encoding="utf-8")


def config_toml(config: Config) -> str:
    """/etc/containerd/config.toml."""
    groups = str(config.systemd_groups).lower()
    return Template(text("config.toml")).substitute(
        banner=_BANNER, systemd_groups=groups, pause_image=config.pause_image
    )
