"""The service's page as a person uses it: a real browser, a real service over TLS, real hosts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page
from tests.lab.controller import Controller
from tests.unit.test_rest.browser import chromium, go, log_in

from bramble.lab.testing import Lab

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PASSWORD = "correct horse battery"

#: Milliseconds that a run may take.
LONG = 120_000


@pytest.fixture
def url(controller: Controller) -> Iterator[str]:
    """The address of a service of the controller's, whose admin is ada."""
    password = controller.folder / "password"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    words = [
        sys.executable,
        "-m",
        "bramble",
        "serve",
        "--port",
        "0",
        "--admin",
        "ada",
        "--password-file",
        str(password),
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=controller.env) as process:
        assert process.stdout
        found = process.stdout.readline().strip().rstrip("/")
        assert found, "the service did not start"
        yield found
        process.terminate()


async def press(page: Page, name: str) -> None:
    """Press a button that leads on."""
    async with page.expect_navigation():
        await page.get_by_role("button", name=name).first.click()


async def over(page: Page) -> str:
    """All that a job's page says when the job is over."""
    await page.locator("#live").wait_for(state="detached", timeout=LONG)
    return await page.inner_text("main")


async def test_a_person_deploys_watches_verifies_and_removes(
    url: str, controller: Controller, fresh_lab: Lab, tmp_path: Path
) -> None:
    before = {host: fresh_lab.snapshot(host) for host in fresh_lab.hosts}
    async with chromium(tmp_path / "profile") as context:
        page = await context.new_page()
        page.set_default_timeout(30_000)
        await log_in(page, url, "ada", PASSWORD)
        await page.get_by_role("link", name=controller.cluster, exact=True).click()
        await page.get_by_role("link", name="beacon", exact=True).click()

        # First what would change: the hosts are asked, and nothing is done.
        await press(page, "Show what would change")
        told = await over(page)
        assert "What would change" in told, told
        assert {host: fresh_lab.snapshot(host) for host in fresh_lab.hosts} == before

        await press(page, "Apply")
        await page.locator("#live").wait_for()
        rows = page.locator("#live tbody tr")
        assert await rows.count() == len(fresh_lab.hosts)
        told = await over(page)
        assert "verified: it works" in told, told

        # Its run tells the time of each step on each host.
        await page.get_by_role("link", name="Its run, with all times").click()
        for host in fresh_lab.hosts:
            assert await page.get_by_role("region", name=f"Steps on {host}").locator("svg rect").count() > 0

        await go(page, f"{url}/clusters/{controller.cluster}/services/beacon")
        await press(page, "Verify")
        assert "verified: it works" in await over(page)

        # A host's load is drawn while one looks.
        await go(page, f"{url}/clusters/{controller.cluster}/hosts/{fresh_lab.hosts[0]}")
        await page.get_by_text("busy over the last minute").wait_for()
        assert await page.locator("#load canvas").count() == 1

        await go(page, f"{url}/clusters/{controller.cluster}/services/beacon")
        await page.get_by_text("Remove", exact=True).click()
        await press(page, "Show what would be put back")
        assert "would change" in await over(page)
        await press(page, "Apply")
        told = await over(page)
        assert "done" in told, told

        await go(page, url)
        assert "No service yet" in await page.inner_text("main")
    for host in fresh_lab.hosts:
        assert fresh_lab.snapshot(host) == before[host]
