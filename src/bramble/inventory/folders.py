"""Where things are kept: the folders of the user who runs bramble, by the XDG rules. Nothing is made here."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_cache_path, user_config_path, user_data_path

_NAME = "bramble"


def clusters() -> Path:
    """Cluster files, ``NAME.yaml``, that people edit and keep in git."""
    return user_config_path(_NAME) / "clusters"


def cluster_file(name: str) -> Path:
    """The file of one cluster."""
    return clusters() / f"{name}.yaml"


def known_hosts() -> Path:
    """Bramble's own known host keys, in OpenSSH's format."""
    return user_data_path(_NAME) / "known_hosts"


def secrets(cluster: str) -> Path:
    """What services of this cluster share and nobody else may know."""
    return user_data_path(_NAME) / "secrets" / cluster


def history() -> Path:
    """The database of earlier runs."""
    return user_data_path(_NAME) / "history.sqlite"


def service() -> Path:
    """What the REST service keeps: its authority, users, jobs."""
    return user_data_path(_NAME) / "service"


def logins() -> Path:
    """Services elsewhere that this user is logged in at, and the tokens for them."""
    return user_data_path(_NAME) / "logins.json"


def cache() -> Path:
    """What can be fetched or made again."""
    return user_cache_path(_NAME)
