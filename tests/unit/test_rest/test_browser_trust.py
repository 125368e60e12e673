"""Whether a real browser believes the service's certificate authority, where a person imported it: none is ignored."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.async_api import Error, Page, async_playwright
from tests.unit.test_rest.browser import CHROMIUM, FLAGS, MOVED, go, log_in
from tests.unit.test_rest.started import PASSWORD, Start, Started

from bramble.rest import authority

#: One in the service's own network, whose name is its, and one of the internet, whose name is not.
OURS, FOREIGN = "red.local", "www.example.org"


@pytest.fixture
def tls(folder: Path) -> Path:
    """Where a service keeps its certificates."""
    return folder / "tls"


@pytest.fixture
def service(start: Start) -> Started:
    """`bramble serve` on this machine, which is also called `OURS`."""
    return start("--name", OURS)


@pytest.fixture
def importing(home: Path) -> Callable[[Path], None]:
    """Imports an authority for web sites where Debian's Chromium looks, as its settings do."""

    def one(certificate: Path) -> None:
        kept = home / ".pki/nssdb"
        kept.mkdir(mode=0o700, parents=True)
        certutil = ["certutil", "-d", f"sql:{kept}"]
        subprocess.run([*certutil, "-N", "--empty-password"], check=True)
        subprocess.run([*certutil, "-A", "-n", "bramble", "-t", "C,,", "-i", certificate], check=True)

    return one


@asynccontextmanager
async def browsing(profile: Path) -> AsyncIterator[Page]:
    """A page of a Chromium that checks certificates; both names lead to this machine."""
    hosts = ",".join(f"MAP {name} 127.0.0.1" for name in (OURS, FOREIGN))
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, headless=True, args=[*FLAGS, f"--host-resolver-rules={hosts}"]
        )
        try:
            yield await context.new_page()
        finally:
            await context.close()


async def refused(page: Page, url: str) -> str:
    """Why the browser does not open an address."""
    while True:
        with pytest.raises(Error) as error:
            await page.goto(url)
        if MOVED not in error.value.message:
            return error.value.message


async def test_who_imported_the_authority_is_shown_the_page_but_no_site_of_the_internet(
    service: Started, tls: Path, importing: Callable[[Path], None], tmp_path: Path
) -> None:
    url = service.url.rstrip("/")
    async with browsing(tmp_path / "before") as page:
        assert "ERR_CERT_AUTHORITY_INVALID" in await refused(page, url)
    importing(tls / "ca.crt")
    async with browsing(tmp_path / "after") as page:
        await log_in(page, url, "ada", PASSWORD)
        for name in ("127.0.0.1", OURS):
            await go(page, f"https://{name}:{service.port}/login")
            assert await page.get_by_role("button", name="Log in").is_visible()
        # Somebody got hold of its key, and calls themselves another site.
        signer = authority.kept(tls, ())
        with answering(signer, tmp_path, OURS) as ours, answering(signer, tmp_path, FOREIGN) as foreign:
            await go(page, ours)
            assert await page.text_content("body") == "hello"
            assert "ERR_CERT_INVALID" in await refused(page, foreign)


@contextmanager
def answering(signer: authority.Authority, folder: Path, name: str) -> Iterator[str]:
    """A server whose certificate an authority signed for a name; its URL."""
    for suffix, content in zip((".crt", ".key"), signer.sign((name,)), strict=True):
        (folder / f"{name}{suffix}").write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.crt", folder / f"{name}.key")
    with ThreadingHTTPServer(("127.0.0.1", 0), Hello) as server:
        # Else a connection that a browser only keeps ready would hold up all others.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"https://{name}:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


class Hello(BaseHTTPRequestHandler):
    """Says hello."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: object) -> None:
        """Keep quiet."""
