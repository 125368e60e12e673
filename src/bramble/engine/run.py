"""The hosts of one run, from the first connection to the report; and how they come to a stop where it is interrupted.

A host that fails is out; the others go on. Everything that happens is emitted as an event.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from typing import Any

from ..errors import BrambleError, HostError, Interrupted
from ..plan import Plan
from ..runner import events
from ..runner.events import Event
from ..runner.facts import NO_MORE, Facts, Wanted
from .artifacts import Store, Stored
from .artifacts.handing import Handing
from .artifacts.steps import with_artifacts
from .carrying import Carrying, Mode
from .member import Member, Opener
from .report import HostResult
from .session import Session
from .together import together

#: Seconds that hosts have to finish or abandon their step after an interrupt; dpkg is never cut, so it may take long.
ABANDON = 300.0


class Run:
    """The hosts of one run, from the first connection to the report.

    Parameters
    ----------
    id
        Of this run, as it stands in locks, journals and the history.
    who
        ``user@controller``, for those who find the host locked.
    hosts
        Names, in the order in which they are reported.
    open_session
        Opens a host's session; raises `HostError`.
    emit
        Takes every event.
    moves
        Told where ``open_session`` is to look for a host from now on; empty for where it always was.
    settled
        Told that a host stays at its new address.
    """

    def __init__(
        self,
        id: str,
        who: str,
        hosts: Iterable[str],
        open_session: Opener,
        emit: Callable[[Event], None],
        *,
        moves: Callable[[str, str], None] = lambda host, address: None,
        settled: Callable[[str, str], None] = lambda host, address: None,
    ) -> None:
        self.id = id
        self.who = who
        self.hosts = tuple(hosts)
        self.emit = emit
        self._cancelled = False
        self._handing: Handing | None = None
        self._breakable: set[asyncio.Task[None]] = set()
        self._addresses: dict[str, list[str]] = {}
        self._members = {
            host: Member(
                host, id, who, open_session, emit,
                moves=moves, settled=settled, cancelled=lambda: self._cancelled, back=self._is_back,
            )
            for host in self.hosts
        }  # fmt: skip

    @property
    def cancelled(self) -> bool:
        """Whether the run was interrupted: nothing new is begun."""
        return self._cancelled

    @property
    def alive(self) -> tuple[str, ...]:
        """Hosts that have not failed."""
        return tuple(host for host, member in self._members.items() if member.alive)

    def session(self, host: str) -> Session:
        """The open session of a host."""
        return self._members[host].at_hand

    def fail(self, host: str, error: BrambleError, *, group: str = "", step: str = "") -> None:
        """Take a host out of the run, with the reason."""
        self._members[host].fail(error, group=group, step=step)

    async def connect(self, *, lock: bool) -> None:
        """Open all hosts at once; those that cannot be reached, or are locked by another run, are out."""
        await self._each(lambda member: member.connect(lock=lock))

    async def facts(self, wanted: Wanted = NO_MORE) -> dict[str, Facts]:
        """Facts of all hosts that are in, and what is wanted besides."""
        found: dict[str, Facts] = {}

        async def one(member: Member) -> None:
            found[member.name] = answer = await member.at_hand.facts(wanted)
            self._addresses[member.name] = [answer.address] if answer.address else []

        await self._each(one)
        return {host: found[host] for host in self.hosts if host in found}

    async def journals(self) -> dict[str, list[dict[str, Any]]]:
        """What bramble did to each host that is in."""
        found: dict[str, list[dict[str, Any]]] = {}

        async def one(member: Member) -> None:
            found[member.name] = await member.at_hand.journal()

        await self._each(one)
        return found

    async def _each(self, work: Callable[[Member], Awaitable[None]]) -> None:
        async def guarded(member: Member) -> None:
            try:
                await work(member)
            except HostError as error:
                member.fail(error)

        await together(guarded(self._members[host]) for host in self.alive)

    # Plans

    async def carry_out(
        self,
        plan: Plan,
        mode: Mode,
        secrets: Mapping[str, bytes] | None = None,
        artifacts: Mapping[str, Stored] | None = None,
        store: Store | None = None,
    ) -> None:
        """Carry out a plan on the hosts that are in.

        Parameters
        ----------
        mode
            ``check`` changes nothing and tells what would change; ``verify`` runs probes.
        secrets
            Values for the secrets the plan names.
        artifacts, store
            The plan's artifacts by their ids, as far as they are at hand, and where; all of them for ``apply``.
        """
        plan = with_artifacts(plan, artifacts or {})
        self._handing = None
        if mode == "apply" and store is not None and plan.artifacts:
            self._handing = Handing(store, self._addresses, self._tell, lambda text: self.emit(events.Note(text=text)))
            await self._handing.begin(plan, artifacts or {}, {host: self.session(host) for host in self.alive})
        try:
            at_work = Carrying(
                self.id, plan, mode, secrets or {}, self._members, self._handing, self.emit, lambda: self._cancelled
            )
            await at_work.work()
        finally:
            if self._handing is not None:
                await self._handing.finish(self.alive)

    def _tell(self, host: str, one: Stored, arrived: int) -> None:
        text = f"{one.title}: {arrived / 1e6:.0f} of {one.size / 1e6:.0f} MB"
        self.emit(events.StepProgress(host=host, group="Artifacts", step=one.title, text=text))

    async def _is_back(self, host: str, session: Session) -> None:
        if self._handing is not None:
            await self._handing.again(host, session)

    async def undo(
        self,
        service: str,
        *,
        purge: bool,
        dry: bool,
        wanted: Mapping[str, set[str]] | None = None,
        besides: Iterable[str] = (),
        title: str = "",
    ) -> None:
        """Put back what a service did to the hosts that are in, in reverse.

        Parameters
        ----------
        purge
            Data goes, too.
        wanted
            Resources by host that a plan still wants: only the rest is put back.
        besides
            Hosts that are left alone.
        """
        alone = set(besides)

        async def one(member: Member) -> None:
            if member.name in alone:
                return
            mode, kept = "check" if dry else "apply", sorted((wanted or {}).get(member.name, ()))
            request = {"do": "undo", "group": title or "Put back", "service": service, "purge": purge, "mode": mode}
            await member.ask({**request, "wanted": kept, "timeout": 1800.0})

        await self._each(one)

    # The end

    async def cancel(self) -> None:
        """Ask all hosts to finish or abandon their step. The tasks of `carry_out` then end by themselves."""
        self._cancelled = True
        for task in self._breakable:
            task.cancel()
        if self._handing is not None:
            self._handing.stop()
        await asyncio.gather(*(session.cancel() for session in self._sessions()))

    async def finish(self, work: Awaitable[None]) -> None:
        """Await ``work``; when cancelled, let the hosts come to a clean stop first.

        Raises
        ------
        Interrupted
        """
        task = asyncio.ensure_future(work)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await self.cancel()
            done, _ = await asyncio.wait([task], timeout=ABANDON)
            if not done:
                task.cancel()
                await asyncio.wait([task])
            for host in self.alive:
                self._members[host].tally.out("interrupted")
            error = None if task.cancelled() else task.exception()
            if error and (isinstance(error, Interrupted) or not isinstance(error, BrambleError)):
                raise error from None  # it knows better; and a mistake of ours must not hide behind the interrupt
            raise Interrupted("interrupted; every host stopped between two steps") from None

    async def here(self, work: Coroutine[Any, Any, None], broken: str = "before any host was touched") -> None:
        """Do something long on the controller, which an interrupt breaks off at once; ``broken`` says how that is told.

        Raises
        ------
        Interrupted
        """
        task = asyncio.create_task(work)
        self._breakable.add(task)
        await asyncio.wait([task])
        if task.cancelled():
            raise Interrupted(f"interrupted {broken}")
        task.result()

    async def close(self) -> None:
        """End all sessions."""
        await asyncio.gather(*(session.close() for session in self._sessions()))

    def results(self) -> dict[str, HostResult]:
        """How it stands, by host."""
        return {host: member.tally.result(host) for host, member in self._members.items()}

    def _sessions(self) -> Iterator[Session]:
        return (member.session for member in self._members.values() if member.session is not None)
