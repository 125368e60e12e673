"""A real service over TLS, in a thread of its own, for tests of those who use it; and a way to it that can be cut."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bramble.client import Login, Remote
from bramble.rest import tls
from bramble.rest.access.tokens import Tokens
from bramble.rest.access.users import Users
from bramble.rest.database import Database
from bramble.rest.serve import Server


@dataclass
class Running:
    """A service at work.

    Attributes
    ----------
    folder
        Where it keeps everything.
    port
        Where it listens; the same after a restart.
    """

    folder: Path
    port: int = 0

    def __post_init__(self) -> None:
        self.identity = tls.own(self.folder / "tls", ("localhost", "127.0.0.1"))

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def authority(self) -> str:
        assert self.identity.authority is not None
        return self.identity.authority.read_text()

    def start(self) -> None:
        ready = threading.Event()

        def serve() -> None:
            self._server = Server(self.folder, lambda: self.identity, port=self.port, say=lambda _: None)
            self._server._ready = ready.set
            self._server.run([self._server._socket])
            self._server.close()

        self._thread = threading.Thread(target=serve, daemon=True)
        self._thread.start()
        assert ready.wait(60)
        self.port = self._server.port

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()

    def login(self, role: str = "operator") -> Login:
        """A login of a user of this role."""
        database = Database(self.folder / "service.sqlite")
        with database.change() as change:
            change.execute(
                "INSERT OR IGNORE INTO users (name, role, password, created) VALUES (?, ?, '', 0)", (role, role)
            )
        scope = {"viewer": "read", "operator": "deploy", "admin": "admin"}[role]
        token = Tokens(database).create(f"{role}-{time.monotonic_ns()}", owner=role, scope=scope)
        database.close()
        return Login(url=self.url, user=role, role=role, token=token, authority=self.authority)

    def remote(self, role: str = "operator", **other: Any) -> Remote:
        """The verbs through it, as a user of this role; ``other`` is what is other than usual of the way there."""
        return Remote(replace(self.login(role).wire, **other))

    def add(self, name: str, role: str, password: str) -> None:
        """Add a user."""
        database = Database(self.folder / "service.sqlite")
        asyncio.run(Users(database).add(name, role=role, password=password))
        database.close()

    def tokens(self) -> list[str]:
        """Names of all tokens there are."""
        database = Database(self.folder / "service.sqlite")
        found = [token.name for token in Tokens(database).all()]
        database.close()
        return found

    def jobs(self) -> list[str]:
        """The states of its jobs, as they are kept."""
        database = Database(self.folder / "service.sqlite")
        found = [row["state"] for row in database.rows("SELECT state FROM jobs ORDER BY id")]
        database.close()
        return found


class Proxy:
    """Passes bytes on to a service, until it is told to cut all connections, or to be gone."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listening.getsockname()[1]}"
        self._open: list[socket.socket] = []
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End every connection."""
        self.cuts += 1
        while self._open:
            with suppress(OSError):
                self._open.pop().shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End every connection, and take no other."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
                self._open += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=_pass_on, args=(source, sink), daemon=True).start()
        self._listening.close()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with source, suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
