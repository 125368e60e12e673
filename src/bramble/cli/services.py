"""`bramble services`: the catalogue, and the options of one service."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import click

from . import complete, options
from .lazy import Command

if TYPE_CHECKING:
    from ..api import ServiceInfo


@click.command(
    cls=Command,
    examples="""
    bramble services
    bramble services slurm
    """,
)
@click.argument("name", required=False, default="", metavar="[SERVICE]", shell_complete=complete.services)
@options.json_option()
def services(name: str, as_json: bool) -> int:
    """List the services, or the options of one.

    An option is given as --set NAME=VALUE when the service is deployed.
    """
    from .door import api

    found = api.run(api.services(name))
    if as_json:
        from .jsonlines import write_json

        for service in found:
            write_json(dataclasses.asdict(service))
    elif name:
        _show_options(found[0])
    else:
        from . import tables

        tables.show(("service", "what it is", "needs"), ((s.name, s.summary, ", ".join(s.needs)) for s in found))
    return 0


def _show_options(service: ServiceInfo) -> None:
    from . import tables

    tables.say(f"{service.name}: {service.summary}")
    if service.needs:
        tables.say(f"needs: {', '.join(service.needs)}")
    tables.say()
    tables.show(
        ("option", "type", "default", "meaning"),
        ((option.name, option.type, _value(option.default), option.description) for option in service.options),
    )
    if service.options:
        tables.say(f"\nbramble deploy {service.name} --set {service.options[0].name}=VALUE ...")


def _value(default: Any) -> str:
    """A default as ``--set`` would take it."""
    if isinstance(default, bool):
        return str(default).lower()
    return "" if default is None else str(default)
