"""`bramble lab`: virtual Pis on this machine, and what can befall them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from . import complete, options
from .lazy import Command, Entry, LazyGroup, Option

if TYPE_CHECKING:
    from ..lab import LabStatus

_LAB, _HOST = "The lab", "What befalls a host"

lab = LazyGroup(
    "lab",
    help="""Start and stop virtual Pis on this machine.

    Each is a real Debian with systemd, sshd and an address of its own, and every other command can work on them. Needs
    root, on Linux.""",
    entries={
        "up": Entry("lab:up", _LAB, "Make a lab, or bring one to its full size."),
        "status": Entry("lab:status", _LAB, "Tell what the hosts of a lab are doing."),
        "shell": Entry("lab:shell", _LAB, "Open a root shell on a host."),
        "reset": Entry("lab:reset", _LAB, "Give hosts the disk of a freshly written card."),
        "down": Entry("lab:down", _LAB, "Take a lab away with all that belongs to it."),
        "kill": Entry("lab:kill", _HOST, "Cut a host's power."),
        "start": Entry("lab:start", _HOST, "Switch a host on and wait until it answers."),
        "cut": Entry("lab:cut", _HOST, "Cut a host off the network."),
        "heal": Entry("lab:heal", _HOST, "Connect a host again."),
        "pause": Entry("lab:pause", _HOST, "Stop all processes of a host where they are."),
        "resume": Entry("lab:resume", _HOST, "Let a paused host go on."),
    },
)

_name = click.option(
    "--name", metavar="LAB", default="red", cls=Option, shell_complete=complete.labs, help="Which lab (red)."
)
_of_host = click.option(
    "--name", metavar="LAB", default="", cls=Option, shell_complete=complete.labs,
    help="Which lab; else the host's name without its number.",
)  # fmt: skip
_host = click.argument("host", metavar="HOST", shell_complete=complete.lab_hosts)


def _lab_of(name: str, host: str) -> str:
    """The lab of a host: its hosts are called NAME, NAME01, NAME02, ..."""
    return name or host.rstrip("0123456789") or host


@click.command(
    cls=Command,
    examples="""
    bramble lab up
    bramble lab up --size 4 --name blue --release bookworm,trixie
    bramble deploy slurm --cluster lab
    """,
)
@click.option("--size", type=click.IntRange(1), metavar="NUMBER", cls=Option, help="How many hosts (3).")
@_name
@click.option(
    "--release", metavar="NAME", cls=Option,
    help="Debian release of new hosts: bookworm, trixie; more than one, with commas, are dealt out in turn.",
)  # fmt: skip
@click.option(
    "--containers", is_flag=True, cls=Option,
    help="New hosts can run containers; each then has a copy of the whole system, not a layer over it.",
)  # fmt: skip
@options.json_option()
def up(size: int | None, name: str, release: str | None, containers: bool, as_json: bool) -> int:
    """Make a lab, or bring one to its full size.

    A lab that runs is left as it is; hosts that are off are started, missing ones are added.
    """
    from .. import lab as rooms

    made = rooms.up(size, name, release, containers=containers, progress=_say)
    _show(made, as_json)
    if not as_json:
        click.echo(f"\nthey are the cluster {made.cluster}: bramble deploy slurm --cluster {made.cluster}", err=True)
    return 0


@click.command(cls=Command, examples="bramble lab status")
@click.option("--name", metavar="LAB", cls=Option, shell_complete=complete.labs, help="Which lab; else all.")
@options.json_option()
def status(name: str | None, as_json: bool) -> int:
    """Tell what the hosts of a lab are doing."""
    from .. import lab as rooms

    found = (rooms.status(name),) if name else rooms.labs()
    for number, one in enumerate(found):
        if number and not as_json:
            click.echo()
        _show(one, as_json)
    if not found and not as_json:
        click.echo("there is no lab: bramble lab up")
    return 0


@click.command(cls=Command, examples="bramble lab down")
@_name
def down(name: str) -> int:
    """Take a lab away with all that belongs to it.

    What a killed command left behind goes, too.
    """
    from .. import lab as rooms

    there = any(one.name == name for one in rooms.labs())
    rooms.down(name, progress=_say)
    click.echo(f"lab {name} is gone" if there else f"there was no lab {name}")
    return 0


@click.command(
    cls=Command,
    examples="""
    bramble lab reset
    bramble lab reset red01
    """,
)
@click.argument("hosts", nargs=-1, metavar="[HOST...]", shell_complete=complete.lab_hosts)
@_of_host
@options.yes_option()
def reset(hosts: tuple[str, ...], name: str, yes: bool) -> int:
    """Give hosts the disk of a freshly written card.

    All hosts of the lab, where none is named. Their keys and addresses stay.
    """
    from .. import lab as rooms
    from .terminal import confirm

    chosen = _lab_of(name, hosts[0]) if hosts else name or "red"
    confirm(f"Wipe {', '.join(hosts) or 'all hosts'} of lab {chosen}?", yes=yes)
    _show(rooms.reset(chosen, *hosts))
    return 0


@click.command(cls=Command, examples="bramble lab shell red01")
@_host
@_of_host
def shell(host: str, name: str) -> int:
    """Open a root shell on a host.

    It goes past network and sshd. The exit code is the shell's.
    """
    from .. import lab as rooms

    return rooms.shell(_lab_of(name, host), host)


def _on_hosts(verb: str, summary: str, done: str) -> click.Command:
    """A command that does the same to each host that is named."""

    @click.command(verb, cls=Command, help=summary, examples=f"bramble lab {verb} red01")
    @click.argument("hosts", nargs=-1, required=True, metavar="HOST...", shell_complete=complete.lab_hosts)
    @_of_host
    def command(hosts: tuple[str, ...], name: str) -> int:
        from .. import lab as rooms

        act: Callable[..., Any] = getattr(rooms, verb)
        for host in hosts:
            act(_lab_of(name, host), host)
            click.echo(f"{host} {done}")
        return 0

    return command


kill = _on_hosts("kill", "Cut a host's power.\n\nNothing is written any more. Its disk stays.", "is off")
start = _on_hosts("start", "Switch a host on and wait until it answers.", "is on")
cut = _on_hosts("cut", "Cut a host off the network.\n\nIt runs on.", "is cut off")
heal = _on_hosts("heal", "Connect a host again.", "is connected")
pause = _on_hosts("pause", "Stop all processes of a host where they are.", "is paused")
resume = _on_hosts("resume", "Let a paused host go on.", "goes on")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _show(found: LabStatus, as_json: bool = False) -> None:
    if as_json:
        from .jsonlines import write_json

        write_json(found.to_json())
        return
    from . import tables

    words = {True: "yes", False: "cut off", None: ""}
    tables.say(f"lab {found.name}, cluster {found.cluster}")
    tables.show(
        ("host", "address", "release", "power", "network"),
        ((host.name, host.address, host.release, host.power, words[host.connected]) for host in found.hosts),
    )
    key, known = (path.replace(os.path.expanduser("~/"), "~/", 1) for path in (found.key, found.known_hosts))
    tables.say(f"ssh -i {key} -o UserKnownHostsFile={known} pi@{found.hosts[0].address}")
