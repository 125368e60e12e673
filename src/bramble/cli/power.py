"""`bramble reboot`, `poweroff` and `wake`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from . import options
from .lazy import Command, Option

if TYPE_CHECKING:
    from ..api import Reach
    from ..engine.report import Report


@click.command(
    cls=Command,
    examples="""
    bramble reboot --hosts "red[01-02]"
    # a cluster at work: one host after the other, the manager last
    bramble reboot --cluster red --one-by-one --yes
    """,
)
@click.option(
    "--one-by-one", is_flag=True, cls=Option,
    help="The next host only when the one before is back, the manager last. Stops at one that does not come back.",
)  # fmt: skip
@click.option(
    "--deadline", type=click.FloatRange(0, min_open=True), metavar="SECONDS", default=300.0, cls=Option,
    help="How long a host may take to come back (300).",
)  # fmt: skip
@options.yes_option()
@options.reach()
@options.output()
def reboot(one_by_one: bool, deadline: float, yes: bool, reached: options.Reached, output: options.Output) -> int:
    """Restart hosts, and wait until each is back.

    Back is a host that answers again and was really restarted. A host on which another run of bramble is at work is
    left alone. The exit code is 1 when some host is not back in time.
    """
    from . import tables
    from .carry import carry_out, conclude, display
    from .door import api

    _confirm("Restart", reached, yes)

    async def work(reach: Reach) -> list[Report]:
        return [await api.reboot(one_by_one=one_by_one, deadline=deadline, **reach)]

    reports = carry_out(work, reached, display(output, transient=True))
    if not output.json:
        rows = [(one["host"], f"{one['seconds']:.0f} s") for r in reports for one in r.data["restarts"]]
        if rows:
            tables.show(("host", "back after"), rows)
    return conclude(reports, told=output.json)


@click.command(cls=Command, examples='bramble poweroff --hosts "red,red[01-02]"')
@click.option(
    "--deadline", type=click.FloatRange(0, min_open=True), metavar="SECONDS", default=120.0, cls=Option,
    help="How long a host may take to go off (120).",
)  # fmt: skip
@options.yes_option()
@options.reach()
@options.output()
def poweroff(deadline: float, yes: bool, reached: options.Reached, output: options.Output) -> int:
    """Switch hosts off, and wait until they no longer answer.

    Only somebody at the plug can switch a Raspberry Pi on again: see `bramble wake`.
    """
    from . import tables
    from .carry import carry_out, conclude, display
    from .door import api
    from .story import fold

    _confirm("Switch off", reached, yes, "they can be switched on again only at their plugs")

    async def work(reach: Reach) -> list[Report]:
        return [await api.poweroff(deadline=deadline, **reach)]

    reports = carry_out(work, reached, display(output, transient=True))
    off = [name for report in reports for name in report.data["off"]]
    if off and not output.json:
        tables.say(f"{fold(off)}: no longer answering; before you pull a plug, wait for the green light to stay dark")
    return conclude(reports, told=output.json)


@click.command(cls=Command, examples='bramble wake --hosts "red,red[01-02]"')
@options.reach(sudo=False)
@options.output()
def wake(reached: options.Reached, output: options.Output) -> int:
    """Tell which hosts are on, and how to wake the others.

    No Raspberry Pi wakes by a packet from the network: its network chip has no power when the board is off. The exit
    code is 1 when some host does not answer.
    """
    from . import tables
    from .carry import carry_out, conclude, display
    from .door import api
    from .story import fold

    async def work(reach: Reach) -> list[Report]:
        return [await api.wake(**reach)]

    reports = carry_out(work, reached, display(output, transient=True))
    on = [name for report in reports for name in report.data["on"]]
    if on and not output.json:
        tables.say(f"{fold(on)}: on")
    return conclude(reports, told=output.json)


def _confirm(what: str, reached: options.Reached, yes: bool, besides: str = "") -> None:
    """Ask, with what is deployed on these hosts."""
    from ..api.power import what_stops
    from .door import resolve
    from .story import fold
    from .terminal import confirm

    clusters = [resolve(reach) for reach in reached.each]
    names = [name for cluster in clusters for name in cluster.hostset]
    told = [*(text for cluster in clusters for text in what_stops(cluster)), *([besides] if besides else [])]
    why = f" ({'; '.join(told)})" if told else ""
    count = f", {len(names)} hosts" if len(names) > 1 else ""
    confirm(f"{what} {fold(names)}{count}{why}?", yes=yes, needed=True)
