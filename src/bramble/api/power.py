"""Restarts hosts, switches them off, and tells whether one can be woken."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any, Unpack

from .. import inventory
from ..connection import Connection, Settings, connect
from ..engine.board import ask_board
from ..engine.history import History
from ..engine.report import Report
from ..engine.session import Session
from ..errors import BrambleError, HostError, Unreachable
from ..model import Cluster
from ..runner import events
from .each import on_each
from .job import Job
from .reach import Reach, job, resolve, settings

#: Seconds between two looks whether a host is there.
LOOK = 2.0


async def reboot(*, one_by_one: bool = False, deadline: float = 300.0, **reach: Unpack[Reach]) -> Report:
    """Restart hosts and wait until each is back: it answers, under another boot id.

    A host on which another run is at work is left alone.

    Parameters
    ----------
    one_by_one
        The next only when the one before is back, the manager last. Where one does not come back, the rest is left.
    deadline
        Seconds a host may take.

    Returns
    -------
    Report
        ``data["restarts"]`` holds ``host`` and ``seconds`` for each that is back.
    """
    cluster, how = resolve(reach), settings(reach)
    at_work = job("reboot", cluster, reach, command=("reboot", *(("--one-by-one",) if one_by_one else ())))
    took: dict[str, float] = {}

    async def one(connection: Connection) -> None:
        name = connection.host.name
        began = time.monotonic()
        before = await _tell(at_work, connection, "restart", reach)
        at_work.emit(events.HostRebooting(host=name))
        await _back(cluster, name, before, deadline, how)
        took[name] = time.monotonic() - began

    async def work() -> None:
        if not one_by_one:
            await on_each(at_work, reach, one)
        else:
            await _rolling(at_work, reach, one)
        order = [name for name in cluster.hostset if name in took]
        at_work.data = {"restarts": [{"host": name, "seconds": round(took[name], 1)} for name in order]}

    return await at_work.do(work)


async def poweroff(*, deadline: float = 120.0, **reach: Unpack[Reach]) -> Report:
    """Switch hosts off and wait until they no longer answer. A host on which another run is at work is left alone.

    Parameters
    ----------
    deadline
        Seconds a host may take.

    Returns
    -------
    Report
        ``data["off"]`` names the hosts that no longer answer.
    """
    cluster, how = resolve(reach), settings(reach)
    at_work = job("poweroff", cluster, reach, command=("poweroff",))

    async def one(connection: Connection) -> None:
        before = await _tell(at_work, connection, "off", reach)
        await _gone(cluster, connection.host.name, before, deadline, how)

    async def work() -> None:
        at_work.data = {"off": list(await on_each(at_work, reach, one))}

    return await at_work.do(work)


async def wake(**reach: Unpack[Reach]) -> Report:
    """Tell which hosts are on, and of the others how they can be woken. No Raspberry Pi can be over the network.

    Returns
    -------
    Report
        ``data["on"]`` names the hosts that answer; the others have failed, with what can be done.
    """
    cluster, how = resolve(reach), settings(reach)
    at_work = job("wake", cluster, reach, command=("wake",))
    models = {host: facts.model for host, facts in History(inventory.folders.history()).facts(cluster.name).items()}

    async def work() -> None:
        answering = []

        async def one(name: str) -> None:
            try:
                await (await connect(cluster.host(name), how)).close()
            except Unreachable as error:
                at_work.run.fail(name, _asleep(name, models.get(name, ""), error))
                return
            except HostError:
                pass  # it does not let us in, but it is on
            answering.append(name)

        await at_work.run.here(_together(one(name) for name in cluster.hostset), "while hosts were looked for")
        at_work.data = {"on": [name for name in cluster.hostset if name in answering]}

    return await at_work.do(work)


def what_stops(cluster: Cluster) -> tuple[str, ...]:
    """What is deployed on these hosts, a sentence each, for the question before they go down."""
    whole = inventory.load(cluster.name) if cluster.file else cluster
    told = []
    for service, deployment in whole.services.items():
        members = cluster.members_of(service)
        manager = deployment.manager or whole.manager
        if members:
            role = f", and {manager} manages it" if manager in members and len(whole.hosts) > 1 else ""
            told.append(f"{service} is on {members}{role}")
    return tuple(told)


async def _together(work: Iterable[Any]) -> None:
    await asyncio.gather(*work)


async def _rolling(at_work: Job, reach: Reach, one: Any) -> None:
    names = sorted(at_work.cluster.hostset, key=lambda name: name == at_work.cluster.manager)
    for number, name in enumerate(names):
        await on_each(at_work, reach, one, hosts=[name])
        if name not in at_work.run.alive:
            for left in names[number + 1 :]:
                at_work.run.fail(left, HostError("it was not restarted", host=left, why=f"{name} is not back"))
            return


async def _tell(at_work: Job, connection: Connection, what: str, reach: Reach) -> str:
    """Tell a host to go down, unless somebody is at work there. Returns the id of this boot."""
    password = reach.get("sudo_password")
    # The lock is only looked at: what holds it would be cut off in the middle.
    session = await Session.open(connection, password=password)
    try:
        await session.lock(at_work.id, at_work.run.who)
        answer = await ask_board(connection, {"do": what}, password)
        boot_id: str = answer["boot_id"]
        return boot_id
    finally:
        await session.close()


async def _back(cluster: Cluster, name: str, before: str, deadline: float, how: Settings) -> None:
    """Wait until a host answers under another boot id.

    Raises
    ------
    Unreachable
        It did not in time.
    """
    ends = time.monotonic() + deadline
    why = "it never went down"
    while time.monotonic() < ends:
        await asyncio.sleep(LOOK)
        try:
            if await _boot_id(cluster, name, how) != before:
                return
        except HostError as error:
            why = error.what
    raise Unreachable(
        f"it was not back within {deadline:.0f} s of its restart",
        host=name,
        why=why,
        hint="look at its screen, or switch its power off and on; a slow card needs more: --deadline SECONDS",
    )


async def _gone(cluster: Cluster, name: str, before: str, deadline: float, how: Settings) -> None:
    """Wait until a host no longer answers.

    Raises
    ------
    HostError
        It still does, or it came back.
    """
    ends = time.monotonic() + deadline
    while time.monotonic() < ends:
        await asyncio.sleep(LOOK)
        try:
            if await _boot_id(cluster, name, how) != before:
                raise StillThere("it restarted instead of going off", host=name)
        except StillThere:
            raise
        except Unreachable:
            return
        except HostError:
            continue  # it goes down in the middle of a login
    hint = f"see what it waits for: bramble run --hosts {name} -- systemctl list-jobs"
    raise StillThere(f"it still answers, {deadline:.0f} s after it was told to go off", host=name, hint=hint)


class StillThere(HostError):
    """A host that should be off is not."""


async def _boot_id(cluster: Cluster, name: str, how: Settings) -> str:
    async with await connect(cluster.host(name), how) as connection:
        done = await connection.run(["cat", "/proc/sys/kernel/random/boot_id"], timeout=LOOK * 5)
    return done.stdout.decode().strip()


def _asleep(name: str, model: str, error: BrambleError) -> Unreachable:
    # No board of theirs wakes by a network packet: the network chip has no power when the board is off. For the Pi 4
    # its makers say so (github.com/raspberrypi/rpi-eeprom, issue 160); a Pi 5 has a button and a clock instead.
    board = model or "a Raspberry Pi"
    hint = "switch its power off and on: at the plug, by a switchable socket, or by its port of a PoE switch"
    if "Raspberry Pi 5" in model:
        hint = f"press its power button, or {hint}"
    return Unreachable(f"{board} cannot be woken over the network", host=name, why=error.what, hint=hint)
