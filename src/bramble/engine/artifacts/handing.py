"""Hands artifacts to hosts: the first gets them from the controller, each other from the one before it.

Ways that are tried, in this order: from each host before this one, the nearest first, at all addresses it is known by;
then from the controller over SSH. Only hosts listen, and only for those that know this run's token, so it does not
matter what the controller's own firewall lets through; and where the hosts' does not let them talk to each other, it
only takes longer. Bytes that arrive are handed on at once, so the last host has a file hardly later than the first.
"""

from __future__ import annotations

import asyncio
import functools
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping

from ...artifact import LocalFile
from ...errors import BrambleError, HostError
from ...plan import Plan
from ...runner.step import FREE_SPACE
from ...runner.wire import encode
from ..session import Session
from .courier import Courier
from .steps import artifact_of, room_of
from .store import Store, Stored

#: Bytes that must stay free on a host.
SPARE = 200_000_000


class Handing:
    """Artifacts on their way to the hosts of one run.

    Parameters
    ----------
    store
        Where the controller has them.
    addresses
        Host → the addresses at which other hosts may reach it.
    tell
        Takes host, artifact and the bytes that have arrived there.
    note
        Takes what a person should know.
    """

    def __init__(
        self,
        store: Store,
        addresses: Mapping[str, Iterable[str]],
        tell: Callable[[str, Stored, int], None],
        note: Callable[[str], None],
    ) -> None:
        self._store = store
        self._addresses = addresses
        self._tell = tell
        self._note = note
        self._token = secrets.token_hex(32)
        self._couriers: dict[str, Courier] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ready: dict[str, asyncio.Future[None]] = {}
        self._wanted: dict[str, list[Stored]] = {}
        self._asked: Callable[[Session], Awaitable[dict[Stored, int]]]

    async def begin(self, plan: Plan, artifacts: Mapping[str, Stored], sessions: Mapping[str, Session]) -> None:
        """Start bringing hosts what they lack of a plan's artifacts. Await `arrived` before they are used.

        Returns when all hosts have said what they lack: a session answers one question at a time, so none may be at
        work meanwhile.
        """
        hosts = [host for host in sessions if host in plan.hosts]
        self._asked = functools.partial(_lacking, plan, artifacts)
        lacking = await asyncio.gather(*(self._asked(sessions[host]) for host in hosts), return_exceptions=True)
        loop = asyncio.get_running_loop()
        self._ready = {host: loop.create_future() for host in hosts}
        self._tasks = {
            host: asyncio.create_task(self._bring(host, sessions[host], wanted))
            for host, wanted in zip(hosts, lacking, strict=True)
        }

    async def arrived(self, host: str) -> None:
        """Wait until a host has all it lacked.

        Raises
        ------
        HostError
            It cannot have it; says why.
        """
        if host in self._tasks:
            task = self._tasks[host]
            await asyncio.wait([task])
            if not task.cancelled():
                task.result()

    async def again(self, host: str, session: Session) -> None:
        """Go on with a host that was away: what was at work at its end is gone with its connection.

        Its session must not be at work meanwhile, as with `begin`.
        """
        if host not in self._tasks:
            return
        self._tasks[host].cancel()
        await asyncio.gather(self._tasks[host], return_exceptions=True)
        self._wanted.pop(host, None)
        courier = self._couriers.pop(host, None)
        if courier is not None:
            await courier.close()
        [wanted] = await asyncio.gather(self._asked(session), return_exceptions=True)
        self._tasks[host] = asyncio.create_task(self._bring(host, session, wanted, to_tidy=courier is not None))

    async def _bring(
        self, host: str, session: Session, wanted: dict[Stored, int] | BaseException, *, to_tidy: bool = False
    ) -> None:
        """Bring a host what it wants; where there is something `to_tidy` in the end, a courier is needed anyway."""
        try:
            if isinstance(wanted, BaseException):
                raise wanted
            if not wanted and not to_tidy:
                return
            courier = await Courier.open(session)
            self._couriers[host] = courier
            if wanted:
                await self._require_space(host, courier, wanted)
            await courier.serve(self._token)
            self._wanted[host] = list(wanted)
        finally:
            if not self._ready[host].done():
                self._ready[host].set_result(None)
        for one in wanted:
            await self._one(host, courier, one)

    async def _require_space(self, host: str, courier: Courier, wanted: dict[Stored, int]) -> None:
        have, free, damaged = await courier.look(list(wanted))
        for text in damaged:
            self._note(f"{host}: what an earlier run left there was damaged, and is brought anew: {text}")
        missing = sum(one.size - have[one.sha256] for one in wanted)
        unpacked = sum(wanted.values())
        if missing + unpacked + SPARE > free:
            more = f"another {unpacked / 1e6:.0f} MB are needed to unpack it, and " if unpacked else ""
            raise HostError(
                f"its disk is too full: {missing / 1e6:.0f} MB are to be brought, and {free / 1e6:.0f} MB are free",
                host=host,
                why=f"{more}{SPARE / 1e6:.0f} MB more must stay free",
                hint=FREE_SPACE,
            )

    async def _one(self, host: str, courier: Courier, one: Stored) -> None:
        def tell(arrived: int) -> None:
            self._tell(host, one, arrived)

        earlier = list(self._tasks)[: list(self._tasks).index(host)]
        for other in earlier:
            await self._ready[other]
        sources = [
            (address, self._couriers[other].port)
            for other in reversed(earlier)
            if one in self._wanted.get(other, ()) and not self._failed(other)
            for address in self._addresses.get(other, ())
        ]
        if not sources or not await courier.pull(one, sources, self._token, tell):
            await courier.push(one, self._store, tell)

    def _failed(self, host: str) -> bool:
        task = self._tasks[host]
        return task.done() and (task.cancelled() or task.exception() is not None)

    def stop(self) -> None:
        """Bring nothing more: the run was interrupted. What arrived so far is gone on with by the next."""
        for task in self._tasks.values():
            task.cancel()

    async def finish(self, satisfied: Iterable[str]) -> None:
        """End it all. Hosts that are through (``satisfied``) need no copy for another try."""
        self.stop()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        through = set(satisfied)
        await asyncio.gather(*(self._end(host, courier, host in through) for host, courier in self._couriers.items()))

    async def _end(self, host: str, courier: Courier, satisfied: bool) -> None:
        try:
            if satisfied:
                await courier.tidy()
        except BrambleError:
            pass  # it is gone just now; what lies there goes with the next run, or with the last service
        await courier.close()


async def _lacking(plan: Plan, artifacts: Mapping[str, Stored], session: Session) -> dict[Stored, int]:
    """What a host must be brought, in the order of the plan; and the bytes that it takes there beside itself."""
    steps = [step for part in plan.of(session.name) for step in part.steps[session.name] if artifact_of(step)]
    numbers = await session.lacking(plan.service, [encode(step) for step in steps]) if steps else []
    wanted = [steps[number] for number in numbers]
    ids = {artifact_of(step) for step in wanted}
    for one in plan.artifacts:
        if one.id in ids and one.id not in artifacts and isinstance(one.source, LocalFile):
            what = f"{one.title} is not on this host, and not kept on this machine any more"
            raise HostError(what, host=session.name, hint=one.source.again)
    found: dict[Stored, int] = {}
    for step in wanted:
        stored = artifacts[artifact_of(step)]
        found[stored] = found.get(stored, 0) + room_of(step)
    return found
