"""Every page in a real browser: for everybody, on a phone, in the dark, small and at once; nothing breaks out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import BrowserContext, Page
from tests.unit.test_rest.browser import DESK, MOVED, PHONE, chromium, fresh, go, listening, log_in
from tests.unit.test_rest.test_web_pages import PAGES
from tests.unit.test_rest.web import with_a_past

from bramble import api
from bramble.rest.service import Service

PASSWORD = "four words in a row"

ALL = [*PAGES, "/users", "/tokens", "/audit", "/account", "/nowhere"]

#: Bytes that the overview and all it fetches may be, and seconds until something is seen of it.
LARGEST, LATEST = 150_000, 1.0


@pytest.fixture
async def url(service: Service, tmp_path: Path) -> AsyncIterator[str]:
    with_a_past(service)
    await service.users.add("anna", role="admin", password=PASSWORD)
    async with listening(service, tmp_path / "tls") as found:
        yield found


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[BrowserContext]:
    async with chromium(tmp_path / "profile") as opened:
        yield opened


async def _page(url: str, context: BrowserContext) -> tuple[Page, list[str]]:
    """A page of somebody who has logged in, and what the browser complains of."""
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(f"a dialog: {dialog.message}"))
    await log_in(page, url, "anna", PASSWORD)
    return page, complaints


#: What of axe's depends on colours and sizes; in the dark and on a phone, the rest is as it was.
SEEN = ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"]


@pytest.mark.parametrize("small", [False, True], ids=["light", "dark, on a phone"])
async def test_every_page_can_be_used_by_everybody(url: str, context: BrowserContext, small: bool) -> None:
    page, complaints = await _page(url, context)
    await page.emulate_media(color_scheme="dark" if small else "light")
    await page.set_viewport_size(PHONE if small else DESK)
    options = {"resultTypes": ["violations"]} | ({"runOnly": {"type": "rule", "values": SEEN}} if small else {})
    found = {}
    for path in (*ALL, "/login"):
        await go(page, url + path)
        # What is folded away is looked at, too.
        await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        axe = await Axe().run(page, options=options)
        if axe.violations_count:
            found[path] = axe.generate_report()
        wider = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wider > 0:
            found[f"{path} is too wide"] = f"{wider} px"
    assert not found, "\n".join(f"{path}: {what}" for path, what in found.items())
    # Nothing was run that came from data, nothing was refused by the policy, nothing broke.
    assert [one for one in complaints if not any(fine in one for fine in ("404", MOVED))] == []


async def test_times_are_drawn_out_of_the_tables_beside_them(url: str, context: BrowserContext) -> None:
    page, complaints = await _page(url, context)
    for path, name in {
        "/runs": "How long these runs took", "/clusters/red/services/slurm": "How long the latest runs took",
        "/runs/20260101-100000-aaaa": "How long each host took",
    }.items():  # fmt: skip
        await go(page, url + path)
        plot = page.get_by_role("img", name=name)
        # Something is on it: not all of its points have one colour.
        drawn = await plot.locator("canvas").evaluate(
            "(one) => new Set(new Uint32Array(one.getContext('2d').getImageData(0, 0, one.width, one.height)"
            ".data.buffer)).size"
        )
        assert drawn > 5, path
    # Two kinds of work were done more than once; each has its line and its word.
    await go(page, f"{url}/clusters/red/services/slurm")
    assert await page.locator(".plot .u-legend .u-label").all_inner_texts() == ["When", "deploy slurm", "verify slurm"]
    assert [one for one in complaints if MOVED not in one] == []


async def test_the_overview_is_small_and_there_at_once(url: str, context: BrowserContext) -> None:
    await _page(url, context)
    sizes, paint = await fresh(context, url)
    assert sum(size for _, size in sizes) < LARGEST, sizes
    assert all(name.startswith(url) for name, _ in sizes), sizes
    assert paint < LATEST


async def test_the_keyboard_is_enough(url: str, context: BrowserContext) -> None:
    page, _ = await _page(url, context)
    await go(page, url)
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.textContent") == "Skip to content"
    await page.keyboard.press("Enter")
    for _ in range(3):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.textContent") == "red":
            break
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{url}/clusters/red")


async def test_pages_can_be_read_and_forms_sent_without_scripts(url: str, tmp_path: Path) -> None:
    async with chromium(tmp_path / "plain", java_script_enabled=False) as context:
        page = await context.new_page()
        await log_in(page, url, "anna", PASSWORD)
        await page.get_by_text("New cluster").click()
        await page.get_by_label("Name").fill("blue")
        await page.get_by_label("Hosts", exact=True).fill("blue[01-02]")
        await page.get_by_role("button", name="Make it").click()
        await page.wait_for_url(f"{url}/clusters/blue")
        assert "blue02" in await page.inner_text("main")


async def test_the_overview_keeps_up_but_not_under_the_hands_of_who_uses_it(url: str, context: BrowserContext) -> None:
    page = await context.new_page()
    await page.clock.install()
    await log_in(page, url, "anna", PASSWORD)
    await page.get_by_role("link", name="red02").focus()
    api.hosts_add("blue", cluster="blue")
    await page.clock.fast_forward(11_000)
    await page.wait_for_timeout(1_000)
    assert await page.evaluate("document.activeElement.textContent.trim().split(':')[0]") == "red02"
    assert await page.get_by_role("link", name="blue", exact=True).count() == 0
    await page.evaluate("document.activeElement.blur()")
    await page.clock.fast_forward(11_000)
    await page.get_by_role("link", name="blue", exact=True).first.wait_for()


async def test_a_file_is_brought_to_where_it_is_needed(
    url: str, context: BrowserContext, service: Service, tmp_path: Path
) -> None:
    page, complaints = await _page(url, context)
    own = tmp_path / "my own (2).backup"
    own.write_bytes(bytes(range(256)) * 9000)
    await go(page, f"{url}/clusters/red/do/restore?service=kubernetes")
    await page.get_by_label("A file of this computer").set_input_files(own)
    await page.get_by_role("button", name="Bring it").click()
    await page.wait_for_url("**&file=my-own-2-.backup")
    assert await page.get_by_label("file", exact=True).input_value() == "my-own-2-.backup"
    assert (service.files.folder / "my-own-2-.backup").read_bytes() == own.read_bytes()
    async with page.expect_download() as download:
        await go(page, f"{url}/files")
        await page.get_by_role("link", name="my-own-2-.backup").click()
    assert (await (await download.value).path()).read_bytes() == own.read_bytes()
    # That it is no backup is told beside the form.
    await go(page, f"{url}/clusters/red/do/restore?service=kubernetes")
    await page.get_by_role("button", name="Show what would change").click()
    await page.get_by_role("alert").wait_for()
    assert "is no backup that bramble wrote" in await page.get_by_role("alert").inner_text()
    assert [one for one in complaints if not any(fine in one for fine in (MOVED, "422"))] == []
