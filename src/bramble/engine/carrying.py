"""Carries a plan out on hosts at once.

Each host has one task that goes through the host's groups; a barrier is a future per group and host. A host that
fails is out; the others go on as far as the plan allows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Literal

from ..errors import HostError
from ..plan import Group, Plan
from ..runner import events
from ..runner.events import Event
from ..runner.secret import with_secrets
from ..runner.wire import encode
from .artifacts.handing import Handing
from .artifacts.steps import artifact_of
from .member import Member
from .report import Failure
from .together import together

Mode = Literal["check", "apply", "verify"]


class Carrying:
    """A plan on its way through the hosts of a run.

    Parameters
    ----------
    run
        Its id, as it stands in the journals.
    plan, mode, secrets
        As of `Run.carry_out`.
    members
        All hosts of the run, by name.
    handing
        What brings the plan's artifacts; None where nothing is to be brought.
    emit
        Takes every event.
    cancelled
        Whether the run was interrupted: nothing new is begun.
    """

    def __init__(
        self,
        run: str,
        plan: Plan,
        mode: Mode,
        secrets: Mapping[str, bytes],
        members: Mapping[str, Member],
        handing: Handing | None,
        emit: Callable[[Event], None],
        cancelled: Callable[[], bool],
    ) -> None:
        self._run, self._plan, self._mode, self._secrets = run, plan, mode, dict(secrets)
        self._members, self._handing = members, handing
        self._emit, self._cancelled = emit, cancelled
        self._through: dict[tuple[str, str], asyncio.Future[None]] = {}

    async def work(self) -> None:
        """Carry it out on all hosts that are in."""
        loop = asyncio.get_running_loop()
        self._through = {(part.title, host): loop.create_future() for part in self._plan.groups for host in part.steps}
        alive = [self._members[host] for host in self._plan.hosts if self._is_in(host)]
        for host in set(self._plan.hosts) - {member.name for member in alive}:
            self._release(host)  # already out, or never part of this run: it will not come to its groups
        await together(self._one(member) for member in alive)

    async def _one(self, member: Member) -> None:
        try:
            for part in self._plan.of(member.name):
                await self._wait(member, part)
                if not self._goes_on(member, part) or not await self._has_arrived(member, part):
                    return
                await self._group(member, part)
                self._through[part.title, member.name].set_result(None)
                if not member.alive:
                    return
        finally:
            self._release(member.name)

    def _release(self, host: str) -> None:
        """Let nobody wait for this host any longer."""
        for (_, whose), future in self._through.items():
            if whose == host and not future.done():
                future.set_result(None)

    async def _wait(self, member: Member, part: Group) -> None:
        pending = [f for (title, _), f in self._through.items() if title in part.after and not f.done()]
        if pending:
            self._emit(events.HostWaiting(host=member.name, group=part.title, groups=part.after))
            await asyncio.wait(pending)

    def _goes_on(self, member: Member, part: Group) -> bool:
        if self._cancelled():
            member.tally.out("interrupted")
            return False
        # One that is no part of this run was left out on purpose.
        missing = [name for name in part.requires if name in self._members and not self._is_in(name)]
        if missing:
            why = f"it needs {', '.join(missing)}, which failed"
            self._emit(events.HostSkipped(host=member.name, group=part.title, why=why))
            member.tally.out(
                "skipped", Failure(error="", what=f"“{part.title}” was not begun", why=why, group=part.title)
            )
            return False
        return True

    def _is_in(self, host: str) -> bool:
        return host in self._members and self._members[host].alive

    async def _has_arrived(self, member: Member, part: Group) -> bool:
        """Wait for the artifacts of a group. False: they cannot be had, and the host is out."""
        try:
            if self._handing is not None and any(artifact_of(step) for step in part.steps[member.name]):
                await self._handing.arrived(member.name)
        except HostError as error:
            member.fail(error, group=part.title)
            return False
        return self._goes_on(member, part)

    async def _group(self, member: Member, part: Group) -> None:
        steps = [encode(with_secrets(step, self._secrets), reveal=True) for step in part.steps[member.name]]
        about = {"group": part.title, "mode": self._mode, "service": self._plan.service, "run": self._run}
        request = {"do": "group", **about, "timeout": part.timeout, "steps": steps}
        try:
            for attempt in range(part.retries + 1):
                if await member.ask(request, last=attempt == part.retries):
                    return
        except HostError as error:
            member.fail(error, group=part.title)
