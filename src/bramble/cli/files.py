"""`bramble copy` and `bramble fetch`: files to all hosts, and from them."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import click

from ..errors import UsageError
from . import options
from .complaint import warn
from .lazy import Command, Option

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..api import Reach
    from ..engine.report import Report


@click.command(
    cls=Command,
    examples="""
    # into the home folder of the user who logs in
    bramble copy notes.txt data --hosts "red[01-02]"
    bramble copy hosts.conf --to /etc/hosts.conf --sudo --mode 0644 --cluster red
    bramble copy site/ --to /srv/site --sudo --owner www-data --cluster red
    """,
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path())
@click.option(
    "--to", metavar="PATH", default="", cls=Option,
    help="A folder, where it ends with / or there are several files; else the new name. Without it, the home folder.",
)  # fmt: skip
@click.option("--sudo", is_flag=True, cls=Option, help="As root.")
@click.option("--owner", metavar="USER[:GROUP]", default="", cls=Option, help="Whose they are; needs --sudo.")
@click.option("--mode", metavar="OCTAL", default="", cls=Option, help="Permissions of all files; else as here.")
@options.reach()
@options.output()
def copy(
    files: tuple[str, ...],
    to: str,
    sudo: bool,
    owner: str,
    mode: str,
    reached: options.Reached,
    output: options.Output,
) -> int:
    """Copy files and folders to all hosts at once.

    What a host has already does not go over again. Each file takes its place whole or not at all, with its permissions
    and time; the hash is checked there. Nothing else in a folder is touched, and links there are not followed.
    """
    from . import tables
    from .carry import carry_out, conclude, display
    from .door import api
    from .story import fold

    _no_remote_names(files)

    async def work(reach: Reach) -> list[Report]:
        return [await api.copy(files, to=to, sudo=sudo, owner=owner, mode=mode, **reach)]

    reports = carry_out(work, reached, display(output, transient=True))
    if not output.json:
        _warn_of(path for report in reports for path in report.data["left_out"])
        copies = [one for report in reports for one in report.data["copies"]]
        for (folder, changed, same), alike in _groups(copies, "folder", "changed", "unchanged").items():
            told = f"{changed} changed" if not same else f"{changed} changed, {same} as they were"
            tables.say(f"{fold(alike)}: {folder}: {told if changed else 'all as it was'}")
    return conclude(reports, told=output.json)


@click.command(
    cls=Command,
    examples="""
    bramble fetch /etc/os-release --hosts "red[01-02]"
    bramble fetch /var/log/syslog /etc/slurm --sudo --into logs --cluster red
    """,
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--into", metavar="FOLDER", default=".", cls=Option, type=click.Path(file_okay=False),
    help="A folder here, which gets one for each host; else the current one.",
)  # fmt: skip
@click.option("--sudo", is_flag=True, cls=Option, help="Read them as root.")
@options.reach()
@options.output()
def fetch(paths: tuple[str, ...], into: str, sudo: bool, reached: options.Reached, output: options.Output) -> int:
    """Fetch files and folders from all hosts at once.

    They come into a folder for each host: logs/red01/syslog. Hosts that sent the same are told together.
    """
    from . import tables
    from .carry import carry_out, conclude, display
    from .door import api
    from .story import fold
    from .summary import count

    async def work(reach: Reach) -> list[Report]:
        return [await api.fetch(paths, into=into, sudo=sudo, **reach)]

    reports = carry_out(work, reached, display(output, transient=True))
    if not output.json:
        got = [one for report in reports for one in report.data["fetched"]]
        _warn_of(f"{one['host']}: {path}" for one in got for path in one["left_out"])
        groups = _groups(got, "digest", "files", "size")
        for (_, files, size), alike in groups.items():
            same = " each, all the same" if len(alike) > 1 else ""
            tables.say(f"{fold(alike)}: {count(files, 'file')}, {_bytes(size)}{same}")
    return conclude(reports, told=output.json)


def _groups(found: Iterable[dict[str, Any]], *keys: str) -> dict[tuple[Any, ...], list[str]]:
    """Names of the hosts for which these values are alike."""
    groups: dict[tuple[Any, ...], list[str]] = {}
    for one in found:
        groups.setdefault(tuple(one[key] for key in keys), []).append(one["host"])
    return groups


def _bytes(size: int) -> str:
    from . import tables

    return tables.size(size) if size >= 10 * 2**20 else f"{size / 1024:.1f} kB" if size >= 1024 else f"{size} bytes"


def _warn_of(left_out: Iterable[str]) -> None:
    for path in left_out:
        warn(f"{path} is left out: it is a socket, a device or a pipe")


def _no_remote_names(files: tuple[str, ...]) -> None:
    """Tell those who write it as for scp how it is written here."""
    remote = re.fullmatch(r"(?P<hosts>[^/:]+):(?P<path>.*)", files[-1])
    if remote and not os.path.lexists(files[-1]):
        to = f" --to {remote['path']}" if remote["path"] else ""
        here = " ".join(files[:-1]) or "FILE"
        raise UsageError(f"{files[-1]} is not a file here", hint=f'bramble copy {here}{to} --hosts "{remote["hosts"]}"')
