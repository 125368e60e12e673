"""What is sent to a real service by somebody who does not keep to the rules of HTTP, over TLS."""

from __future__ import annotations

import contextlib
import socket
import ssl
from pathlib import Path

import httpx
import pytest
from tests.unit.test_rest.started import Start, Started


@pytest.fixture
def service(start: Start) -> Started:
    """A service in a process of its own; its admin is ada."""
    return start()


@pytest.fixture
def trusted(service: Started, folder: Path) -> ssl.SSLContext:
    """Who believes the service."""
    assert service.port
    return ssl.create_default_context(cafile=str(folder / "tls/ca.crt"))


def test_an_address_that_a_caller_claims_is_not_believed(service: Started, trusted: ssl.SSLContext) -> None:
    """Else each guess would come from another one, and the audit would say so."""
    with httpx.Client(verify=trusted, base_url=f"{service.url}api/v1") as client:
        codes = []
        for number in range(22):
            headers = {"X-Forwarded-For": f"192.0.2.{number}", "X-Forwarded-Proto": "http"}
            codes.append(client.get("/clusters", headers={**headers, "Authorization": "Bearer brm_x"}).status_code)
        assert codes.count(429) == 1
        assert client.post("/session", json={"name": "ada", "password": "correct horse battery"}).is_success
        assert {entry["address"] for entry in client.get("/audit?what=hosts_list").json()} == {"127.0.0.1"}


def test_headers_without_an_end_are_not_waited_for(service: Started, trusted: ssl.SSLContext) -> None:
    sent = 0
    with (
        socket.create_connection(("127.0.0.1", service.port), timeout=20) as plain,
        trusted.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ")
        with contextlib.suppress(OSError):
            for _ in range(256):
                connection.sendall(b"x" * 65536)
                sent += 65536
    assert sent < 8 * 2**20


@pytest.mark.parametrize(
    "head",
    [
        b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
        b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"GET /api/v1/openapi.json HTTP/1.1\r\n\r\n",
        b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n",
        b"GET /api/v1/openapi.json HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    ],
    ids=["both lengths", "two lengths", "two hosts", "no host", "half a line", "a space", "another host"],
)
def test_what_can_be_read_in_two_ways_is_not_read(service: Started, trusted: ssl.SSLContext, head: bytes) -> None:
    with (
        socket.create_connection(("127.0.0.1", service.port), timeout=20) as plain,
        trusted.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        connection.sendall(head)
        said = connection.recv(4096)
    assert said.split(b" ")[1] in (b"400", b"421"), said
