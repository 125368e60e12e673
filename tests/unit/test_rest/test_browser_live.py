"""A job at work, in a real browser: what happens is seen and said at once, and is text."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from tests.unit.test_rest.browser import chromium, go, listening, log_in
from tests.unit.test_rest.web import HOSTILE, HOSTS, with_a_past

from bramble import api
from bramble.engine.report import HostResult, Report
from bramble.rest.service import Service
from bramble.runner import events

PASSWORD = "four words in a row"


async def test_a_job_is_seen_while_it_is_at_work(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = asyncio.Event()

    async def verify(service: str, *, deep: bool = False, **reach: Any) -> Report:
        on_event: Callable[[events.Event], None] = reach["on_event"]
        reach["on_begin"](HOSTS)
        run = "20260104-100000-dddd"
        on_event(events.RunStarted(run=run, verb="verify", service="slurm", cluster="red", hosts=HOSTS))
        for name in HOSTS:
            on_event(events.HostConnected(host=name))
            on_event(events.GroupStarted(host=name, group="Prove Slurm", steps=2))
            on_event(events.StepStarted(host=name, group="Prove Slurm", step=f"A job {HOSTILE}", number=1))
        on_event(events.Note(text=f"A note {HOSTILE}"))
        failure: dict[str, Any] = {"what": "no answer", "why": HOSTILE, "hint": "look at it", "log": (HOSTILE,)}
        on_event(events.StepFailed(host="red02", group="Prove Slurm", step="A job", **failure))
        await go_on.wait()
        return Report(
            run=run, verb="verify", service="slurm", cluster="red", verified=True,
            hosts={name: HostResult(host=name, outcome="done", unchanged=2) for name in HOSTS},
        )  # fmt: skip

    monkeypatch.setattr(api, "verify", verify)
    with_a_past(service)
    await service.users.add("anna", role="operator", password=PASSWORD)
    async with listening(service, tmp_path / "tls") as url, chromium(tmp_path / "profile") as context:
        page = await context.new_page()
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("dialog", lambda dialog: broken.append(dialog.message))
        await log_in(page, url, "anna", PASSWORD)
        await go(page, f"{url}/clusters/red/services/slurm")
        await page.get_by_role("button", name="Verify").click()
        await page.get_by_text("no answer").first.wait_for()
        row = page.locator("tr[data-host=red01]")
        assert "at work" in await row.inner_text()
        assert f"A job {HOSTILE}" in await row.inner_text()
        assert "failed" in await page.locator("tr[data-host=red02]").inner_text()
        assert await page.locator("#notes").inner_text() == f"A note {HOSTILE}"
        assert "no answer" in await page.locator("#said[aria-live=polite]").inner_text()
        assert (await Axe().run(page)).violations_count == 0
        go_on.set()
        await page.get_by_text("verified: it works").wait_for()
        assert broken == []


async def test_a_job_is_cancelled_by_a_button(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def verify(service: str, *, deep: bool = False, **reach: Any) -> None:
        reach["on_begin"](HOSTS)
        await asyncio.Event().wait()

    monkeypatch.setattr(api, "verify", verify)
    with_a_past(service)
    await service.users.add("anna", role="operator", password=PASSWORD)
    async with listening(service, tmp_path / "tls") as url, chromium(tmp_path / "profile") as context:
        page = await context.new_page()
        await log_in(page, url, "anna", PASSWORD)
        await go(page, f"{url}/clusters/red/services/slurm")
        await page.get_by_role("button", name="Verify").click()
        await page.get_by_role("button", name="Cancel").click()
        await page.get_by_text("cancelled by anna").wait_for()
        assert await page.get_by_role("button", name="Run it again").is_visible()
