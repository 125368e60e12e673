"""A job of a service, as if its verb ran here: asked for, followed to its end, and ended when the caller stops."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
from httpx_sse import ServerSentEvent, SSEError, aconnect_sse

from ..api import OnEvent
from ..errors import BrambleError, Interrupted
from ..runner import events
from . import trouble
from .wire import Wire

#: Seconds between two looks whether a job that is to be cancelled has begun.
_SOON = 0.05


class Job:
    """A job that was, or is about to be, begun.

    Parameters
    ----------
    on_event
        Takes every event, once.
    """

    def __init__(self, wire: Wire, client: httpx.AsyncClient, on_event: OnEvent | None) -> None:
        self._wire, self._client, self._on_event = wire, client, on_event
        self._address = ""
        self._run = ""
        self._last = ""

    async def do(self, asking: Coroutine[Any, Any, httpx.Response]) -> Any:
        """Ask, and follow the job that comes of it to its end; the caller's cancellation ends it there, too.

        Returns
        -------
        Any
            Its result as JSON; that of an answer at once, where no job was needed.

        Raises
        ------
        Interrupted
            It was cancelled, from here or from elsewhere. Where the caller did not wait for its end, the hint tells
            how to follow it.
        BrambleError
            What ended it; or the service is gone.
        """
        work = asyncio.ensure_future(self._work(asking))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            if work.done():
                raise
        try:
            return await self._end(work)
        except asyncio.CancelledError:
            work.cancel()
            raise Interrupted("not waited for: the job comes to its end there", hint=self._where) from None

    async def _work(self, asking: Coroutine[Any, Any, httpx.Response]) -> Any:
        answer = await asking
        if answer.status_code != httpx.codes.ACCEPTED:
            return answer.json()
        self._address = urlsplit(answer.headers["location"]).path
        self._tell_of_waiting(answer.json())
        return self._result(await self._follow())

    async def _end(self, work: asyncio.Future[Any]) -> Any:
        """Cancel the job as soon as it is known, and wait for its end."""
        while not self._address and not work.done():
            await asyncio.wait((work,), timeout=_SOON)
        if self._address and not work.done():
            cancelling = asyncio.ensure_future(self._wire.ask(self._client, "POST", f"{self._address}/cancel"))
            try:
                # The answer comes when it is over; what happens until then is told meanwhile.
                return await asyncio.shield(work)
            finally:
                cancelling.cancel()
        return await asyncio.shield(work)

    @property
    def _where(self) -> str:
        return f"follow it: {self._wire.url}/jobs/{self._address.rpartition('/')[2]}"

    def _tell_of_waiting(self, job: Mapping[str, Any]) -> None:
        if job.get("state") == "queued" and self._on_event is not None:
            hosts = ", ".join(job.get("hosts") or ()) or "its hosts"
            self._on_event(events.Note(text=f"another job has {hosts}: this one waits for it"))

    # What happens in it

    async def _follow(self) -> dict[str, Any]:
        """The job as it ended."""
        pauses = iter(self._wire.pauses)
        while True:
            error: Exception | None = None
            try:
                headers = {"Last-Event-ID": self._last} if self._last else {}
                async with aconnect_sse(self._client, "GET", f"{self._address}/events", headers=headers) as source:
                    if not source.response.is_success:
                        await source.response.aread()
                        self._wire.checked(source.response)
                    async for event in source.aiter_sse():
                        pauses = iter(self._wire.pauses)
                        if event.event == "end":
                            ended: dict[str, Any] = json.loads(event.data)
                            return ended
                        self._take(event)
            except (httpx.TransportError, SSEError) as trouble_:
                error = trouble_
            pause = next(pauses, None)
            if pause is None:
                raise BrambleError(
                    f"{self._wire.name} does not answer any more; the job goes on there as far as it can",
                    why=str(error or "its answers end too early"), hint=self._where,
                )  # fmt: skip
            await asyncio.sleep(pause)

    def _take(self, sent: ServerSentEvent) -> None:
        self._last = sent.id or self._last
        try:
            event = events.from_json(json.loads(sent.data))
        except (ValueError, TypeError):
            return  # of a later version
        if isinstance(event, events.RunStarted):
            self._run = event.run
        if self._on_event is not None:
            self._on_event(event)

    def _result(self, ended: Mapping[str, Any]) -> Any:
        state = ended.get("state")
        if state == "cancelled":
            seen = f"how far it got: bramble --server {self._wire.name} runs show {self._run}" if self._run else ""
            raise Interrupted("interrupted", hint=seen)
        if state == "cut off":
            raise BrambleError(
                f"{self._wire.name} was stopped in the middle of this",
                hint="the same command again goes on where it stopped",
            )
        if ended.get("problem"):
            raise trouble.of_problem(ended["problem"], self._wire.name)
        return ended.get("result")
