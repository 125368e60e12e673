"""`bramble artifacts`: what was built or fetched for services, and is kept on this machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from ..artifact import ARCHITECTURES
from . import complete, options
from .lazy import Command, Entry, LazyGroup, Option

if TYPE_CHECKING:
    from ..engine.artifacts import Stored

_LOOK, _CARRY = "Look and tidy", "For places without a network"

artifacts = LazyGroup(
    "artifacts",
    help="Have, show or carry what services bring to hosts.\n\nWithout a command: the list.",
    entries={
        "list": Entry("artifacts:list_artifacts", _LOOK, "List what is kept, and what deployed services want of it."),
        "clean": Entry("artifacts:clean", _LOOK, "Take it away."),
        "fetch": Entry("artifacts:fetch", _CARRY, "Build or fetch now what services will need."),
        "export": Entry("artifacts:export", _CARRY, "Write what is kept into one file."),
        "import": Entry("artifacts:take_in", _CARRY, "Take in what bramble artifacts export wrote."),
    },
    default="list",
)

_file = click.argument("file", metavar="FILE", type=click.Path(dir_okay=False))


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
    """List what is kept, and what deployed services want of it."""
    from . import tables
    from .door import api

    found = api.run(api.artifacts_list())
    if as_json:
        _write(found)
    elif not found:
        tables.say("nothing is kept: what a service needs is built or fetched when it is first deployed")
    else:
        tables.show(
            ("artifact", "version", "for", "came", "size", "sha256", "wanted by"),
            (
                (*_words(one), one.source, tables.size(one.size), one.sha256[:12], ", ".join(one.wanted_by))
                for one in found
            ),
            right=("size",),
        )
        tables.say(f"\n{_all(found)}; bramble artifacts clean takes it away")
    return 0


@click.command(
    cls=Command,
    examples="""
    bramble artifacts fetch kubernetes
    bramble artifacts fetch kubernetes --architecture arm64 --architecture amd64
    bramble artifacts fetch kubernetes --set network=host-gw --cluster red
    """,
)
@click.argument("services", nargs=-1, required=True, metavar="SERVICE...", shell_complete=complete.services)
@options.settings_option()
@click.option(
    "--architecture", "architectures", type=click.Choice(ARCHITECTURES), multiple=True, default=(), cls=Option,
    help="Of the hosts; may be given more than once. Else what the cluster's hosts were when last seen, or arm64.",
)  # fmt: skip
@click.option(
    "--cluster", metavar="NAME", default="", cls=Option, shell_complete=complete.clusters,
    help="Which cluster it is for; else the only one that there is.",
)  # fmt: skip
@options.json_option()
def fetch(
    services: tuple[str, ...], settings: dict[str, str], architectures: tuple[str, ...], cluster: str, as_json: bool
) -> int:
    """Build or fetch now what services will need.

    Deployed later, they want no network but for the hosts' own Debian packages.
    """
    from . import tables
    from .door import api
    from .telling import telling

    with telling("looks what is there") as tell:
        verb = api.artifacts_fetch(
            services, options=settings, architectures=architectures, cluster=cluster, on_event=tell
        )
        found = api.run(verb)
    if as_json:
        _write(found)
    elif not found:
        tables.say(f"{', '.join(services)}: nothing is brought to hosts but Debian packages")
    else:
        _table(found)
        tables.say(f"\n{_all(found)} are here; bramble artifacts export FILE {' '.join(services)} makes one file of it")
    return 0


@click.command(
    cls=Command,
    examples="""
    bramble artifacts export classroom.tar
    bramble artifacts export classroom.tar kubernetes
    """,
)
@_file
@click.argument("services", nargs=-1, metavar="[SERVICE]...", shell_complete=complete.services)
def export(file: str, services: tuple[str, ...]) -> int:
    """Write what is kept into one file.

    All of it, or what belongs to some services. It is a plain tar, to be taken in by bramble artifacts import on a
    machine without a network.
    """
    from . import tables
    from .door import api
    from .terminal import waiting

    with waiting(f"writes {file}"):
        found = api.run(api.artifacts_export(file, services))
    tables.say(f"{_all(found)} are in {file}; there: bramble artifacts import {file}")
    return 0


@click.command("import", cls=Command, examples="bramble artifacts import classroom.tar")
@_file
def take_in(file: str) -> int:
    """Take in what bramble artifacts export wrote.

    All of it or, where anything about it is odd, nothing. Take in only what you trust: programs in it will run as root
    on hosts.
    """
    from . import tables
    from .door import api
    from .terminal import waiting

    with waiting(f"reads {file}"):
        found = api.run(api.artifacts_import(file))
    _table(found)
    tables.say(f"\n{_all(found)} are here now")
    return 0


@click.command(
    cls=Command,
    examples="""
    bramble artifacts clean --unused
    bramble artifacts clean
    """,
)
@click.option("--unused", is_flag=True, cls=Option, help="Only what no deployed service wants.")
def clean(unused: bool) -> int:
    """Take it away.

    A deployment that needs it builds or fetches it again, which may take minutes. Hosts keep what they have.
    """
    from . import tables
    from .door import api

    tables.say(f"{tables.size(api.run(api.artifacts_clean(unused=unused)))} are free again")
    return 0


def _write(found: Iterable[Stored]) -> None:
    from .jsonlines import write_json

    for one in found:
        write_json(dataclasses.asdict(one))


def _words(one: Stored) -> tuple[str, str, str]:
    return one.name, one.version, one.architecture


def _table(found: Iterable[Stored]) -> None:
    from . import tables

    rows = ((*_words(one), one.source, tables.size(one.size), one.sha256[:12]) for one in found)
    tables.show(("artifact", "version", "for", "came", "size", "sha256"), rows, right=("size",))


def _all(found: Iterable[Stored]) -> str:
    from . import tables

    return f"{tables.size(sum({one.sha256: one.size for one in found}.values()))} in all"
