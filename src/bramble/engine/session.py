"""One host for the length of a run: its connection, and the runner at the other end of it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import json
import shlex
import time
from collections.abc import AsyncIterator
from typing import Any

from ..connection import Channel, Connection
from ..errors import BrambleError, ConnectionLost, HostBusy, HostError, PythonMissing, StepFailed, SudoFailed
from ..runner import OLDEST_PYTHON
from ..runner.facts import NO_MORE, Facts, Wanted
from ..runner.secret import Secret
from .archive import archive

#: Seconds a host may take to start Python and answer: a Zero on a slow card needs a few.
START = 60.0

#: Seconds on top of a group's own limit before a silent runner is given up.
GRACE = 60.0

#: Seconds between two words to a runner: after six that did not come, it takes us for gone (`runner.loop.SILENCE`).
BEAT = 10.0


class Session:
    """A runner at work on one host. Made by `open`, ended by `close`.

    Attributes
    ----------
    root
        Whether the runner is root on the host.
    """

    def __init__(self, connection: Connection, channel: Channel, root: bool) -> None:
        self.connection = connection
        self.name = connection.host.name
        self.root = root
        self._channel = channel
        self._start = functools.partial(start, connection)
        self._writing = asyncio.Lock()
        self._beating = asyncio.create_task(self._beat())

    @classmethod
    async def open(cls, connection: Connection, *, sudo: bool = True, password: Secret | None = None) -> Session:
        """Start the runner over a connection.

        Parameters
        ----------
        sudo
            Become root. Without it the runner can look but not change.
        password
            For sudo, where it asks for one.

        Raises
        ------
        SudoFailed
            sudo is missing, refuses this user, or wants a password that was not given or is wrong.
        PythonMissing
            No python3, or one that is too old.
        """
        channel, hello = await start(connection, "loop", sudo=sudo, password=password)
        session = cls(connection, channel, bool(hello["root"]))
        session._start = functools.partial(start, connection, sudo=sudo, password=password)
        return session

    async def beside(self, part: str) -> Channel:
        """Start another part of the runner over the same connection, with the same rights: ``transfer``.

        Raises
        ------
        As `open`.
        """
        channel, _ = await self._start(part)
        return channel

    async def facts(self, wanted: Wanted = NO_MORE) -> Facts:
        """What this host is, and what is wanted besides."""
        answer = await self._ask({"do": "facts", **vars(wanted)})
        facts = Facts.from_json(answer["facts"])
        return dataclasses.replace(facts, skew=facts.clock - time.time())

    async def lock(self, run: str, who: str) -> None:
        """Take the host's lock for this run.

        Raises
        ------
        HostBusy
            Another run has it; says which, whose and since when.
        """
        answer = await self._ask({"do": "lock", "run": run, "who": who})
        if answer["kind"] == "busy":
            raise HostBusy(
                f"another run is at work: {answer['run'] or 'unknown'}, by {answer['who']}",
                host=self.name,
                hint=f"wait for it, or look at it on the controller that started it: bramble runs show {answer['run']}",
            )

    async def journal(self) -> list[dict[str, Any]]:
        """What bramble did to this host and still stands for, as `Entry` fields."""
        answer = await self._ask({"do": "journal"})
        entries: list[dict[str, Any]] = answer["entries"]
        return entries

    async def lacking(self, service: str, steps: list[dict[str, Any]]) -> list[int]:
        """Numbers of those encoded steps that have something to do on this host."""
        answer = await self._ask({"do": "lacking", "service": service, "steps": steps})
        numbers: list[int] = answer["numbers"]
        return numbers

    async def work(self, request: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Send a ``group`` or ``undo`` and pass on what comes back, up to and with the message that ends it.

        Raises
        ------
        ConnectionLost
            The connection or the runner ended before that.
        """
        await self._send(request)
        while True:
            message = await self._receive(request["timeout"] + GRACE)
            yield message
            if message["kind"] in ("group-done", "step-failed", "step-cancelled", "reboot", "moves"):
                return

    async def cancel(self) -> None:
        """Ask the runner to finish or abandon its step cleanly. Its last message still comes through `work`."""
        try:
            await self._send({"do": "cancel"})
        except HostError:
            return  # a host that is gone has nothing to abandon; `work` reports it

    async def close(self, patience: float = 10.0) -> None:
        """End the runner, then the connection."""
        self._beating.cancel()
        self._channel.close_input()
        try:
            async with asyncio.timeout(patience):
                await self._channel.wait()
        except (TimeoutError, HostError):
            self._channel.kill()
        await self.connection.close()

    async def _beat(self) -> None:
        """Let the runner know that we are there: a network or power that goes tells it nothing."""
        with contextlib.suppress(HostError):  # whoever waits for an answer is told of a host that is gone
            while True:
                await asyncio.sleep(BEAT)
                await self._send({"do": "alive"})

    async def _send(self, message: dict[str, Any]) -> None:
        async with self._writing:
            await self._channel.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    async def _receive(self, patience: float) -> dict[str, Any]:
        try:
            async with asyncio.timeout(patience):
                return await message(self._channel)
        except TimeoutError:
            self._channel.kill()
            raise ConnectionLost(f"no word from the host for {patience:.0f} s", host=self.name) from None
        except _Ended:
            tail = self._channel.stderr_tail()
            raise ConnectionLost(
                "the connection ended in the middle",
                host=self.name,
                why=tail[-1] if tail else "",
                hint="when the host is back, run the same command again: it goes on where it stopped",
            ) from None

    async def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        await self._send(request)
        answer = await self._receive(START)
        if answer["kind"] == "step-failed":
            raise StepFailed(
                answer["what"],
                host=self.name,
                step=request["do"],
                why=answer.get("why", ""),
                hint=answer.get("hint", ""),
            )
        return answer


