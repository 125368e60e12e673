"""A service in this process, and callers of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest
from tests.unit.test_rest.started import PASSWORD, Start, Started

from bramble.rest.app import make
from bramble.rest.service import Service

#: One who asks, of each role, and without a token.
Callers = Callable[[str], httpx.AsyncClient]


@pytest.fixture
async def service(home: Path) -> AsyncIterator[Service]:
    """A service that keeps everything in a folder of its own."""
    made = Service(home / "service")
    yield made
    await made.close()


@pytest.fixture
async def callers(service: Service) -> AsyncIterator[Callers]:
    """By role: a client with a token of a user of this role; without a role, one without a token."""
    app = make(service)
    opened: list[httpx.AsyncClient] = []

    def caller(role: str = "") -> httpx.AsyncClient:
        headers = {}
        if role:
            with service.database.change() as change:
                change.execute("INSERT OR IGNORE INTO users VALUES (?, ?, '', 0)", (role, role))
            scope = {"viewer": "read", "operator": "deploy", "admin": "admin", "device": "ingest"}[role]
            token = service.tokens.create(f"{role}-{len(opened)}", owner=role, scope=scope)
            headers = {"Authorization": f"Bearer {token}"}
        opened.append(
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://red:8443", headers=headers)
        )
        return opened[-1]

    yield caller
    for client in opened:
        await client.aclose()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a service, which ends with the test; its first admin is ada."""
    started: list[Started] = []
    password = tmp_path / "password"
    password.write_text(f"{PASSWORD}\n")
    password.chmod(0o600)

    def one(*words: str) -> Started:
        started.append(Started("--admin", "ada", "--password-file", str(password), *words))
        return started[-1]

    yield one
    for service in started:
        if service.process.poll() is None:
            service.process.kill()
        service.process.communicate()


@pytest.fixture
def folder(home: Path) -> Path:
    """What the service keeps."""
    return home / ".local/share/bramble/service"
