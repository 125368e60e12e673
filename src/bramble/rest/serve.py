"""Runs the service: TLS always, on the loopback alone unless it is told otherwise, until it is asked to end."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import ipaddress
import logging
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.responses import FileResponse

from ..errors import BrambleError, UsageError
from . import luggage, names
from .app import make
from .jobs.kept import Wanted
from .service import Limits, Service
from .tls import Credentials, Identity

#: Where the service listens where nothing else is asked for.
PORT = 8443

#: Seconds between two looks at the certificate, at this machine's addresses, and for what nobody comes for.
_LOOK = 300

#: Seconds that connections have to end, when all jobs have.
_GRACE = 5

_HINTS = {
    errno.EADDRINUSE: "another program has it (ss -ltnp tells which); take another port: --port NUMBER",
    errno.EADDRNOTAVAIL: "this machine has no such address: ip address; or 0.0.0.0 for all that it has",
    errno.EACCES: "ports below 1024 are root's; take another: --port NUMBER",
}

_log = logging.getLogger("bramble")


class Server(uvicorn.Server):
    """A service that listens already, and answers when it runs.

    Parameters
    ----------
    folder
        Where the service keeps everything; one process at a time has it.
    find
        Finds the identity that it shows: by `tls.of_machine`, or `tls.brought`.
    address, port
        What it listens on; with 0, a port that is free.
    say
        Takes what a person is to know while it ends.
    limits
        How much it takes on.

    Raises
    ------
    BrambleError
        Another process has the folder, or the port; or something there cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        find: Callable[[], Identity],
        *,
        address: str = "127.0.0.1",
        port: int = PORT,
        say: Callable[[str], None] = print,
        limits: Limits = Limits(),  # noqa: B008 — it is frozen
    ) -> None:
        with contextlib.ExitStack() as held:
            held.callback(os.close, alone(folder))
            self._socket = held.enter_context(_listen(address, port))
            self._say: Callable[[str], None] = say
            self._ready: Callable[[], None] = lambda: None
            self.credentials = Credentials(find)
            self.service = Service(folder, limits)
            self._held = held.pop_all()
        self.service.names = self.credentials.identity.names
        self.address, self.port = address, self._socket.getsockname()[1]
        app = make(self.service)
        _offer_authority(app, self.credentials)
        super().__init__(
            uvicorn.Config(
                app,
                ssl_context_factory=lambda *_: self.credentials.context,
                # httptools reads headers that have no end; this ends at 64 KiB.
                http="h11",
                # Nothing stands in front of it, so whoever says for whom they ask is not believed.
                proxy_headers=False,
                server_header=False,
                access_log=False,
                log_level="warning",
                timeout_graceful_shutdown=_GRACE,
                callback_notify=self._look,
                timeout_notify=_LOOK,
            )
        )

    @property
    def urls(self) -> tuple[str, ...]:
        """Where it is found, the one that reads best first."""
        identity = self.credentials.identity
        return urls(identity.names, self.address, self.port, here=identity.authority is not None)

    def until_end(self, ready: Callable[[], None] = lambda: None) -> None:
        """Run until SIGINT, SIGTERM or SIGHUP; then end jobs cleanly, and return.

        Parameters
        ----------
        ready
            Called when it answers.
        """
        self._ready = ready
        # uvicorn ends itself by the same signal again; here, that is the end that was asked for.
        held = {sig: signal.signal(sig, self._end) for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            self.run([self._socket])
        finally:
            for sig, handler in held.items():
                signal.signal(sig, handler)

    def close(self) -> None:
        """Let go of the folder and the port."""
        self.service.database.close()
        self._held.close()

    def _end(self, *_: object) -> None:
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn; then tell who waits for it."""
        await super().startup(sockets)
        self._ready()
        tell_systemd("READY=1")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End jobs first: who follows one keeps a connection until it is over."""
        tell_systemd("STOPPING=1")
        for server in self.servers:
            server.close()
        running = self.service.jobs.all(Wanted(state="running"))
        if running:
            self._say(
                f"ending {len(running)} running job{'s' * (len(running) > 1)}: hosts finish or abandon their step"
            )
        ending = asyncio.create_task(self.service.jobs.close())
        while not (ending.done() or self.force_exit):
            await asyncio.wait((ending,), timeout=0.1)
        if not ending.done():
            self._say("not waited for; the next start marks what was running as cut off")
        await super().shutdown(sockets)

    async def _look(self) -> None:
        try:
            renewed = self.credentials.look()
            self.service.names = self.credentials.identity.names
            if renewed:
                _log.warning("the certificate is a new one, for %s", ", ".join(self.credentials.identity.names))
        except BrambleError as error:
            _log.error("the certificate stays as it is: %s", error)
        try:
            await luggage.sweep(self.service.files, self.service.jobs)
        except (BrambleError, OSError) as error:
            _log.error("files that nobody comes for stay: %s", error)


def urls(called: tuple[str, ...], address: str, port: int, *, here: bool = True) -> tuple[str, ...]:
    """Where a service is found, the one that reads best first.

    Parameters
    ----------
    called
        Its names and addresses.
    here
        Whether this machine alone is meant by an address that others cannot reach.
    """
    others = [name for name in called if name not in names.LOOPBACK]
    if here and ipaddress.ip_address(address).is_loopback:
        others = ["localhost"]
    elif not names.is_any(address):
        others = sorted(others, key=lambda name: name != address)
    return tuple(f"https://{_in_url(name)}:{port}/" for name in others)


def alone(folder: Path) -> int:
    """Make the service's folder, and keep other processes out of it until the descriptor is closed.

    Raises
    ------
    BrambleError
        It cannot be made or used.
    UsageError
        A service runs there already.
    """
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise BrambleError(f"{error.filename or folder} cannot be used", why=error.strerror or "") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        hint = "end that one first; or give this one folders of its own by XDG_DATA_HOME"
        raise UsageError(f"a service runs already that keeps its things in {folder}", hint=hint) from None
    return handle


def tell_systemd(state: str) -> None:
    """Tell systemd how the service is, where it was started by a unit of type notify."""
    where = os.environ.get("NOTIFY_SOCKET", "")
    if where:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to:
            to.connect(f"\0{where[1:]}" if where.startswith("@") else where)
            to.sendall(state.encode())


def _listen(address: str, port: int) -> socket.socket:
    anywhere, family = names.is_any(address), socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        # IPv6's "all addresses" means those of IPv4, too, as it does everywhere else.
        listening = socket.create_server(
            (address, port), family=family, dualstack_ipv6=anywhere and ":" in address, backlog=512
        )
    except OSError as error:
        # Without the address, which Python adds here.
        why = os.strerror(error.errno or 0)
        raise UsageError(
            f"cannot listen on {_in_url(address)}:{port}", why=why, hint=_HINTS.get(error.errno or 0, "")
        ) from None
    # Connections have this from here. Else a short answer's body waits up to 40 ms until its head is acknowledged:
    # asyncio does the same, but not for sockets that were made without the number of their protocol.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # Who lost their power in the middle of an upload says nothing any more: this notes it, and what came of it goes.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return listening


def _in_url(name: str) -> str:
    return f"[{name}]" if ":" in name else name


def _offer_authority(app: FastAPI, credentials: Credentials) -> None:
    """``/ca.pem``: the certificate to trust, for whoever compares its fingerprint. It is no secret."""

    async def answer() -> FileResponse:
        assert credentials.identity.authority is not None
        return FileResponse(credentials.identity.authority, media_type="application/x-pem-file", filename="ca.pem")

    if credentials.identity.authority is not None:
        app.add_api_route("/ca.pem", answer, include_in_schema=False)
