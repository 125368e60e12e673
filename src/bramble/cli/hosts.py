"""`bramble hosts`: names, keys, cluster files, and whether hosts are fit for work."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING

import click

from . import complete, options
from .lazy import Command, Entry, LazyGroup, Option

if TYPE_CHECKING:
    from ..api.hosts import HostCheck

_LOOK, _FILES = "Look", "Cluster files"

hosts = LazyGroup(
    "hosts",
    help="Find, check, trust, list and expand hosts.",
    entries={
        "expand": Entry("hosts:expand", _LOOK, "Print the hosts that an expression means."),
        "find": Entry("hosts:find", _LOOK, "Look for hosts on the local network."),
        "check": Entry("hosts:check", _LOOK, "Tell whether hosts can be reached and are fit for work."),
        "trust": Entry("hosts:trust", _LOOK, "Accept the keys that hosts show, and remember them."),
        "list": Entry("hosts:list_hosts", _FILES, "List the clusters that have a file."),
        "show": Entry("hosts:show", _FILES, "Show the hosts of a cluster, and what is known of them."),
        "add": Entry("hosts:add", _FILES, "Add hosts to a cluster's file."),
        "remove": Entry("hosts:remove", _FILES, "Take hosts out of a cluster's file."),
    },
)

_expression = click.argument("expression", metavar="EXPR", shell_complete=complete.hosts)
_cluster = click.option(
    "--cluster", metavar="NAME", default="", cls=Option, shell_complete=complete.clusters, help="Which cluster."
)


@click.command(
    cls=Command,
    examples="""
    bramble hosts expand 'red,red[01-03]!red02'
    bramble hosts expand --fold "red01 red02 red03"
    getent hosts | awk '{print $2}' | bramble hosts expand --fold -
    """,
)
@_expression
@_cluster
@click.option("--fold", is_flag=True, cls=Option, help="One line, as short as it can be: red[01-03].")
@options.json_option()
def expand(expression: str, cluster: str, fold: bool, as_json: bool) -> int:
    """Print the hosts that an expression means.

    \b
    red,red[01-03]      red red01 red02 red03
    red[1-2][1-2]       red11 red12 red21 red22
    10.1.1.[1-3]        addresses
    pi@red[01-02]:2222  user and port
    red[01-09]!red05    all but one
    @workers            a group of the cluster
    -                   reads them from standard input
    """  # noqa: D301  (click's mark for lines that stay as they are)
    from .door import api

    found = api.hosts_expand(expression, cluster=cluster, lines=sys.stdin if expression == "-" else ())
    if as_json:
        from .jsonlines import write_json

        write_json({"hosts": list(found), "folded": str(found)})
    elif fold:
        click.echo(str(found))
    else:
        for name in found:
            click.echo(name)
    return 0


@click.command(cls=Command, examples="bramble hosts find")
@click.option(
    "--seconds", type=click.FloatRange(0, min_open=True), metavar="NUMBER", default=3.0, cls=Option,
    help="How long to listen (3).",
)  # fmt: skip
@options.json_option()
def find(seconds: float, as_json: bool) -> int:
    """Look for hosts on the local network.

    Who answers to multicast DNS, and who is in this machine's neighbour table; nothing is connected to.
    """
    from . import tables
    from .door import api
    from .jsonlines import write_json
    from .terminal import waiting

    with waiting("listening"):
        found = api.run(api.hosts_find(seconds=seconds))
    if as_json:
        for host in found:
            write_json(dataclasses.asdict(host))
    elif not found:
        tables.say("nobody answered: are the Pis on, and in this network?")
    else:
        words = {True: "yes", False: ""}
        tables.show(
            ("name", "address", "MAC", "Raspberry Pi", "found by"),
            ((h.name, h.address, h.mac, words[h.raspberry], ", ".join(h.sources)) for h in found),
        )
    return 0


@click.command("list", cls=Command, examples="bramble hosts list")
@options.json_option()
def list_hosts(as_json: bool) -> int:
    """List the clusters that have a file."""
    from . import tables
    from .door import api
    from .jsonlines import write_json

    found = api.hosts_list()
    if as_json:
        for cluster in found:
            write_json(dataclasses.asdict(cluster))
    elif not found:
        tables.say("there is no cluster yet: bramble hosts add EXPR --cluster NAME")
    else:
        tables.show(
            ("cluster", "hosts", "manager", "services", "file"),
            ((c.name, c.hosts, c.manager, ", ".join(c.services), c.file) for c in found),
        )
    return 0


@click.command(
    cls=Command,
    examples="""
    bramble hosts show
    bramble hosts show --cluster red --json
    """,
)
@_cluster
@options.json_option()
def show(cluster: str, as_json: bool) -> int:
    """Show the hosts of a cluster, and what is known of them.

    No host is contacted: what they are is from the last run in which they answered.
    """
    from . import tables
    from .door import api
    from .jsonlines import write_json

    found = api.hosts_show(cluster)
    if as_json:
        for host in found.hosts:
            write_json(dataclasses.asdict(host))
        return 0
    rows = []
    for host in found.hosts:
        row = [host.name, host.address, ", ".join(host.services)]
        if host.facts is None:
            row += [""] * 4
        else:
            system = f"{host.facts.os} {host.facts.release} {host.facts.codename}".strip()
            row += [system, host.facts.architecture, str(host.facts.cpus), tables.size(host.facts.memory)]
        rows.append(row)
    columns = ("host", "address", "services", "system", "arch", "processors", "memory")
    tables.show(columns, rows, right=("processors", "memory"))
    return 0


@click.command(cls=Command, examples='bramble hosts add "red,red[01-02]" --cluster red')
@_expression
@_cluster
def add(expression: str, cluster: str) -> int:
    """Add hosts to a cluster's file.

    The file is made if there is none. No host is contacted.
    """
    from .door import api

    changed = api.hosts_add(expression, cluster=cluster)
    click.echo(f"{changed.name}: {changed.hostset}  ({changed.file})")
    return 0


@click.command(cls=Command, examples="bramble hosts remove red02 --cluster red")
@_expression
@_cluster
def remove(expression: str, cluster: str) -> int:
    """Take hosts out of a cluster's file.

    No host is contacted; one that still has services is refused.
    """
    from .door import api

    changed = api.hosts_remove(expression, cluster=cluster)
    click.echo(f"{changed.name}: {changed.hostset}  ({changed.file})")
    return 0


@click.command(
    cls=Command,
    examples="""
    bramble hosts check --hosts "red,red[01-02]"
    bramble hosts check --cluster red --json
    """,
)
@options.reach()
@options.json_option()
def check(reached: options.Reached, as_json: bool) -> int:
    """Tell whether hosts can be reached and are fit for work.

    All at once, and nothing is changed: reachable, key known, python3, sudo, system, memory, disk, clock. The exit code
    is 1 when one of them is not fit.
    """
    from .door import api
    from .jsonlines import write_json
    from .terminal import waiting

    with waiting("asking the hosts"):
        found = [host for reach in reached.each for host in api.run(api.hosts_check(**reach))]
    if as_json:
        for host in found:
            write_json({**dataclasses.asdict(host), "ok": host.ok})
    else:
        _show_checks(found)
    return 0 if all(host.ok for host in found) else 1


def _show_checks(found: list[HostCheck]) -> None:
    from . import tables

    rows = []
    for host in found:
        facts = host.facts
        row = [host.host, "yes" if host.reachable else "no", host.key, host.sudo]
        if facts is None:
            row += [""] * 6
        else:
            row += [
                f"{facts.os} {facts.release} {facts.codename}".strip(),
                facts.architecture,
                facts.python,
                tables.size(facts.memory),
                tables.size(facts.disk_free),
                f"{round(facts.skew, 1) + 0.0:+.1f} s",
            ]
        rows.append(row)
    tables.show(
        ("host", "reached", "key", "sudo", "system", "arch", "python", "memory", "disk free", "clock"),
        rows,
        right=("memory", "disk free", "clock"),
    )
    problems = [(host.host, problem) for host in found for problem in host.problems]
    if problems:
        tables.say()
    for name, problem in problems:
        tables.say(f"{name}: {problem}")


@click.command(
    cls=Command,
    examples="""
    # look first, and compare with what the hosts themselves say
    bramble hosts trust --show --hosts "red,red[01-02]"
    bramble hosts trust --hosts "red,red[01-02]"
    # the card of red01 was burned anew
    bramble hosts trust --replace --hosts red01
    """,
)
@click.option("--show", is_flag=True, cls=Option, help="Only show the fingerprints.")
@click.option("--replace", is_flag=True, cls=Option, help="Also where another key was known.")
@options.reach(sudo=False)
@options.json_option()
def trust(show: bool, replace: bool, reached: options.Reached, as_json: bool) -> int:
    """Accept the keys that hosts show, and remember them.

    On a host, `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` prints the fingerprint to compare with.
    """
    from . import tables
    from .door import api
    from .jsonlines import write_json
    from .terminal import waiting

    with waiting("asking the hosts for their keys"):
        found = [key for reach in reached.each for key in api.run(api.hosts_trust(replace=replace, show=show, **reach))]
    if as_json:
        for key in found:
            write_json(dataclasses.asdict(key))
    else:
        tables.show(("host", "key", "fingerprint", "state"), ((k.host, k.kind, k.fingerprint, k.state) for k in found))
    return 0
