"""The service's page as a person uses it: a real browser, a real service over TLS, real hosts."""

from __future__ import annotations

import re
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

#: What a host that is off looks like from here: it does not answer, and after a while the network knows no way to it.
OFF = "(no answer from|there is no way to) port 22"

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


async def test_a_host_that_is_off_is_named_with_why_and_what_to_do(
    url: str, controller: Controller, fresh_lab: Lab, tmp_path: Path
) -> None:
    *_, off = fresh_lab.hosts
    there = f"{url}/clusters/{controller.cluster}"
    async with chromium(tmp_path / "profile") as context:
        page = await context.new_page()
        page.set_default_timeout(30_000)
        await log_in(page, url, "ada", PASSWORD)
        fresh_lab.kill(off)
        try:
            # Before anything changes.
            await go(page, f"{there}/services/beacon")
            await press(page, "Show what would change")
            await _names(page, off)
            assert await page.get_by_role("button", name="Apply").count() == 0
            assert await page.get_by_role("button", name="Ask again").is_visible()

            # All else is done where it can be, and nothing reads as if it were well.
            await go(page, f"{there}/services/beacon")
            await press(page, "Deploy at once")
            await _names(page, off)
            assert f"it works, but without {off}" in await page.inner_text("main")
            await page.get_by_role("link", name="Its run, with all times").click()
            await page.get_by_role("img", name="How long each host took").wait_for()
            await _names(page, off)
            await go(page, url)
            told = await page.inner_text("main")
            assert re.search(f"{off}: {OFF}", told), told
            assert f"works, but without {off}" in told, told

            await go(page, f"{there}/hosts/{off}")
            await press(page, "Check")
            told = await over(page)
            assert "is it switched on and on this network" in told, told
        finally:
            fresh_lab.start(off)
        # The way on stands on the page of what failed.
        await go(page, f"{url}/jobs")
        await page.get_by_role("link", name="deploy beacon").first.click()
        await press(page, "Run it again")
        assert "verified: it works" in await over(page)
        await go(page, url)
        assert "without" not in await page.inner_text("main")


async def _names(page: Page, host: str) -> None:
    """Wait until a job is over, and look that its page says what is wrong with a host, and what to do."""
    told = await over(page)
    assert re.search(rf"^failed .*^{host}: {OFF}", told, re.MULTILINE | re.DOTALL), told
    assert "What to do: is it switched on" in told, told


async def test_a_host_is_restarted_after_it_was_named(
    url: str, controller: Controller, fresh_lab: Lab, tmp_path: Path
) -> None:
    *_, last = fresh_lab.hosts
    async with chromium(tmp_path / "profile") as context:
        page = await context.new_page()
        page.set_default_timeout(30_000)
        await log_in(page, url, "ada", PASSWORD)
        await go(page, f"{url}/clusters/{controller.cluster}/hosts/{last}")
        await page.get_by_role("link", name="Restart").click()
        assert await page.get_by_role("heading", name="1 host", exact=True).is_visible()
        await press(page, f"Restart {last}")
        told = await over(page)
        assert re.search(rf"^done .*^Restarts$.*^{last}\t", told, re.MULTILINE | re.DOTALL), told


async def test_hosts_that_ask_for_a_sudo_password_are_given_it_and_nothing_keeps_it(
    url: str, controller: Controller, fresh_lab: Lab, tmp_path: Path
) -> None:
    file = controller.cluster_file
    file.write_text(file.read_text().replace("user: pi\n", "user: pw\n"))
    there = f"{url}/clusters/{controller.cluster}/services/beacon"
    async with chromium(tmp_path / "profile") as context:
        page = await context.new_page()
        page.set_default_timeout(30_000)
        await log_in(page, url, "ada", PASSWORD)
        await go(page, there)
        await press(page, "Deploy at once")
        assert "sudo asks for a password" in await over(page)
        await go(page, there)
        await page.get_by_text("Hosts that ask for a sudo password").first.click()
        await page.get_by_label("Sudo password").first.fill("raspberry")
        await press(page, "Deploy at once")
        assert "verified: it works" in await over(page)
        assert "raspberry" not in await page.content()
    kept = [one for one in controller.folder.rglob("*") if one.is_file() and b"raspberry" in one.read_bytes()]
    assert kept == []
