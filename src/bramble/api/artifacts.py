"""Verbs about what was built or fetched for services, and is kept on the controller."""

from __future__ import annotations

from .. import inventory
from ..engine.artifacts import Store, Stored


def kept() -> Store:
    """Where artifacts are kept."""
    return Store(inventory.folders.cache() / "artifacts")


async def artifacts_list() -> tuple[Stored, ...]:
    """All that is kept, by name. Deploying a service needs none of it made or fetched again."""
    return tuple(kept().all())


async def artifacts_clean() -> int:
    """Take all of it away; a deployment that needs it has it made or fetched again.

    Returns
    -------
    int
        Bytes that are free by that.
    """
    return kept().clean()
