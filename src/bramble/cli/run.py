"""`bramble run`: one command on all hosts at once, equal answers told once."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Any

import click

from . import options
from .complaint import coloured
from .lazy import Command, Option

if TYPE_CHECKING:
    from ..api import Reach
    from ..engine.report import Report


@click.command(
    cls=Command,
    context_settings={"allow_interspersed_args": False},
    examples="""
    bramble run --hosts "red[01-02]" -- uptime
    bramble run --cluster red --sudo -- systemctl restart munge
    # one word is a line for the shell of the hosts
    bramble run --hosts @workers -- 'df -h / | tail -1'
    """,
)
@click.argument("argv", nargs=-1, required=True, metavar="-- COMMAND...", type=click.UNPROCESSED)
@click.option("--sudo", is_flag=True, cls=Option, help="As root.")
@click.option(
    "--timeout", type=click.FloatRange(0, min_open=True), metavar="SECONDS", default=60.0, cls=Option,
    help="When to give up on a host that is still at it (60).",
)  # fmt: skip
@options.reach()
@options.output()
def run(argv: tuple[str, ...], sudo: bool, timeout: float, reached: options.Reached, output: options.Output) -> int:
    """Run one command on all hosts at once.

    Hosts that said the same share a heading. The exit code is 1 when the command failed on some host.
    """
    from .carry import carry_out, conclude, display
    from .door import api

    async def work(reach: Reach) -> list[Report]:
        return [await api.command(argv, sudo=sudo, timeout=timeout, **reach)]

    reports = carry_out(work, reached, display(output, transient=True))
    if output.json:
        return conclude(reports, told=False)
    alone = len(reports) == 1 and len(reports[0].hosts) == 1
    for report in reports:
        show_answers(report.data["answers"], heading=not alone)
    return conclude([_unanswered(report) for report in reports], told=False)


def _unanswered(report: Report) -> Report:
    """The report without the causes that were told as answers."""
    answered = {answer["host"] for answer in report.data["answers"]}
    hosts = {
        name: dataclasses.replace(host, failure=None) if name in answered else host
        for name, host in report.hosts.items()
    }
    return dataclasses.replace(report, hosts=hosts)


def show_answers(answers: list[dict[str, Any]], *, heading: bool = True) -> None:
    """Write what hosts said, each answer once, to the stream it was said on."""
    from .story import fold

    alike: dict[tuple[int, str, str], list[str]] = {}
    for answer in answers:
        alike.setdefault((answer["status"], answer["stdout"], answer["stderr"]), []).append(answer["host"])
    for (status, stdout, stderr), hosts in alike.items():
        if heading:
            count = f" ({len(hosts)})" if len(hosts) > 1 else ""
            failed = f", exit status {status}" if status else ""
            text = click.style(f"--- {fold(hosts)}{count}{failed} ---", bold=True, fg="red" if status else None)
            click.echo(text, color=coloured(sys.stdout))
        _write(stdout, sys.stdout)
        _write(stderr, sys.stderr)


def _write(text: str, stream: Any) -> None:
    if text:
        stream.write(text if text.endswith("\n") else text + "\n")
        # Both streams often end on one terminal: what was said together stands together.
        stream.flush()
