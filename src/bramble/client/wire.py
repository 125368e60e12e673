"""The connection to a service: TLS, the token, answers, and patience with a network that fails for a moment."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import httpx

from ..errors import UsageError
from . import trouble

#: All that a program asks for is below this.
PREFIX = "/api/v1"

#: Seconds between tries of what failed on the way. A service that is started again is back within these.
PAUSES = (0.2, 0.5, 1, 2, 4, 8, 8, 8)

#: Seconds: until a connection stands, and until something is said on it. While nothing happens in a job, its service
#: still says every 15 seconds that it is there.
_TIMEOUT = httpx.Timeout(60, connect=10)

T = TypeVar("T")


@dataclass(frozen=True)
class Wire:
    """The way to a service.

    Attributes
    ----------
    url
        ``https://red:8443``.
    authority
        The certificate to trust, PEM; empty for those that the system trusts.
    token
        Who asks.
    pauses
        Seconds between tries.
    """

    url: str
    authority: str = ""
    token: str = field(default="", repr=False)
    pauses: tuple[float, ...] = PAUSES

    @property
    def name(self) -> str:
        """How a person calls it on a command line."""
        return self.url

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cadata=self.authority or None)
        except ssl.SSLError as error:
            raise UsageError("this is no certificate of an authority", why=str(error)) from None

    def options(self) -> dict[str, Any]:
        """How a client of `httpx` is made that goes this way."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        # A proxy that is set for the world outside does not lead into one's own network, and .netrc knows other names.
        return {
            "base_url": self.url,
            "headers": headers,
            "verify": self._trust,
            "timeout": _TIMEOUT,
            "trust_env": False,
        }

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client of it, for one verb."""
        async with httpx.AsyncClient(**self.options()) as client:
            yield client

    async def ask(self, client: httpx.AsyncClient, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask, and again where the network fails: only for what may safely arrive twice.

        Raises
        ------
        BrambleError
            What the service says is wrong, or that it cannot be reached.
        """

        async def attempt() -> httpx.Response:
            return self.checked(await client.request(method, path, **more))

        return await self.patiently(attempt)

    async def patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Do what may be done twice, and again where the network fails.

        Raises
        ------
        BrambleError
            The service cannot be reached; or what the attempt raises.
        """
        for pause in (*self.pauses[:3], None):
            try:
                return await attempt()
            except httpx.TransportError as error:
                if pause is None or isinstance(error, httpx.ConnectError):
                    raise trouble.of_transport(error, self.name) from None
            await asyncio.sleep(pause)
        raise AssertionError("the last try has an end")

    def checked(self, response: httpx.Response) -> httpx.Response:
        """The answer, if it is a good one."""
        if response.is_success:
            return response
        raise trouble.of_response(response, self.name)
