"""One host of a run: its session, what happened on it so far, and what it is asked."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from ..errors import BrambleError
from ..runner import events
from ..runner.events import Event
from .away import BEFORE, Watch
from .report import Failure
from .session import Session
from .tally import Tally

#: How to open a session on a host, by name.
Opener = Callable[[str], Awaitable[Session]]


class Member:
    """A host from its first connection to its result. One that restarts or moves meanwhile is found again.

    Parameters
    ----------
    name
        Of the host.
    run, who
        As of `Run`, for its lock.
    open_session, emit, moves, settled
        As of `Run`.
    cancelled
        Whether the run was interrupted.
    back
        Told that a host that was away has another session.
    """

    def __init__(
        self,
        name: str,
        run: str,
        who: str,
        open_session: Opener,
        emit: Callable[[Event], None],
        *,
        moves: Callable[[str, str], None],
        settled: Callable[[str, str], None],
        cancelled: Callable[[], bool],
        back: Callable[[str, Session], Awaitable[None]],
    ) -> None:
        self.name = name
        self.tally = Tally()
        self.session: Session | None = None
        self._run, self._who = run, who
        self._open, self._emit = open_session, emit
        self._moves, self._settled = moves, settled
        self._cancelled, self._back = cancelled, back

    @property
    def alive(self) -> bool:
        """Whether it has not failed."""
        return self.tally.outcome == "done"

    @property
    def at_hand(self) -> Session:
        """Its session, where it is in."""
        assert self.session is not None
        return self.session

    def fail(self, error: BrambleError, *, group: str = "", step: str = "") -> None:
        """Take it out of the run, with the reason."""
        log = tuple(getattr(error, "log", ()))
        kind = type(error).__name__
        failure = Failure(error=kind, what=error.what, why=error.why, hint=error.hint, group=group, step=step, log=log)
        self.tally.out("failed", failure)
        self._emit(
            events.HostFailed(host=self.name, error=kind, what=error.what, why=error.why, hint=error.hint, log=log)
        )

    async def connect(self, *, lock: bool) -> None:
        """Open its session, and take its lock."""
        began = time.monotonic()
        self._emit(events.HostConnecting(host=self.name))
        self.session = await self._open(self.name)
        if lock:
            await self._lock(self.session)
        self._emit(events.HostConnected(host=self.name, seconds=time.monotonic() - began))

    async def ask(self, request: dict[str, Any], last: bool = True) -> bool:
        """Send one request and pass on its events. False: it failed and may be tried again."""
        away: dict[str, Any] = {}
        async for message in self.at_hand.work(request):
            if message["kind"] in ("reboot", "moves"):
                away = message
                break
            event = events.from_json({**message, "time": time.time()}, self.name)
            if isinstance(event, events.StepDone):
                self.tally.count(event)
            if isinstance(event, events.StepFailed):
                if not last and not self._cancelled():
                    return False
                self.tally.step_failed(event)
            if isinstance(event, events.StepCancelled):
                self.tally.out("interrupted")
            self._emit(event)
        if away.get("kind") == "reboot":
            await self._reboot(away["boot_id"])
            return await self.ask(request, last)
        if away:
            reached = await self._move(away["address"], away["deadline"])
            done = await self.ask({**request, "reached": reached}, last)
            if reached != BEFORE and self.alive:
                self._settled(self.name, reached)
            return done
        return True

    async def _reboot(self, boot_id: str) -> None:
        """Wait until it is back under another boot id, and open it again."""
        self._emit(events.HostRebooting(host=self.name))
        await self.at_hand.close()
        await self._is_back(await self._watch().restarted(boot_id))

    async def _move(self, address: str, deadline: float) -> str:
        """Look for it where it is about to be; where it is not found there, wait until it is back where it was."""
        self._emit(events.HostMoving(host=self.name, address=address))
        await self.at_hand.close()
        self._moves(self.name, address)
        found = await self._watch().moved(deadline)
        if found is None:
            self._moves(self.name, "")
            await self._is_back(await self._watch().returned(address))
            return BEFORE
        await self._is_back(found)
        return address

    async def _is_back(self, session: Session) -> None:
        self.session = session
        await self._back(self.name, session)

    def _watch(self) -> Watch:
        return Watch(host=self.name, open=lambda: self._open(self.name), lock=self._lock, cancelled=self._cancelled)

    async def _lock(self, session: Session) -> None:
        await session.lock(self._run, self._who)
