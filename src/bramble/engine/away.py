"""Hosts that are away for a while: that restart, or move to another address."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..errors import HostError
from .session import Session

#: Seconds a host may take to restart, and how often it is looked for meanwhile.
REBOOT, LOOK = 300.0, 2.0

#: Seconds a host may take to be back at its old address, after it has given the new one up.
RETURN = 60.0

#: What a runner is told where its host was found at its old address; no address looks like it.
BEFORE = "before"


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Looks for one host until it is found.

    Attributes
    ----------
    host
        Its name.
    open
        Opens a session on it, where it is thought to be.
    lock
        Takes its lock again.
    cancelled
        Whether the run was interrupted.
    """

    host: str
    open: Callable[[], Awaitable[Session]]
    lock: Callable[[Session], Awaitable[None]]
    cancelled: Callable[[], bool]

    async def restarted(self, boot_id: str) -> Session:
        """Wait until the host is back under another boot id.

        Raises
        ------
        HostError
            It was not, in time.
        """

        async def again(session: Session) -> bool:
            return (await session.facts()).boot_id != boot_id

        found, why = await self._find(REBOOT, "it never went down", again)
        if found is not None:
            return found
        raise HostError(
            f"it was not back within {REBOOT:.0f} s of its restart" if not self.cancelled() else "it was restarting",
            host=self.host,
            why=why,
            hint="look at its screen, or switch it off and on; then run the same again",
        )

    async def moved(self, deadline: float) -> Session | None:
        """Wait until the host is at its new address. None: it was not, in time."""
        found, _ = await self._find(deadline, "", _is_there)
        return found

    async def returned(self, address: str) -> Session:
        """Wait until the host is at its old address again, after it was not found at this one.

        Raises
        ------
        HostError
            It was at neither.
        """
        found, why = await self._find(RETURN, "", _is_there)
        if found is not None:
            return found
        raise HostError(
            f"it is neither at {address} nor at its old address",
            host=self.host,
            why=why,
            hint="look at its screen: ip address; it takes its old address back by itself, also after a restart of the "
            "network; then run the same again",
        )

    async def _find(
        self, patience: float, why: str, right: Callable[[Session], Awaitable[bool]]
    ) -> tuple[Session | None, str]:
        ends = time.monotonic() + patience
        while time.monotonic() < ends and not self.cancelled():
            await asyncio.sleep(min(LOOK, patience))
            try:
                # A connection to where nobody is may wait for longer than there is time.
                async with asyncio.timeout(max(1.0, ends - time.monotonic())):
                    session = await self.open()
            except HostError as error:
                why = error.what
                continue
            except TimeoutError:
                why = "no answer"
                continue
            try:
                if await right(session):
                    await self.lock(session)
                    return session, ""
            except HostError as error:
                why = error.what
            await session.close()
        return None, why


async def _is_there(_session: Session) -> bool:
    return True
