"""A real server of release files on the loopback interface that does as badly as it is told."""

from __future__ import annotations

import http.server
import ipaddress
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bramble.engine import web


class FileServer(http.server.ThreadingHTTPServer):
    """Serves ``files`` by their paths.

    Attributes
    ----------
    faults
        What is done wrong with the requests for files to come, one after the other: ``cut`` sends half and closes,
        ``busy`` answers 503, ``hang`` sends half and then nothing, ``pause`` sends the other half once `go_on` is set,
        ``other part`` answers a question for a part with another one, ``whole`` with all of it, ``wrong`` sends other
        bytes of the same length.
    go_on
        Ends a ``pause``.
    tags
        Path → ETag. A question for a part of another state, by If-Range, is answered with all of it, and If-None-Match
        with 304 where nothing changed.
    asked
        Path and Range of each request.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.faults: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self.go_on = threading.Event()
        self.over = threading.Event()
        self.scheme = "http"

    def url(self, path: str) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}{path}"

    def go_away(self) -> None:
        """From now on, nobody answers. In this order: it may only just have begun to listen."""
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a client that hangs up is what some tests are about."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FileServer

    def do_GET(self) -> None:
        server = self.server
        asked = self.headers.get("Range", "")
        server.asked.append((self.path, asked))
        if self.path in server.redirects:
            return self._head(302, 0, Location=server.redirects[self.path])
        if self.path not in server.files:
            return self._head(404, 0)
        fault = server.faults.pop(0) if server.faults else ""
        if fault == "busy":
            return self._head(503, 0)
        content = server.files[self.path]
        if fault == "wrong":
            content = bytes(len(content))
        tag = server.tags.get(self.path, "")
        marks = {"ETag": tag} if tag else {}
        if tag and self.headers.get("If-None-Match") == tag:
            return self._head(304, 0, **marks)
        match = re.fullmatch(r"bytes=(\d+)-", asked)
        if self.headers.get("If-Range", tag) != tag:
            match = None
        begin = int(match[1]) if match and fault != "whole" else 0
        if begin >= len(content) > 0:
            return self._head(416, 0, **{"Content-Range": f"bytes */{len(content)}"}, **marks)
        if fault == "other part":
            begin //= 2
        if match and fault != "whole":
            place = f"bytes {begin}-{len(content) - 1}/{len(content)}"
            self._head(206, len(content) - begin, **{"Content-Range": place}, **marks)
        else:
            self._head(200, len(content), **marks)
        return self._send(content[begin:], fault)

    def _send(self, content: bytes, fault: str) -> None:
        if fault not in ("cut", "hang", "pause"):
            self.wfile.write(content)
            return
        self.wfile.write(content[: len(content) // 2])
        self.wfile.flush()
        if fault == "pause":
            self.server.go_on.wait(60)
            self.wfile.write(content[len(content) // 2 :])
            return
        if fault == "hang":
            self.server.over.wait(10)
        self.close_connection = True

    def _head(self, status: int, length: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(length), **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing stands between a test and its server, whatever the machine is set to."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who fetches tries again soon, and soon gives up on a server that says nothing."""
    monkeypatch.setattr(web, "PAUSE", 0.01)
    monkeypatch.setattr(web, "SILENCE", 0.5)


@contextmanager
def serving(folder: Path | None = None) -> Iterator[FileServer]:
    """A server at work; with a folder it speaks TLS, and is believed by those who know ``ca.pem`` there."""
    server = FileServer()
    if folder is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_certificate(folder), folder / "key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.scheme = "https"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    place = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))])
    now = datetime.now(UTC)
    begun = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = (
        begun.serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(place, critical=False)
        .sign(key, hashes.SHA256())
    )
    form, plain = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    (folder / "ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return folder / "ca.pem"
