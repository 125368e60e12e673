"""Writes into the audit what each request changed or gave away, and who was refused."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .audit import Audit
from .origin import SAFE
from .roles import Principal
from .throttle import network

#: What of a request's path says what it is about.
_NAMED = ("cluster", "service", "expression", "id", "name", "host")

_JOB = re.compile(r"/jobs/([\w-]+)$")

#: Seconds in which refusals of strangers are noted once for each address: else who has no password could fill the disk.
_SELDOM = 60.0


@dataclass(kw_only=True)
class Asked:
    """What is known of a request while it is answered; who finds out more writes it in here.

    Attributes
    ----------
    who
        Who asks.
    tried
        Name of the user who tries to log in.
    about
        What it is about, besides what its path says.
    taken_home
        Whether it gives away what may have secrets in it: that is noted as a change is.
    passed_on
        Whether a page asked the API for it, in a request that is noted for itself.
    """

    who: Principal | None = None
    tried: str | None = None
    about: str = ""
    taken_home: bool = False
    passed_on: bool = False


class Recording:
    """The application, with an audit of what it did.

    Parameters
    ----------
    app
        What answers.
    """

    def __init__(self, app: ASGIApp, audit: Audit) -> None:
        self._app, self._audit = app, audit
        self._strangers: dict[str, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and note it before its caller learns what came of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = scope["bramble.asked"] = Asked()
        noted = False

        async def noting(message: Message) -> None:
            nonlocal noted
            if message["type"] == "http.response.start" and not noted:
                noted = True
                self._note(scope, asked, message["status"], Headers(raw=message["headers"]).get("location", ""))
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception:
            if not noted:
                self._note(scope, asked, 500, "")
            raise

    def _note(self, scope: Scope, asked: Asked, status: int, location: str) -> None:
        if asked.passed_on:
            return
        refused, address = status in (401, 403, 429), address_of(scope)
        known = asked.who is not None or asked.tried is not None
        told = asked.taken_home or scope["method"] not in SAFE
        if not (refused or (known and told)):
            return
        if (not known or status == 429) and not self._first(network(address)):
            return
        via = asked.who.via if asked.who else "password" if asked.tried is not None else ""
        self._audit.note(
            who=asked.who.name if asked.who else asked.tried or "",
            via=via,
            address=address,
            what=_what(scope),
            about=_about(scope, asked, location),
            result=f"{status} {HTTPStatus(status).phrase}",
        )

    def _first(self, place: str) -> bool:
        """Whether this is the first refusal of a stranger from there for a while."""
        now = time.monotonic()
        if len(self._strangers) > 1000:
            self._strangers = {one: last for one, last in self._strangers.items() if now - last < _SELDOM}
        first = now - self._strangers.get(place, -_SELDOM) >= _SELDOM
        if first:
            self._strangers[place] = now
        return first


def address_of(scope: Scope) -> str:
    """Where a request comes from."""
    client: Any = scope.get("client")
    return str(client[0]) if client else ""


def _what(scope: Scope) -> str:
    route = scope.get("route")
    name = getattr(route, "operation_id", None) or getattr(route, "name", None)
    return str(name or f"{scope['method']} {_printable(scope['path'])}")


def _about(scope: Scope, asked: Asked, location: str) -> str:
    path = scope.get("path_params", {})
    parts = [f"{name} {_printable(str(path[name]))}" for name in _NAMED if name in path]
    job = _JOB.search(location)
    parts += [asked.about] if asked.about else []
    parts += [f"job {job[1]}"] if job else []
    return ", ".join(parts)


def _printable(text: str) -> str:
    """A caller's own text on one line, and no longer than a line."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text)
    return shown if len(shown) <= 200 else shown[:200] + "…"
