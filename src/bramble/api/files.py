"""Files to all hosts at once, and from them."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Unpack

from ..connection import Connection
from ..engine import copying
from ..engine.report import Report
from ..errors import UsageError
from ..runner import events
from .each import on_each
from .job import Job
from .reach import Reach, job, resolve

#: Seconds between two words on how far a host is.
_TICK = 0.5


async def copy(
    files: Sequence[str],
    *,
    to: str = "",
    sudo: bool = False,
    owner: str = "",
    mode: str = "",
    **reach: Unpack[Reach],
) -> Report:
    """Copy files and folders from here to all hosts at once. What a host has already does not go over again.

    Each file takes its place whole or not at all, when its hash is right; permissions and times are kept. Nothing that
    is there besides is touched, and no link there is followed out of the folder that was named.

    Parameters
    ----------
    files
        Paths here; folders with all that is in them. Links in them are copied as links.
    to
        A folder, where it ends with a slash or there are several files; else what the one file or folder is called
        there (a file goes into a folder that is there already). A path that does not begin with a slash begins at the
        home folder of the user who logs in; empty for that itself.
    sudo
        As root.
    owner
        ``user`` or ``user:group``, of all that is new; with ``sudo`` alone.
    mode
        Permissions of all files, in octal; empty for what they have here.

    Returns
    -------
    Report
        ``data["copies"]`` holds ``host``, ``folder``, ``changed``, ``unchanged`` and ``size`` for each host;
        ``data["left_out"]`` names sockets, devices and pipes, which cannot be copied.

    Raises
    ------
    UsageError
        There is nothing to copy, or it cannot be read, or the options do not fit.
    """
    if owner and not sudo:
        raise UsageError("only root can give files to somebody else", hint="add --sudo")
    if mode and not re.fullmatch(r"0?[0-7]{3,4}", mode):
        raise UsageError(f"{mode!r} are no permissions in octal", hint="--mode 0644")
    if not files:
        raise UsageError("there is nothing to copy")
    cluster = resolve(reach)
    found, left_out = await asyncio.to_thread(copying.gather, files)
    at_work = job("copy", cluster, reach, command=("copy", *files, *(("--to", to) if to else ())))

    async def one(connection: Connection) -> copying.Placed:
        tell = _Progress(at_work, connection.host.name, "Copy")
        password = reach.get("sudo_password")
        return await copying.place(
            connection, found, to, owner=owner, mode=mode, sudo=sudo, password=password, tell=tell
        )

    async def work() -> None:
        done = await on_each(at_work, reach, one)
        at_work.data = {"copies": [asdict(placed) for placed in done.values()], "left_out": left_out}

    return await at_work.do(work)


async def fetch(paths: Sequence[str], *, into: str = ".", sudo: bool = False, **reach: Unpack[Reach]) -> Report:
    """Fetch files and folders from all hosts at once, into a folder for each host.

    Parameters
    ----------
    paths
        Paths there, from the home folder of the user who logs in where they do not begin with a slash; folders with
        all that is in them. Links in them are fetched as links.
    into
        A folder here, which gets one for each host: ``INTO/red01/syslog``.
    sudo
        Read them as root.

    Returns
    -------
    Report
        ``data["fetched"]`` holds ``host``, ``folder``, ``files``, ``size``, ``digest`` (equal where hosts sent the
        same) and ``left_out`` for each host.

    Raises
    ------
    UsageError
        Two paths end with the same name.
    """
    if not paths:
        raise UsageError("there is nothing to fetch")
    names: dict[str, str] = {}
    for path in paths:
        name = Path(path).name
        if name in names:
            raise UsageError(f"{names[name]} and {path} would both be called {name}", hint="fetch one after the other")
        names[name] = path
    cluster = resolve(reach)
    at_work = job("fetch", cluster, reach, command=("fetch", *paths, "--into", into))
    folder = Path(into)

    async def one(connection: Connection) -> copying.Fetched:
        name = connection.host.name
        tell = _Progress(at_work, name, "Fetch")
        password = reach.get("sudo_password")
        return await copying.fetch(connection, paths, folder / name, sudo=sudo, password=password, tell=tell)

    async def work() -> None:
        at_work.data = {"fetched": [asdict(got) for got in (await on_each(at_work, reach, one)).values()]}

    return await at_work.do(work)


class _Progress:
    """Tells now and then how far a host is."""

    def __init__(self, at_work: Job, host: str, group: str) -> None:
        self._at_work, self._host, self._group = at_work, host, group
        self._told = time.monotonic()

    def __call__(self, done: int, whole: int) -> None:
        now = time.monotonic()
        if now - self._told >= _TICK:
            self._told = now
            text = f"{done / 1e6:.0f} of {whole / 1e6:.0f} MB"
            self._at_work.emit(events.StepProgress(host=self._host, group=self._group, text=text))
