"""`bramble backup` and `bramble restore`: what a service knows goes into a file, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from . import complete, options
from .deploy import carry_out_on_services, no_verify_option
from .lazy import Command, Option

if TYPE_CHECKING:
    from ..api import Reach
    from ..engine.report import Report


@click.command(
    cls=Command,
    examples="""
    bramble backup kubernetes
    # into a folder, or a file of that name
    bramble backup kubernetes --to /media/stick
    """,
)
@click.argument("service", metavar="SERVICE", shell_complete=complete.services)
@click.option(
    "--to", metavar="PATH", default="", cls=Option, help="The file, or a folder for it; else the current one."
)
@options.reach(several=False)
@options.output()
def backup(service: str, to: str, reached: options.Reached, output: options.Output) -> int:
    """Keep what a service knows in a file.

    With its keys, so that it can be made anew from nothing; only you can read the file. What it keeps on the hosts for
    others, such as volumes of pods, is not in it. The service works on meanwhile.
    """
    from .door import api

    async def one(service: str, reach: Reach) -> Report:
        return await api.backup(service, to=to, **reach)

    return carry_out_on_services(one, (service,), reached, output)


@click.command(
    cls=Command,
    examples="""
    bramble restore kubernetes red-kubernetes-20261121-101500.backup
    # on cards that were burned anew, under the old names and addresses
    bramble restore kubernetes red.backup --hosts "red,red[01-02]"
    """,
)
@click.argument("service", metavar="SERVICE", shell_complete=complete.services)
@click.argument("file", metavar="FILE", type=click.Path())
@options.dry_run_option()
@no_verify_option
@options.yes_option()
@options.reach(several=False)
@options.output(diff=True)
def restore(
    service: str,
    file: str,
    dry_run: bool,
    no_verify: bool,
    yes: bool,
    reached: options.Reached,
    output: options.Output,
) -> int:
    """Bring a service back to what it knew when a backup was made.

    What changed since is lost. Where the service is not deployed, it is deployed as it was then, with the keys of then.
    """
    from .door import api, resolve
    from .terminal import confirm

    if not dry_run:
        where = resolve(reached.one).hostset
        confirm(f"Bring {service} on {where} back to what {file} knows? What changed since is lost.", yes=yes)

    async def one(service: str, reach: Reach) -> Report:
        return await api.restore(service, file, dry_run=dry_run, verify=not no_verify, **reach)

    return carry_out_on_services(one, (service,), reached, output)
