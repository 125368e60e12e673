"""`bramble images`: images of the user's own, brought to hosts without a registry."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from . import complete, options
from .lazy import Command, Entry, LazyGroup, Option

if TYPE_CHECKING:
    from ..api import Reach
    from ..engine.report import Report

_HOSTS, _LOOK = "Onto hosts and off them", "Looking"

images = LazyGroup(
    "images",
    help="Bring images of your own to hosts, without a registry.\n\nWithout a command: the list.",
    entries={
        "build": Entry("images:build", _HOSTS, "Build an image from a folder, and bring it to hosts."),
        "load": Entry("images:load", _HOSTS, "Bring images out of archives to hosts."),
        "remove": Entry("images:remove", _HOSTS, "Take images off all hosts."),
        "list": Entry("images:list_images", _LOOK, "List the images of yours, and where they are."),
    },
    default="list",
)

_no_verify = click.option("--no-verify", is_flag=True, cls=Option, help="Do not prove at the end that hosts have it.")


def _arguments(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """``--build-arg name=value``, as often as wanted."""
    chosen = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{text!r} is not of the form NAME=VALUE")
        chosen[name] = value
    return chosen


@click.command(
    cls=Command,
    examples="""
    bramble images build ./app --tag app:1 --hosts "red,red[01-02]"
    bramble images build ./app --tag app:1 --cluster red --build-arg VERSION=1.2
    # on a host, which runs programs of its own architecture as they are
    bramble images build ./app --tag app:1 --cluster red --on red
    """,
)
@click.argument("folder", metavar="FOLDER", type=click.Path(file_okay=False))
@click.option("--tag", metavar="NAME:VERSION", required=True, cls=Option, help="What it is called: app:1.")
@click.option(
    "--file", metavar="FILE", default="", type=click.Path(), cls=Option,
    help="How it is built; else Containerfile or Dockerfile in the folder.",
)  # fmt: skip
@click.option(
    "--build-arg", "build_args", metavar="NAME=VALUE", multiple=True, callback=_arguments, cls=Option,
    help="A value for an ARG line; may be given more than once. Others can see it: no place for a password.",
)  # fmt: skip
@click.option(
    "--on", metavar="HOST", default="", cls=Option, shell_complete=complete.hosts,
    help="Build on this host; else on this machine, or on the manager where this has nothing to build with.",
)  # fmt: skip
@click.option("--no-cache", "fresh", is_flag=True, cls=Option, help="Use nothing of an earlier build.")
@_no_verify
@options.reach(several=False)
@options.output()
def build(
    folder: str,
    tag: str,
    file: str,
    build_args: dict[str, str],
    on: str,
    fresh: bool,
    no_verify: bool,
    reached: options.Reached,
    output: options.Output,
) -> int:
    """Build an image from a folder, and bring it to hosts.

    For every architecture that they have, with buildah, podman or docker. It comes to hosts that join the cluster's
    Kubernetes or Docker later, too.
    """
    from .carry import carry_out, conclude, display
    from .door import api

    async def work(reach: Reach) -> list[Report]:
        return [
            await api.images_build(
                folder, tag=tag, file=file, arguments=build_args, on=on, fresh=fresh, verify=not no_verify, **reach
            )
        ]

    return conclude(carry_out(work, reached, display(output)))


@click.command(
    cls=Command,
    examples="""
    docker save app:1 | bramble images load - --cluster red
    bramble images load app.tar --cluster red
    # under another name; one archive for each architecture
    bramble images load app-arm64.tar app-amd64.tar --tag app:1 --hosts "red,red[01-02]"
    """,
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(allow_dash=True))
@click.option(
    "--tag", metavar="NAME:VERSION", default="", cls=Option, help="What it is called; else what its archive says."
)
@options.dry_run_option()
@_no_verify
@options.reach(several=False)
@options.output()
def load(
    files: tuple[str, ...],
    tag: str,
    dry_run: bool,
    no_verify: bool,
    reached: options.Reached,
    output: options.Output,
) -> int:
    """Bring images out of archives to hosts.

    What docker save, podman save and buildah push write, perhaps compressed; - reads standard input.
    """
    from .carry import carry_out, conclude, display
    from .door import api

    async def work(reach: Reach) -> list[Report]:
        return [await api.images_load(files, tag=tag, dry_run=dry_run, verify=not no_verify, **reach)]

    return conclude(carry_out(work, reached, display(output)))


@click.command(
    "list",
    cls=Command,
    examples="""
    bramble images
    bramble images list --cluster red --json
    """,
)
@click.option(
    "--cluster", metavar="NAME", default="", cls=Option, shell_complete=complete.clusters, help="Only of this cluster."
)
@options.json_option()
def list_images(cluster: str, as_json: bool) -> int:
    """List the images of yours, and where they are.

    No host is contacted: bramble status tells whether they are still there.
    """
    from . import tables
    from .door import api

    found = api.images_list(cluster=cluster)
    if as_json:
        from .jsonlines import write_json

        for one in found:
            write_json(dataclasses.asdict(one))
    elif not found:
        tables.say("no host has an image of yours yet: bramble images build FOLDER --tag app:1")
    else:
        tables.show(
            ("image", "id", "for", "size", "hosts", "cluster"),
            (
                (
                    one.name,
                    ", ".join(one.images),
                    ", ".join(one.architectures),
                    tables.size(one.size),
                    one.hosts,
                    one.cluster,
                )
                for one in found
            ),
            right=("size",),
        )
    return 0


@click.command(
    cls=Command,
    examples="""
    bramble images remove app:1 --cluster red
    """,
)
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@options.dry_run_option()
@options.yes_option()
@options.reach(several=False)
@options.output()
def remove(names: tuple[str, ...], dry_run: bool, yes: bool, reached: options.Reached, output: options.Output) -> int:
    """Take images off all hosts.

    Containers that run go on; new ones cannot start.
    """
    from .carry import carry_out, conclude, display
    from .door import api
    from .terminal import confirm

    if not dry_run:
        confirm(f"Take {', '.join(names)} off the hosts? Containers that run go on, new ones cannot start.", yes=yes)

    async def work(reach: Reach) -> list[Report]:
        return [await api.images_remove(names, dry_run=dry_run, **reach)]

    return conclude(carry_out(work, reached, display(output)))
