"""A real browser, headless, that looks at a service of this process over TLS."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import uvicorn
from playwright.async_api import BrowserContext, Error, Page, ViewportSize, async_playwright

from bramble.rest import tls
from bramble.rest.app import make
from bramble.rest.service import Service

#: Debian's; it asks nobody else for anything.
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip

#: As the smallest phones are, and a laptop.
PHONE = ViewportSize(width=360, height=740)
DESK = ViewportSize(width=1000, height=640)


@asynccontextmanager
async def listening(service: Service, folder: Path) -> AsyncIterator[str]:
    """A service that answers over TLS, for a while; its URL."""
    identity = tls.own(folder, ("localhost", "127.0.0.1"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            make(service), ssl_certfile=str(identity.certificate), ssl_keyfile=str(identity.key), log_level="warning",
            lifespan="off", timeout_graceful_shutdown=2,
        )  # fmt: skip
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve([listener]))
        try:
            yield f"https://localhost:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


@asynccontextmanager
async def chromium(profile: Path, **how: Any) -> AsyncIterator[BrowserContext]:
    """Chromium with an empty profile.

    It believes the certificate unseen: whether browsers accept it is a matter of `test_browser_trust`.
    """
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, headless=True, args=FLAGS, ignore_https_errors=True, **how
        )
        try:
            yield context
        finally:
            await context.close()


#: A machine on which virtual Pis come and go has other addresses each time, and Chromium then gives up what it fetches.
MOVED = "ERR_NETWORK_CHANGED"


async def go(page: Page, url: str, until: Literal["load", "networkidle"] = "load") -> None:
    """Open an address, however often this machine's own addresses change meanwhile."""
    for _ in range(10):
        with contextlib.suppress(Error):
            await page.goto(url, wait_until=until)
            return
    await page.goto(url)


async def fresh(context: BrowserContext, url: str) -> tuple[list[tuple[str, int]], float]:
    """Open an address with nothing kept from before: what was fetched, its bytes; seconds until something is seen."""
    page = await context.new_page()
    session = await context.new_cdp_session(page)
    await session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    await go(page, url, "networkidle")
    sizes = await page.evaluate(
        "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
        ".map((one) => [one.name, one.transferSize])"
    )
    paint = await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    await page.close()
    return sizes, paint / 1000


async def log_in(page: Page, url: str, name: str, password: str) -> None:
    """Log in as a person does; then the overview is there."""
    await go(page, f"{url}/login")
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_url(f"{url}/")
