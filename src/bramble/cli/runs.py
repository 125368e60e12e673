"""`bramble runs`: what was done when, and how long each step took on each host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from . import complete, options
from .lazy import Command, Entry, LazyGroup, Option

if TYPE_CHECKING:
    from ..engine.history import PastRun, StepTime

_SECTION = "Commands"

#: Up to so many hosts have a column of their own in the table of times.
_COLUMNS = 8

#: How a run may stand; empty for any.
STATES = ("", "done", "failed", "interrupted", "running", "cut off")

runs = LazyGroup(
    "runs",
    help="Show earlier runs, and how long each step took.\n\nWithout a command: the list.",
    entries={
        "list": Entry("runs:list_runs", _SECTION, "List the latest runs, newest first."),
        "show": Entry("runs:show", _SECTION, "Show one run, with the time of each step on each host."),
    },
    default="list",
)


@click.command(
    "list",
    cls=Command,
    examples="""
    bramble runs
    bramble runs list --limit 5 --json
    bramble runs list --cluster red --service slurm --state failed
    """,
)
@click.option("--limit", type=click.IntRange(1), default=50, metavar="NUMBER", cls=Option, help="How many (50).")
@click.option("--cluster", metavar="NAME", default="", cls=Option, shell_complete=complete.clusters, help="Only these.")
@click.option("--service", metavar="NAME", default="", cls=Option, shell_complete=complete.services, help="Only these.")
@click.option("--verb", metavar="NAME", default="", cls=Option, help="Only these: deploy, verify, remove …")
@click.option(
    "--state", type=click.Choice(STATES), metavar="STATE", default="", cls=Option,
    help="Only these: done, failed, interrupted, running or cut off.",
)  # fmt: skip
@click.option(
    "--before", metavar="RUN", default="", cls=Option, shell_complete=complete.runs, help="Only those older than this."
)
@click.option("--brief", is_flag=True, cls=Option, help="With --json: without what was done on each host.")
@options.json_option()
def list_runs(limit: int, brief: bool, as_json: bool, **wanted: str) -> int:
    """List the latest runs, newest first."""
    from .door import api

    found = api.run(api.runs(limit, brief=brief or not as_json, **wanted))
    if as_json:
        from .jsonlines import write_json

        for run in found:
            write_json(run.to_json())
    else:
        _show_list(found)
    return 0


@click.command(
    "show",
    cls=Command,
    examples="""
    bramble runs show 20240501-1213
    # the times of each step, for a benchmark
    bramble runs show 20240501-1213 --json
    """,
)
@click.argument("id", metavar="RUN", shell_complete=complete.runs)
@options.json_option()
def show(id: str, as_json: bool) -> int:
    """Show one run, with the time of each step on each host.

    RUN is its id, or a beginning of it that no other run has.
    """
    from .door import api

    found = api.run(api.run_of(id))
    if as_json:
        from .jsonlines import write_json

        write_json(found.to_json())
    else:
        _show_run(found)
    return 0


def _show_list(found: tuple[PastRun, ...]) -> None:
    from . import summary, tables

    if not found:
        tables.say("nothing was run yet: bramble deploy SERVICE --hosts EXPR")
        return
    tables.show(
        ("run", "when", "what", "cluster", "state", "time"),
        (
            (
                run.id,
                tables.when(run.started),
                _what(run),
                run.cluster,
                run.state,
                "" if run.seconds is None else summary.seconds(run.seconds),
            )
            for run in found
        ),
        right=("time",),
    )


def _what(run: PastRun) -> str:
    dry = run.report is not None and run.report["dry"] and run.verb in ("deploy", "scale", "remove")
    return f"{run.verb} {run.service}".strip() + (", dry run" if dry else "")


def _show_run(run: PastRun) -> None:
    from rich.text import Text

    from . import summary, tables
    from .terminal import console, show

    facts = [
        ("run", run.id),
        ("command", run.command),
        ("cluster", run.cluster),
        ("started", tables.when(run.started)),
        ("state", run.state if run.exit_code is None else f"{run.state} (exit code {run.exit_code})"),
        ("time", "" if run.seconds is None else summary.seconds(run.seconds)),
    ]
    for label, value in facts:
        if value:
            tables.say(Text(f"{label:9}", style="dim").append(value, style="default"))
    if run.report:
        tables.say()
        show(console(), summary.host_table(run.report))
        for block in summary.failures(run.report):
            tables.say()
            tables.say(block)
    if run.steps:
        tables.say()
        _show_steps(run.steps)


def _show_steps(steps: tuple[StepTime, ...]) -> None:
    """A line a step, a column a host; many hosts become median and slowest."""
    from statistics import median

    from . import tables
    from .story import short

    hosts = list(dict.fromkeys(step.host for step in steps))
    rows: dict[tuple[str, str], dict[str, StepTime]] = {}
    for step in steps:
        rows.setdefault((step.group, step.step), {})[step.host] = step
    wide = len(hosts) <= _COLUMNS
    columns = hosts if wide else ["median", "slowest", "on"]
    lines = []
    for (group, title), by_host in rows.items():
        if wide:
            cells = [_time(by_host.get(host)) for host in hosts]
        else:
            slowest = max(by_host.values(), key=lambda step: step.seconds)
            cells = [f"{median(s.seconds for s in by_host.values()):.2f}", f"{slowest.seconds:.2f}", slowest.host]
        lines.append((group, short(title), *cells))
    if wide:
        totals = [f"{sum(step.seconds for step in steps if step.host == host):.2f}  " for host in hosts]
        lines.append(("", "all steps", *totals))
    tables.show(("group", "step", *columns), lines, right=columns[: None if wide else 2])
    tables.say(
        "seconds by each host's own clock; * changed something, ! failed"
        if wide
        else "seconds by each host's own clock"
    )


def _time(step: StepTime | None) -> str:
    if step is None:
        return ""
    mark = {"unchanged": " ", "passed": " ", "kept": " ", "failed": "!"}.get(step.outcome, "*")
    return f"{step.seconds:.2f} {mark}"
