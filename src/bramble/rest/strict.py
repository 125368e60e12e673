"""What every answer has, and what no request may: headers, names, sizes.

Plain ASGI, as `Recording` is: events pass as they come.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import problem
from .access.origin import foreign
from .problem import Refused

#: The largest body in bytes; of files, `files` says how large they may be.
LARGEST = 1024 * 1024

#: Where files are taken, by the API and by its page.
_UPLOADS = re.compile(r"/api/v1/files/.*|/files")

#: The largest headers in bytes, all together.
_HEADERS = 32 * 1024

_SENT: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    # No Strict-Transport-Security: it holds for all ports of a name, and pages of Spark or Hadoop on this same host
    # have no TLS. There is no plain HTTP here to come down to, and no browser sends the session's cookie over it.
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(?::\d{1,5})?")


class Named(Protocol):
    """What knows how the service is called.

    Attributes
    ----------
    names
        Its names and addresses; empty for any.
    """

    names: tuple[str, ...]


class Strict:
    """The application behind the checks that need to know nobody.

    Parameters
    ----------
    app
        What answers.
    named
        How it is called.
    """

    def __init__(self, app: ASGIApp, named: Named) -> None:
        self._app, self._named = app, named

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                for name, value in _SENT.items():
                    headers[name] = value
                # What is for one caller is not kept for the next at the same computer; files of the page may be.
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            self._check(scope)
        except Refused as refused:
            await problem.response(problem.of_error(refused), refused.headers)(scope, receive, sending)
            return
        await self._app(_as_json(scope), _limited(scope, receive), sending)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        if sum(len(name) + len(value) for name, value in scope["headers"]) > _HEADERS:
            raise Refused(431, "the headers are too large")
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_ours(hosts[0].lower()):
            # A page elsewhere may have let a name of its own point here (DNS rebinding).
            raise Refused(421, "this service is not called that", hint="bramble serve --name NAME, if it should be")
        if foreign(scope["method"], headers):
            raise Refused(
                403, "another site asks for this", hint="open the page of the service itself, and do it there"
            )
        if "content-length" in headers and "transfer-encoding" in headers:
            raise Refused(400, "the body has a length and parts, and only one of them can be meant")
        length = headers.get("content-length", "0")
        if not _takes_files(scope) and (not length.isdecimal() or int(length) > LARGEST):
            raise Refused(413, f"this is more than {LARGEST // 1024} KiB")

    def _is_ours(self, host: str) -> bool:
        found = _HOST.fullmatch(host)
        if found is None:
            return False
        called = found[1].strip("[]").rstrip(".")
        names = {name.lower() for name in self._named.names}
        # A certificate that somebody brought may be for all names of a domain.
        return not names or called in names or f"*.{called.partition('.')[2]}" in names


def _as_json(scope: Scope) -> Scope:
    """What comes with a token is JSON, whatever it is called: ``curl -d`` calls everything a form.

    With a cookie it stays a form, which the API refuses: other sites can send one.
    """
    headers = Headers(scope=scope)
    form = headers.get("content-type") == "application/x-www-form-urlencoded"
    if not (form and "authorization" in headers and scope["path"].startswith("/api/")):
        return scope
    changed = [(name, b"application/json" if name == b"content-type" else value) for name, value in scope["headers"]]
    return {**scope, "headers": changed}


def _takes_files(scope: Scope) -> bool:
    return _UPLOADS.fullmatch(scope["path"]) is not None


def _limited(scope: Scope, receive: Receive) -> Receive:
    """The body of a request, up to the limit: who sends it in chunks says no length before."""
    if _takes_files(scope):
        return receive
    size = 0

    async def receiving() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > LARGEST:
            raise HTTPException(413, f"this is more than {LARGEST // 1024} KiB")
        return message

    return receiving
