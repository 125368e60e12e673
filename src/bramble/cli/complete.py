"""What the shell offers on TAB: services, their options, hosts, clusters, runs.

A completion that fails offers nothing: a traceback in the middle of a line that is being typed helps nobody.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

import click

from ..errors import BrambleError

Completer = Callable[[click.Context, click.Parameter, str], list[str]]


def _quiet(find: Callable[[click.Context, str], Iterable[str]]) -> Completer:
    @functools.wraps(find)
    def complete(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
        try:
            return [word for word in find(context, incomplete) if word.startswith(incomplete)]
        except (BrambleError, OSError):
            return []

    return complete


@_quiet
def services(context: click.Context, incomplete: str) -> Iterable[str]:
    """Names of services."""
    from ..services import names

    return names()


@_quiet
def settings(context: click.Context, incomplete: str) -> Iterable[str]:
    """``option=`` of the services on this line."""
    from .. import api
    from ..services import names

    # While its value is missing, click has not told the arguments from the rest.
    words = [*(context.params.get("services") or ()), *context.args]
    chosen = [name for name in names() if name in words]
    return [f"{option.name}=" for name in chosen for option in api.run(api.services(name))[0].options]


@_quiet
def clusters(context: click.Context, incomplete: str) -> Iterable[str]:
    """Names of cluster files."""
    from .. import inventory

    return inventory.names()


@_quiet
def hosts(context: click.Context, incomplete: str) -> Iterable[str]:
    """Names of hosts in cluster files, for the last part of an expression."""
    from .. import inventory

    done, comma, _ = incomplete.rpartition(",")
    known = {name for cluster in inventory.names() for name in inventory.load(cluster).hostset.names}
    return [f"{done}{comma}{name}" for name in sorted(known)]


@_quiet
def runs(context: click.Context, incomplete: str) -> Iterable[str]:
    """Ids of earlier runs, newest first."""
    from .. import api

    return [run.id for run in api.run(api.runs(brief=True))]


@_quiet
def lab_hosts(context: click.Context, incomplete: str) -> Iterable[str]:
    """Hosts of the labs of this user."""
    from .. import lab

    return [host.name for found in lab.labs() for host in found.hosts]


@_quiet
def labs(context: click.Context, incomplete: str) -> Iterable[str]:
    """Names of the labs of this user."""
    from .. import lab

    return [found.name for found in lab.labs()]


@_quiet
def card_images(context: click.Context, incomplete: str) -> Iterable[str]:
    """Names of images, as far as the list is here already: nobody waits for a network on TAB."""
    from ..cards.images import at_hand

    found = at_hand()
    return [name for image in found if image.usual for name in (image.name, *image.aliases)]
