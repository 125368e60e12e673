"""`bramble artifacts`: what was built for services, and is kept on this machine."""

from __future__ import annotations

import dataclasses

import click

from . import options
from .lazy import Command, Entry, LazyGroup

_SECTION = "Commands"

artifacts = LazyGroup(
    "artifacts",
    help="Show or take away programs that were built for services.\n\nWithout a command: the list.",
    entries={
        "list": Entry("artifacts:list_artifacts", _SECTION, "List what is kept."),
        "clean": Entry("artifacts:clean", _SECTION, "Take it all away."),
    },
    default="list",
)


@click.command(
    "list",
    cls=Command,
    examples="""
    bramble artifacts
    bramble artifacts list --json
    """,
)
@options.json_option()
def list_artifacts(as_json: bool) -> int:
    """List what is kept."""
    from .. import api
    from . import tables

    found = api.run(api.artifacts_list())
    if as_json:
        from .jsonlines import write_json

        for one in found:
            write_json(dataclasses.asdict(one))
    elif not found:
        tables.say("nothing is kept: what a service needs is built when it is first deployed")
    else:
        tables.show(
            ("artifact", "version", "for", "size", "sha256"),
            ((one.name, one.version, one.architecture, tables.size(one.size), one.sha256[:12]) for one in found),
            right=("size",),
        )
        total = sum({one.sha256: one.size for one in found}.values())
        tables.say(f"\n{tables.size(total)} in all; bramble artifacts clean takes it away")
    return 0


@click.command(
    cls=Command,
    examples="""
    bramble artifacts clean
    """,
)
def clean() -> int:
    """Take it all away.

    A deployment that needs it builds it again, which may take minutes. Hosts keep what they have.
    """
    from .. import api
    from . import tables

    tables.say(f"{tables.size(api.run(api.artifacts_clean()))} are free again")
    return 0
