"""Commands about services on hosts: deploy, verify, status, scale, remove."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from ..errors import UsageError
from . import complete, options
from .lazy import Command, Option

if TYPE_CHECKING:
    from ..api import Reach
    from ..engine.report import Report

_services = click.argument("services", nargs=-1, required=True, metavar="SERVICE...", shell_complete=complete.services)
_service = click.argument("service", metavar="SERVICE", shell_complete=complete.services)
no_verify_option = click.option(
    "--no-verify", is_flag=True, cls=Option, help="Do not prove at the end that the service does its work."
)


@click.command(
    cls=Command,
    examples="""
    bramble deploy slurm --hosts "red,red[01-02]"
    bramble deploy slurm --cluster red --dry-run --diff
    # options of a service, and what they mean: bramble services slurm
    bramble deploy slurm --cluster red --set accounting=true
    # logins at private registries, from a file that only you can read
    bramble deploy kubernetes --cluster red --set pull_secret=logins.json
    """,
)
@_services
@options.settings_option()
@options.dry_run_option()
@no_verify_option
@options.reach()
@options.output(diff=True)
def deploy(
    services: tuple[str, ...],
    settings: dict[str, str],
    dry_run: bool,
    no_verify: bool,
    reached: options.Reached,
    output: options.Output,
) -> int:
    """Bring services up on hosts, and prove that they work.

    What is there already stays as it is: a second run changes nothing, and a run that was cut off goes on where it
    stopped. Options of a service are kept in the cluster's file. More than one service: one after the other, until one
    fails.
    """
    if settings and len(services) > 1:
        raise UsageError("--set belongs to one service", hint="deploy them one by one, each with its options")
    from .door import api

    chosen = options.with_standard_input(services[0], settings)

    async def one(service: str, reach: Reach) -> Report:
        return await api.deploy(service, options=chosen, dry_run=dry_run, verify=not no_verify, **reach)

    return carry_out_on_services(one, services, reached, output, until_failure=True)


@click.command(
    cls=Command,
    examples="""
    bramble verify slurm
    bramble verify slurm --cluster red --json
    # a node is lost for a minute, and its pods come up elsewhere
    bramble verify kubernetes --deep
    """,
)
@_services
@click.option(
    "--deep", is_flag=True, cls=Option,
    help="Prove also what takes longer and stops something for a while, such as the loss of a host.",
)  # fmt: skip
@options.reach()
@options.output()
def verify(services: tuple[str, ...], deep: bool, reached: options.Reached, output: options.Output) -> int:
    """Prove by real work that services work.

    On every host that they should. Exit code 3 means that a service is there but does not do its work; the failures
    name host and cause.
    """
    from .door import api

    return carry_out_on_services(
        lambda service, reach: api.verify(service, deep=deep, **reach), services, reached, output
    )


@click.command(
    cls=Command,
    examples="""
    bramble scale slurm --add red03
    bramble scale slurm --drop "red[02-03]"
    """,
)
@_service
@click.option("--add", metavar="EXPR", default="", cls=Option, help="Hosts that join.")
@click.option(
    "--drop", metavar="EXPR", default="", cls=Option, shell_complete=complete.hosts,
    help="Hosts that leave: drained first, then left as they were found.",
)  # fmt: skip
@options.dry_run_option()
@no_verify_option
@options.yes_option()
@options.reach(several=False)
@options.output(diff=True)
def scale(
    service: str,
    add: str,
    drop: str,
    dry_run: bool,
    no_verify: bool,
    yes: bool,
    reached: options.Reached,
    output: options.Output,
) -> int:
    """Add hosts to a service, or take hosts out of it.

    The others are not disturbed.
    """
    from .door import api
    from .terminal import confirm

    if drop and not dry_run:
        leaving = api.hosts_expand(drop, cluster=reached.one.get("cluster", ""))
        confirm(f"Take {leaving} out of {service}?", yes=yes)

    async def one(service: str, reach: Reach) -> Report:
        return await api.scale(service, add=add, drop=drop, dry_run=dry_run, verify=not no_verify, **reach)

    return carry_out_on_services(one, (service,), reached, output)


@click.command(
    cls=Command,
    examples="""
    bramble remove slurm
    # see first what would be put back
    bramble remove slurm --dry-run
    # the service's data, too, without a question
    bramble remove slurm --purge --yes
    """,
)
@_service
@click.option("--purge", is_flag=True, cls=Option, help="The service's data go, too. Nothing brings them back.")
@options.dry_run_option()
@options.yes_option()
@options.reach()
@options.output(diff=True)
def remove(
    service: str, purge: bool, dry_run: bool, yes: bool, reached: options.Reached, output: options.Output
) -> int:
    """Take a service off, and leave each host as it was found.

    What another service needs stays; a file that somebody changed since stays, and is named; data stay without --purge.
    """
    from .door import api, resolve
    from .terminal import confirm

    if not dry_run:
        where = ", ".join(str(resolve(reach).hostset) for reach in reached.each)
        (info,) = api.run(api.services(service))
        lost = f"This ends {info.loses}. " if info.loses else ""
        data = "Its data go, too" if purge else "Its data stay"
        confirm(f"Remove {service} from {where}? {lost}{data}.", yes=yes, needed=purge)

    async def one(service: str, reach: Reach) -> Report:
        return await api.remove(service, purge=purge, dry_run=dry_run, **reach)

    return carry_out_on_services(one, (service,), reached, output)


@click.command(
    cls=Command,
    examples="""
    bramble status
    bramble status --cluster red --cluster blue
    # also what it says of itself: nodes, pods that are not ready and why, what is used
    bramble status kubernetes
    """,
)
@click.argument("service", default="", metavar="[SERVICE]", shell_complete=complete.services)
@options.reach()
@options.output()
def status(service: str, reached: options.Reached, output: options.Output) -> int:
    """Tell what is deployed where, and whether it is in order.

    Every host is compared with what was deployed; nothing is changed. Of one SERVICE, also what it says of itself.
    """
    from .carry import carry_out, conclude, display
    from .door import api

    async def work(reach: Reach) -> list[Report]:
        return [await api.status(service, **reach)]

    reports = carry_out(work, reached, display(output, transient=True))
    if not output.json:
        _show_states(reports)
    return conclude(reports, told=False)


def _show_states(reports: list[Report]) -> None:
    from . import tables
    from .story import fold

    for report in reports:
        if len(reports) > 1:
            tables.say(f"cluster {report.cluster}")
        states = report.data.get("services", [])
        if not states:
            tables.say("nothing is deployed here yet: bramble deploy SERVICE")
            continue
        tables.show(("service", "hosts", "state", "since", "run"), _alike(states))
        differences: dict[str, list[str]] = {}
        for state in states:
            for difference in state["differences"]:
                differences.setdefault(f"{state['service']}: {difference}", []).append(state["host"])
        if differences:
            tables.say()
        for difference, hosts in differences.items():
            tables.say(f"{fold(hosts)}: {difference}")
        _show_seen(report.data.get("seen", {}))


def _show_seen(seen: dict[str, list[dict[str, Any]]]) -> None:
    """What a service says of itself, a table for each title; the keys of the first row are its columns."""
    from rich.text import Text

    from . import tables
    from .story import plain

    for title, rows in seen.items():
        tables.say()
        tables.say(Text(title, style="bold"))
        columns = tuple(rows[0]) if rows else ()
        tables.show(columns, ([plain(str(row.get(column, ""))) for column in columns] for row in rows))


def _alike(states: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    """A row for hosts on which a service is the same; the time is that of the last change."""
    from . import tables
    from .story import fold

    rows: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for state in states:
        rows.setdefault((state["service"], state["state"], state["run"]), []).append(state)
    for (service, word, run), alike in rows.items():
        since = tables.when(max(one["since"] for one in alike))
        yield service, fold(one["host"] for one in alike), word, since, run


def carry_out_on_services(
    verb: Callable[[str, Any], Awaitable[Report]],
    services: tuple[str, ...],
    reached: options.Reached,
    output: options.Output,
    *,
    until_failure: bool = False,
) -> int:
    """One verb for each service in turn, on all clusters at once; the exit code."""
    from .carry import carry_out, conclude, display

    async def work(reach: Reach) -> list[Report]:
        reports: list[Report] = []
        for service in services:
            reports.append(await verb(service, reach))
            if until_failure and not reports[-1].ok:
                break
        return reports

    return conclude(carry_out(work, reached, display(output)))
