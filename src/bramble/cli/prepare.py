"""`bramble prepare`: what every host should be like, before anything runs on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from . import options
from .deploy import carry_out_on_services, no_verify_option
from .lazy import Command

if TYPE_CHECKING:
    from ..api import Reach
    from ..engine.report import Report


@click.command(
    cls=Command,
    examples="""
    bramble prepare --hosts "red,red[01-02]" --set radios=off --set swap=off --set timezone=auto
    # see first what would change
    bramble prepare --cluster red --set hostname=on --set names=on --dry-run --diff
    # all there is to set, and what it means: bramble services base
    bramble prepare --cluster red --set locale=en_GB.UTF-8 --set packages=vim,tmux
    # all as it was before
    bramble remove base --cluster red --yes
    """,
)
@options.settings_option()
@options.dry_run_option()
@no_verify_option
@options.reach()
@options.output(diff=True)
def prepare(
    settings: dict[str, str], dry_run: bool, no_verify: bool, reached: options.Reached, output: options.Output
) -> int:
    """Prepare hosts: names, time, swap, radios, kernel, packages.

    What is not set is left as it is. What was set is kept in the cluster's file; a second run changes nothing, and
    hosts restart only where something is in force no sooner, one after the other. It is the service `base`: `verify`,
    `status` and `remove` know it by that name.
    """
    from .door import api

    chosen = options.with_standard_input("base", settings)

    async def one(_service: str, reach: Reach) -> Report:
        return await api.prepare(options=chosen, dry_run=dry_run, verify=not no_verify, **reach)

    return carry_out_on_services(one, ("base",), reached, output)