async def start(
    connection: Connection, part: str, *, sudo: bool = True, password: Secret | None = None
) -> tuple[Channel, dict[str, Any]]:
    """Start a part of the runner on a host, and send the runner there unless the host has it.

    Returns
    -------
    tuple
        The channel to talk to it, and how it greeted: the version of ``python``, and whether it is ``root``.

    Raises
    ------
    As `Session.open`.
    """
    host = connection.host.name
    program = f"python3 -IS -c {shlex.quote(archive().program)} {archive().name} {part}"
    first = b""
    prefix = ""
    if sudo:
        prefix = "sudo -n -- "
        if password is not None and await sudo_asks(connection):
            await _try_password(connection, password)
            prefix, first = "sudo -S -k -p '' -- ", password.reveal() + b"\n"
    script = f'[ "$(id -u)" = 0 ] && exec {program}; exec {prefix}{program}'
    channel = await connection.start(["sh", "-c", script if sudo else f"exec {program}"])
    try:
        await channel.write(first + b"bramble\n")
        async with asyncio.timeout(START):
            return channel, await _handshake(channel, host)
    except TimeoutError:
        channel.kill()
        raise ConnectionLost(f"python3 did not start within {START:.0f} s", host=host) from None
    except _Ended:
        raise await _why_not_started(channel, host) from None


async def _handshake(channel: Channel, host: str) -> dict[str, Any]:
    hello = await message(channel)
    version = tuple(int(part) for part in hello["python"].split("."))
    if version < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        raise PythonMissing(
            f"python3 is {hello['python']}, and {oldest} or later is needed",
            host=host,
            hint="burn the card anew with a release that is still maintained (bullseye or later)",
        )
    answer = await message(channel)
    if answer["kind"] == "need":
        await channel.write(b"%d\n" % len(archive().data) + archive().data)
        await message(channel)
    return hello


class _Ended(ConnectionLost):
    """The stream of the runner ended."""


async def message(channel: Channel) -> dict[str, Any]:
    """The next message of a runner.

    Raises
    ------
    ConnectionLost
        It has ended.
    """
    while True:
        line = await channel.readline()
        if not line:
            raise _Ended("the runner ended")
        # A login shell's start files may print; only JSON objects are the runner's.
        if line.startswith(b"{"):
            message: dict[str, Any] = json.loads(line)
            return message


async def sudo_asks(connection: Connection) -> bool:
    """Whether sudo wants a password on this host. Where it does not, what is sent as one would reach the command."""
    return (await connection.run(["sudo", "-n", "true"], timeout=START)).status != 0


async def _try_password(connection: Connection, password: Secret) -> None:
    """Try it apart: a wrong one would make sudo swallow the first lines meant for the runner."""
    tried = await connection.run(["sudo", "-k", "-S", "-p", "", "true"], input=password.reveal() + b"\n", timeout=START)
    if tried.status != 0:
        raise _sudo_error(connection.host.name, tried.stderr.decode(errors="replace"), given=True)


def _sudo_error(host: str, said: str, given: bool) -> SudoFailed:
    why = said.strip().splitlines()[-1].strip() if said.strip() else "sudo refused"
    if "not in the sudoers" in said or "not allowed" in said or "may not run" in said:
        return SudoFailed(
            "this user may not use sudo", host=host, why=why, hint="log in as a user who may: --user NAME"
        )
    if given:
        return SudoFailed("the sudo password is wrong", host=host, hint="give another one: --ask-sudo-password")
    return SudoFailed(
        "sudo asks for a password", host=host, why=why, hint="give it once for all hosts: --ask-sudo-password"
    )


async def _why_not_started(channel: Channel, host: str) -> BrambleError:
    try:
        async with asyncio.timeout(START):
            status = await channel.wait()
    except (TimeoutError, HostError):
        status = -1
    said = "\n".join(channel.stderr_tail())
    if "python3" in said and ("not found" in said or "No such file" in said):
        return PythonMissing("python3 is not there", host=host, hint="sudo apt-get install python3-minimal")
    if "sudo" in said and "not found" in said:
        return SudoFailed("sudo is not there", host=host, hint="log in as root, or install it: apt-get install sudo")
    if "sudo" in said or "password" in said:
        return _sudo_error(host, said, given=False)
    return ConnectionLost(f"python3 ended at once with status {status}", host=host, why=said[-500:])
