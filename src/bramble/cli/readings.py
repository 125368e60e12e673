"""`bramble temperature`, `load` and `throttled`: a line a host, once or again and again."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from . import options
from .lazy import Command, Option

if TYPE_CHECKING:
    from rich.text import Text

    from ..engine.readings import Load, Reading, Temperature, Throttling

F = TypeVar("F", bound=Callable[..., Any])
#: Columns of words: all others between the host and the end are of numbers.
_WORDS = ("now", "since it was switched on")

#: The headings of a table, its rows, and a closing sentence, for what was read.
Table = tuple[Sequence[str], "list[list[str | Text]]", str]


def _watch() -> Callable[[F], F]:
    return click.option(
        "--watch", type=click.FloatRange(1), metavar="SECONDS", cls=Option,
        help="Look again so many seconds after each look, until Ctrl-C.",
    )  # fmt: skip


@click.command(
    cls=Command,
    examples="""
    bramble temperature --hosts "red,red[01-02]"
    bramble temperature --cluster red --watch 5
    bramble temperature --cluster red --json
    """,
)
@_watch()
@options.reach(sudo=False)
@options.json_option()
def temperature(watch: float | None, reached: options.Reached, as_json: bool) -> int:
    """Tell how warm each board is, and how fast it runs.

    From 80 °C on a Raspberry Pi slows itself down. A host without a sensor says so. Needs neither root nor anything
    installed on the hosts. The exit code is 1 when some host could not be asked.
    """
    from .door import api

    return _show(api.temperature, _temperatures, reached, as_json, watch)


@click.command(
    cls=Command,
    examples="""
    bramble load --hosts "red,red[01-02]"
    bramble load --cluster red --watch 10
    """,
)
@_watch()
@options.reach(sudo=False)
@options.json_option()
def load(watch: float | None, reached: options.Reached, as_json: bool) -> int:
    """Tell how busy each host is.

    The load over 1, 5 and 15 minutes and the processors that share it, memory and disk in use, and for how long the
    host has been on. The exit code is 1 when some host could not be asked.
    """
    from .door import api

    return _show(api.load, _loads, reached, as_json, watch)


@click.command(
    cls=Command,
    examples="""
    bramble throttled --hosts "red,red[01-02]"
    bramble throttled --cluster red --json
    """,
)
@_watch()
@options.reach(sudo=False)
@options.json_option()
def throttled(watch: float | None, reached: options.Reached, as_json: bool) -> int:
    """Tell whether boards lack power, or are too hot.

    Then their firmware slows them down: now, or at some time since they were switched on. Under-voltage means a power
    supply or a cable that is too weak. The exit code is 1 when some host could not be asked.
    """
    from .door import api

    return _show(api.throttled, _throttlings, reached, as_json, watch)


def _show(
    verb: Callable[..., Coroutine[Any, Any, tuple[Any, ...]]],
    table: Callable[[list[Any]], Table],
    reached: options.Reached,
    as_json: bool,
    watch: float | None,
) -> int:
    from .door import api
    from .jsonlines import write_json
    from .terminal import lively, waiting

    while True:
        if watch:
            found = [reading for reach in reached.each for reading in api.run(verb(**reach))]
        else:
            with waiting("asking the hosts"):
                found = [reading for reach in reached.each for reading in api.run(verb(**reach))]
        if as_json:
            for reading in found:
                write_json(dataclasses.asdict(reading))
        else:
            if watch and lively(sys.stdout):
                click.clear()
            _print(found, table([reading for reading in found if not reading.error]))
        if not watch:
            return 1 if any(reading.error for reading in found) else 0
        time.sleep(watch)


def _print(found: list[Reading], shown: Table) -> None:
    from . import tables

    columns, rows, last = shown
    if rows:
        tables.show(columns, rows, right=[name for name in columns[1:-1] if name not in _WORDS])
    errors = [(reading.host, reading.error) for reading in found if reading.error]
    for text in [last] if last else []:
        tables.say(f"\n{text}")
    if errors and rows:
        tables.say()
    for host, error in errors:
        tables.say(f"{host}: {error}")


def _temperatures(found: list[Temperature]) -> Table:
    from ..engine.readings import HOT, WARM

    rows: list[list[str | Text]] = []
    for reading in found:
        if reading.celsius is None:
            warmth = _coloured("no sensor", "dim")
        else:
            colour = "red" if reading.celsius >= HOT else "yellow" if reading.celsius >= WARM else ""
            warmth = _coloured(f"{reading.celsius:.1f} °C", colour)
        clock = f"{reading.clock / 1e6:.0f} MHz" if reading.clock else ""
        rows.append([reading.host, warmth, clock, ""])
    measured = [(reading.celsius, reading.host) for reading in found if reading.celsius is not None]
    last = ""
    if len(measured) > 1:
        celsius, host = max(measured)
        mean = sum(celsius for celsius, _ in measured) / len(measured)
        last = f"warmest: {host}, {celsius:.1f} °C; on average {mean:.1f} °C"
    return ("host", "temperature", "clock", ""), rows, last


def _loads(found: list[Load]) -> Table:
    rows: list[list[str | Text]] = []
    for reading in found:
        busy = [_coloured(f"{n:.2f}", _over(n, reading.cpus)) for n in reading.load or ()] or [_coloured("", "")] * 3
        rows.append(
            [
                reading.host,
                *busy,
                str(reading.cpus or ""),
                _part(reading.memory_used, reading.memory),
                _part(reading.disk_used, reading.disk),
                _since(reading.uptime),
                "",
            ]
        )
    return ("host", "1 min", "5 min", "15 min", "cpus", "memory", "disk", "up", ""), rows, ""


def _over(number: float, cpus: int | None) -> str:
    return "yellow" if cpus and number > cpus else ""


def _part(used: int | None, whole: int | None) -> str | Text:
    from . import tables

    if used is None or not whole:
        return ""
    share = used / whole
    text = f"{tables.size(used)} of {tables.size(whole)} ({share:.0%})"
    return _coloured(text, "red" if share > 0.95 else "yellow" if share > 0.85 else "")


def _since(seconds: float | None) -> str:
    """``3 d 04:05``, ``04:05``: days, hours and minutes."""
    if seconds is None:
        return ""
    minutes = int(seconds) // 60
    days, hours = divmod(minutes // 60, 24)
    return f"{days} d {hours:02}:{minutes % 60:02}" if days else f"{hours:02}:{minutes % 60:02}"


def _throttlings(found: list[Throttling]) -> Table:
    rows: list[list[str | Text]] = []
    for reading in found:
        if reading.now is None:
            rows.append([reading.host, _coloured("not told", "dim"), _coloured("not told", "dim"), ""])
            continue
        now = _coloured(", ".join(reading.now) or "no", "red" if reading.now else "")
        ever = _coloured("not told", "dim") if reading.since_start is None else _coloured("no", "")
        if reading.since_start:
            ever = _coloured(", ".join(reading.since_start), "yellow")
        rows.append([reading.host, now, ever, reading.bits])
    power = [r.host for r in found if "under-voltage" in (*(r.now or ()), *(r.since_start or ()))]
    from .story import fold

    last = f"under-voltage: {fold(power)} had too little power: a better supply, or a shorter cable" if power else ""
    return ("host", "now", "since it was switched on", "bits"), rows, last


def _coloured(text: str, style: str) -> Text:
    from rich.text import Text

    return Text(text, style=style)
