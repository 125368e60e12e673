"""The door that a command goes through: ``api``, the verbs here or, with ``--server``, the same ones on a service.

A command takes it when it runs: ``from .door import api``. After a login, commands still act here unless a service is
named: what a line does must not depend on what was typed last week.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from .. import api
    from ..api import Reach
    from ..client import Remote
    from ..model import Cluster

__all__ = ["VARIABLE", "api", "remote", "resolve"]

#: Names the service for all commands of a shell.
VARIABLE = "BRAMBLE_SERVER"


def remote() -> Remote | None:
    """The service that this command is for; None where it is for this machine.

    Raises
    ------
    UsageError
        Nobody is logged in there.
    """
    context = click.get_current_context(silent=True)
    server = context.find_root().params.get("server") if context else None
    if not server:
        return None
    from ..client import connect

    return connect(server)


def resolve(reach: Reach) -> Cluster:
    """The cluster that is meant, by whoever will act on it."""
    there = remote()
    if there is not None:
        return there.resolve(reach)
    from ..api.reach import resolve as here

    return here(reach)


def __getattr__(name: str) -> Any:
    if name != "api":
        raise AttributeError(f"there is nothing called {name}")
    there = remote()
    if there is not None:
        return there
    from .. import api as here

    return here
