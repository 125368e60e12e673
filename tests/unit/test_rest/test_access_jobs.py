"""Jobs of others: who may end one, and who may go on watching."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.unit.test_rest.conftest import Callers

from bramble.rest.jobs import Job, Request, job, routes
from bramble.rest.service import Service
from bramble.runner import events


@pytest.fixture
async def commanded(service: Service) -> AsyncIterator[Job]:
    """A command of an admin's that is at work."""

    async def work(*, on_event: Any, on_begin: Any) -> None:
        on_begin(("red",))
        on_event(events.RunStarted(run="20260101-1", verb="command"))
        await asyncio.sleep(60)

    begun = await service.jobs.submit(Request(verb="command", cluster="red", call=work, who="ada"))
    yield begun
    service.jobs.cancel(begun, "ada")
    await service.jobs.ended(begun, 5)


async def test_who_may_not_ask_for_it_may_not_end_it(callers: Callers, commanded: Job) -> None:
    address = f"/api/v1/jobs/{commanded.id}/cancel"
    refused = await callers("operator").post(address)
    assert refused.status_code == 403
    assert refused.json()["title"].startswith("this needs the role admin")
    assert not commanded.over
    assert (await callers("admin").post(address)).json()["state"] == "cancelled"


async def test_who_is_no_longer_let_in_sees_no_more(
    service: Service, callers: Callers, commanded: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "KEEP_ALIVE", 0.02)
    monkeypatch.setattr(routes, "_STILL", 0.0)
    following = asyncio.create_task(callers("viewer").get(f"/api/v1/jobs/{commanded.id}/events"))
    await asyncio.sleep(0.2)
    assert not following.done()
    service.tokens.revoke(service.tokens.all()[0].name)
    seen = await asyncio.wait_for(following, 5)
    assert "event: run-started" in seen.text
    assert "event: end" not in seen.text
    assert not commanded.over
