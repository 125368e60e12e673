"""`bramble led`: a light to find a board by."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, cast

import click

from ..errors import UsageError
from . import options
from .lazy import Command, Option

if TYPE_CHECKING:
    from ..api import Reach
    from ..api.led import LightState
    from ..engine.report import Report


@click.command(
    cls=Command,
    examples="""
    # which of them is red01?
    bramble led red01 blink
    bramble led red01 blink --seconds 0
    bramble led red01 auto
    # all dark at night
    bramble led off --cluster red
    bramble led off --cluster red --light PWR
    """,
)
@click.argument("words", nargs=-1, required=True, metavar="[HOSTS] blink|on|off|auto")
@click.option(
    "--light", metavar="NAME", default="", cls=Option,
    help="Which one, by its name below /sys/class/leds, such as PWR; else the one that shows activity.",
)  # fmt: skip
@click.option(
    "--seconds", type=click.FloatRange(0), metavar="NUMBER", default=30.0, cls=Option,
    help="How long it blinks (30); 0: until auto.",
)  # fmt: skip
@options.reach()
@options.output()
def led(words: tuple[str, ...], light: str, seconds: float, reached: options.Reached, output: options.Output) -> int:
    """Let a light of a board blink, to find it by.

    Or shine, or be dark. After the time, or by auto, the host lets it do again what it did before, whatever becomes
    of this machine meanwhile. on and off stay until auto or a restart.
    """
    from . import tables
    from .carry import carry_out, conclude, display
    from .door import api

    state, reached = _understood(words, reached)

    async def work(reach: Reach) -> list[Report]:
        return [await api.led(state, light=light, seconds=seconds, **reach)]

    reports = carry_out(work, reached, display(output, transient=True))
    if not output.json:
        for (name, trigger), hosts in _alike(reports).items():
            tables.say(_told(hosts, name, trigger, state, seconds))
    return conclude(reports, told=output.json)


def _understood(words: tuple[str, ...], reached: options.Reached) -> tuple[LightState, options.Reached]:
    from ..api.led import STATES

    *hosts, state = words
    if state not in STATES:
        raise UsageError(f"a light cannot be {state!r}", hint=f"bramble led red01 blink; or one of {', '.join(STATES)}")
    if hosts and "hosts" in reached.given:
        raise UsageError("the hosts are named twice", hint="name them before the state, or by --hosts")
    if hosts:
        reached = dataclasses.replace(reached, given={**reached.given, "hosts": ",".join(hosts)})
    return cast("LightState", state), reached


def _alike(reports: list[Report]) -> dict[tuple[str, str], str]:
    """Hosts whose light was the same and did the same, folded."""
    from .story import fold

    found: dict[tuple[str, str], list[str]] = {}
    for light in (light for report in reports for light in report.data["lights"]):
        key: Any = (light["light"], light["trigger"])
        found.setdefault(key, []).append(light["host"])
    return {key: fold(hosts) for key, hosts in found.items()}


def _told(hosts: str, name: str, trigger: str, state: str, seconds: float) -> str:
    if state == "auto":
        return f"{hosts}: {name} as before ({trigger})"
    does = {"blink": "blinks", "on": "is on", "off": "is off"}[state]
    until = f"for {seconds:g} s" if state == "blink" and seconds else f"until `bramble led {hosts} auto`"
    return f"{hosts}: {name} {does} {until} (before: {trigger})"
