"""Pages ask the service itself, in this process: what they show and do passes the same checks as any other request."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
from fastapi import Request

from ... import api
from ..access.guard import asked
from ..problem import Refused
from ..routes import PREFIX, ROUTE_OF, Route

#: What says who asks, and from where: it is passed on, so that nobody gains anything by asking a page.
_PASSED_ON = ("cookie", "authorization", "host", "origin", "user-agent")


class Ask:
    """Questions to the API on behalf of who looks at a page.

    Parameters
    ----------
    request
        Of the page.
    """

    def __init__(self, request: Request) -> None:
        asked(request).passed_on = True
        headers = request.headers.items()
        # In one process, packing costs more than it saves.
        self._headers = {"accept-encoding": "identity"}
        self._headers |= {name: value for name, value in headers if name in _PASSED_ON or name.startswith("sec-fetch-")}
        client = (request.client.host, request.client.port) if request.client else ("", 0)
        # An error of ours has its page, and its place in the log, from the application that answers.
        self._transport = httpx.ASGITransport(request.app.state.api, client=client, raise_app_exceptions=False)

    async def send(
        self, method: str, path: str, body: Any = None, *, content: AsyncIterator[bytes] | None = None, **query: Any
    ) -> httpx.Response:
        """Ask for a path below ``/api/v1``.

        Parameters
        ----------
        body
            As JSON.
        content
            A body that is none, and is read as it comes.

        Raises
        ------
        Refused
            With all that the problem says.
        """
        async with httpx.AsyncClient(transport=self._transport, base_url="https://bramble") as client:
            given = {name: value for name, value in query.items() if value not in ("", None)}
            # A job may be long about its beginning: its hosts' names, its files.
            answer = await client.request(
                method, PREFIX + path, json=body, content=content, params=given, headers=self._headers, timeout=None
            )
        if answer.is_error:
            raise _refusal(answer)
        return answer

    async def get(self, path: str, **query: Any) -> Any:
        """What is found at a path."""
        return (await self.send("GET", path, **query)).json()

    async def do(self, verb: str, **values: Any) -> Any:
        """What a verb answers; of one that is a job, the job."""
        route = ROUTE_OF[verb]
        path, rest = _path(route, values)
        if route.method == "GET":
            return await self.get(path, **rest)
        return (await self.send(route.method, path, rest)).json()

    async def events(self, job: str) -> list[dict[str, Any]]:
        """All that happened in a job that is over."""
        text = (await self.send("GET", at("jobs", job, "events"))).text
        return [json.loads(line[5:]) for line in text.splitlines() if line.startswith("data:")]


def at(*parts: str) -> str:
    """A path of these parts, whatever is in them."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


def has_dry_run(verb: str) -> str:
    """The argument by which a verb changes nothing; empty where it has none."""
    takes = inspect.signature(getattr(api, verb)).parameters if verb in ROUTE_OF else {}
    return next((name for name in ("dry_run", "show") if name in takes), "")


def _path(route: Route, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    rest = dict(values)
    path = re.sub(r"\{(\w+)\}", lambda found: quote(str(rest.pop(found[1])), safe=""), route.path)
    return path, rest


def _refusal(answer: httpx.Response) -> Refused:
    try:
        found = answer.json()
    except ValueError:
        found = {}
    places = [f"{one.get('at', '')}: {one.get('what', '')}" for one in found.get("errors", [])]
    refused = Refused(
        answer.status_code,
        found.get("title") or answer.reason_phrase,
        why=found.get("detail") or "; ".join(places),
        hint=found.get("hint", ""),
        headers={"Retry-After": answer.headers["retry-after"]} if "retry-after" in answer.headers else None,
        holder=found.get("holder", ""),
    )
    refused.host = found.get("host") or None
    return refused
