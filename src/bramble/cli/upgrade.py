"""`bramble upgrade`: a service goes to a later version."""

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
    bramble upgrade kubernetes
    # see first what would be done
    bramble upgrade kubernetes --dry-run
    # versions there are: bramble services kubernetes
    bramble upgrade kubernetes --to 1.35.4
    """,
)
@click.argument("service", metavar="SERVICE", shell_complete=complete.services)
@click.option(
    "--to", metavar="VERSION", default="", cls=Option, help="The version; the latest that there is otherwise."
)
@options.dry_run_option()
@no_verify_option
@options.yes_option()
@options.reach(several=False)
@options.output(diff=True)
def upgrade(
    service: str,
    to: str,
    dry_run: bool,
    no_verify: bool,
    yes: bool,
    reached: options.Reached,
    output: options.Output,
) -> int:
    """Bring a service to a later version.

    One host after the other where the service allows it, each looked at before the next; what runs there moves away
    meanwhile. Where a step fails, its host goes back to what it was, and the others stay as they are. An upgrade that
    was cut off goes on where it stopped.
    """
    from .door import api, resolve
    from .terminal import confirm

    if not dry_run:
        where = resolve(reached.one).hostset
        confirm(f"Upgrade {service} on {where}{f' to {to}' if to else ''}? What runs there may pause.", yes=yes)

    async def one(service: str, reach: Reach) -> Report:
        return await api.upgrade(service, to=to, dry_run=dry_run, verify=not no_verify, **reach)

    return carry_out_on_services(one, (service,), reached, output)
