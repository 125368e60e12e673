"""Carries out a plan on all hosts at once.

Each host has one task that goes through the host's groups; a barrier is a future per group and host. A host that
fails is out; the others go on as far as the plan allows. Everything that happens is emitted as an event.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any, Literal

from ..errors import BrambleError, HostError, Interrupted
from ..plan import Group, Plan
from ..runner import events
from ..runner.events import Event
from ..runner.facts import NO_MORE, Facts, Wanted
from ..runner.secret import with_secrets
from ..runner.wire import encode
from .artifacts import Store, Stored
from .artifacts.handing import Handing
from .artifacts.steps import artifact_of, with_artifacts
from .away import BEFORE, Watch
from .report import Failure, HostResult
from .session import Session
from .tally import Tally
from .together import together

Mode = Literal["check", "apply", "verify"]

#: How to open a session on a host, by name.
Opener = Callable[[str], Awaitable[Session]]

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
        self._open = open_session
        self._moves, self._settled = moves, settled
        self._sessions: dict[str, Session] = {}
        self._tallies = {host: Tally() for host in self.hosts}
        self._cancelled = False
        self._addresses: dict[str, list[str]] = {}
        self._handing: Handing | None = None
        self._breakable: set[asyncio.Task[None]] = set()

    @property
    def cancelled(self) -> bool:
        """Whether the run was interrupted: nothing new is begun."""
        return self._cancelled

    @property
    def alive(self) -> tuple[str, ...]:
        """Hosts that have not failed."""
        return tuple(host for host in self.hosts if self._tallies[host].outcome == "done")

    def session(self, host: str) -> Session:
        """The open session of a host."""
        return self._sessions[host]

    def fail(self, host: str, error: BrambleError, *, group: str = "", step: str = "") -> None:
        """Take a host out of the run, with the reason."""
        log = tuple(getattr(error, "log", ()))
        kind = type(error).__name__
        failure = Failure(error=kind, what=error.what, why=error.why, hint=error.hint, group=group, step=step, log=log)
        self._tallies[host].out("failed", failure)
        self.emit(events.HostFailed(host=host, error=kind, what=error.what, why=error.why, hint=error.hint, log=log))

    async def connect(self, *, lock: bool) -> None:
        """Open all hosts at once; those that cannot be reached, or are locked by another run, are out."""
        await self._each(self._connect, lock)

    async def _connect(self, host: str, lock: bool) -> None:
        began = time.monotonic()
        self.emit(events.HostConnecting(host=host))
        self._sessions[host] = session = await self._open(host)
        if lock:
            await session.lock(self.id, self.who)
        self.emit(events.HostConnected(host=host, seconds=time.monotonic() - began))

    async def facts(self, wanted: Wanted = NO_MORE) -> dict[str, Facts]:
        """Facts of all hosts that are in, and what is wanted besides."""
        found: dict[str, Facts] = {}

        async def one(host: str) -> None:
            found[host] = await self._sessions[host].facts(wanted)
            self._addresses[host] = [found[host].address] if found[host].address else []

        await self._each(one)
        return {host: found[host] for host in self.hosts if host in found}

    async def journals(self) -> dict[str, list[dict[str, Any]]]:
        """What bramble did to each host that is in."""
        found: dict[str, list[dict[str, Any]]] = {}

        async def one(host: str) -> None:
            found[host] = await self._sessions[host].journal()

        await self._each(one)
        return found

    async def _each(self, work: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        async def guarded(host: str) -> None:
            try:
                await work(host, *arguments)
            except HostError as error:
                self.fail(host, error)

        await together(guarded(host) for host in self.alive)

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
            await self._handing.begin(plan, artifacts or {}, {host: self._sessions[host] for host in self.alive})
        try:
            await self._carry_out(plan, mode, secrets or {})
        finally:
            if self._handing is not None:
                await self._handing.finish(self.alive)

    async def _carry_out(self, plan: Plan, mode: Mode, secrets: Mapping[str, bytes]) -> None:
        barrier = {
            (part.title, host): asyncio.get_running_loop().create_future()
            for part in plan.groups
            for host in part.steps
        }

        def release(host: str) -> None:
            """Let nobody wait for this host any longer."""
            for (_, whose), future in barrier.items():
                if whose == host and not future.done():
                    future.set_result(None)

        async def one(host: str) -> None:
            try:
                for part in plan.of(host):
                    await self._wait(host, part, barrier)
                    if not self._goes_on(host, part) or not await self._has_arrived(host, part):
                        return
                    await self._group(host, plan.service, part, mode, secrets)
                    barrier[part.title, host].set_result(None)
                    if self._tallies[host].outcome != "done":
                        return
            finally:
                release(host)

        alive = [host for host in plan.hosts if host in self.alive]
        for host in set(plan.hosts) - set(alive):
            release(host)  # already out, or never part of this run: it will not come to its groups
        await together(one(host) for host in alive)

    async def _has_arrived(self, host: str, part: Group) -> bool:
        """Wait for the artifacts of a group. False: they cannot be had, and the host is out."""
        try:
            if self._handing is not None and any(artifact_of(step) for step in part.steps[host]):
                await self._handing.arrived(host)
        except HostError as error:
            self.fail(host, error, group=part.title)
            return False
        return self._goes_on(host, part)

    def _tell(self, host: str, one: Stored, arrived: int) -> None:
        text = f"{one.title}: {arrived / 1e6:.0f} of {one.size / 1e6:.0f} MB"
        self.emit(events.StepProgress(host=host, group="Artifacts", step=one.title, text=text))

    async def _wait(self, host: str, part: Group, barrier: Mapping[tuple[str, str], asyncio.Future[None]]) -> None:
        pending = [f for (title, _), f in barrier.items() if title in part.after and not f.done()]
        if pending:
            self.emit(events.HostWaiting(host=host, group=part.title, groups=part.after))
            await asyncio.wait(pending)

    def _goes_on(self, host: str, part: Group) -> bool:
        if self._cancelled:
            self._tallies[host].out("interrupted")
            return False
        # One that is no part of this run was left out on purpose.
        missing = [name for name in part.requires if name in self._tallies and name not in self.alive]
        if missing:
            why = f"it needs {', '.join(missing)}, which failed"
            self.emit(events.HostSkipped(host=host, group=part.title, why=why))
            self._tallies[host].out(
                "skipped", Failure(error="", what=f"“{part.title}” was not begun", why=why, group=part.title)
            )
            return False
        return True

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

        async def one(host: str) -> None:
            if host in alone:
                return
            mode, kept = "check" if dry else "apply", sorted((wanted or {}).get(host, ()))
            request = {"do": "undo", "group": title or "Put back", "service": service, "purge": purge, "mode": mode}
            await self._talk(host, {**request, "wanted": kept, "timeout": 1800.0})

        await self._each(one)

    async def _group(self, host: str, service: str, part: Group, mode: Mode, secrets: Mapping[str, bytes]) -> None:
        values = dict(secrets)
        steps = [encode(with_secrets(step, values), reveal=True) for step in part.steps[host]]
        about = {"group": part.title, "mode": mode, "service": service, "run": self.id}
        request = {"do": "group", **about, "timeout": part.timeout, "steps": steps}
        try:
            for attempt in range(part.retries + 1):
                if await self._talk(host, request, last=attempt == part.retries):
                    return
        except HostError as error:
            self.fail(host, error, group=part.title)

    async def _talk(self, host: str, request: dict[str, Any], last: bool = True) -> bool:
        """Send one request and pass on its events. False: it failed and may be tried again."""
        tally = self._tallies[host]
        away: dict[str, Any] = {}
        async for message in self._sessions[host].work(request):
            if message["kind"] in ("reboot", "moves"):
                away = message
                break
            event = events.from_json({**message, "time": time.time()}, host)
            if isinstance(event, events.StepDone):
                tally.count(event)
            if isinstance(event, events.StepFailed):
                if not last and not self._cancelled:
                    return False
                tally.step_failed(event)
            if isinstance(event, events.StepCancelled):
                self._tallies[host].out("interrupted")
            self.emit(event)
        if away.get("kind") == "reboot":
            await self._reboot(host, away["boot_id"])
            return await self._talk(host, request, last)
        if away:
            reached = await self._move(host, away["address"], away["deadline"])
            done = await self._talk(host, {**request, "reached": reached}, last)
            if reached != BEFORE and tally.outcome == "done":
                self._settled(host, reached)
            return done
        return True

    def _watch(self, host: str) -> Watch:
        return Watch(
            host=host,
            open=lambda: self._open(host),
            lock=lambda session: session.lock(self.id, self.who),
            cancelled=lambda: self._cancelled,
        )

    async def _reboot(self, host: str, boot_id: str) -> None:
        """Wait until a host that restarts is back under another boot id, and open it again."""
        self.emit(events.HostRebooting(host=host))
        await self._sessions[host].close()
        await self._is_back(host, await self._watch(host).restarted(boot_id))

    async def _move(self, host: str, address: str, deadline: float) -> str:
        """Look for a host where it is about to be; where it is not found there, wait until it is back where it was."""
        self.emit(events.HostMoving(host=host, address=address))
        await self._sessions[host].close()
        self._moves(host, address)
        found = await self._watch(host).moved(deadline)
        if found is None:
            self._moves(host, "")
            await self._is_back(host, await self._watch(host).returned(address))
            return BEFORE
        await self._is_back(host, found)
        return address

    async def _is_back(self, host: str, session: Session) -> None:
        self._sessions[host] = session
        if self._handing is not None:
            await self._handing.again(host, session)

    # The end

    async def cancel(self) -> None:
        """Ask all hosts to finish or abandon their step. The tasks of `carry_out` then end by themselves."""
        self._cancelled = True
        for task in self._breakable:
            task.cancel()
        if self._handing is not None:
            self._handing.stop()
        await asyncio.gather(*(session.cancel() for session in self._sessions.values()))

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
                self._tallies[host].out("interrupted")
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
        await asyncio.gather(*(session.close() for session in self._sessions.values()))

    def results(self) -> dict[str, HostResult]:
        """How it stands, by host."""
        return {host: self._tallies[host].result(host) for host in self.hosts}
