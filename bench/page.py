"""The overview page in a real browser that has kept nothing: how much it fetches, how soon something is seen of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.unit.test_rest.browser import chromium, fresh, listening, log_in
from tests.unit.test_rest.web import with_a_past

from bench.measure import Table, Timing, home
from bramble.rest.service import Service

ROUNDS = 15
LATEST, LARGEST = 1.0, 150  # seconds, kB

PASSWORD = "four words in a row"


def main() -> Table:
    """Fresh tabs one after the other, by somebody who is logged in."""
    table = Table("The overview page")
    with _home() as folder:
        sizes, paints = asyncio.run(_looked_at(folder))
    table.add(Timing(name="until something is seen of it", seconds=paints, limit=LATEST))
    table.rows.append(Timing(name="fetched for it (kB)", seconds=sizes, limit=LARGEST))
    print(f"  fetched for it: {table.rows[-1].median:.0f} kB  [{'met' if table.met(table.rows[-1]) else 'NOT MET'}]")
    return table


async def _looked_at(folder: Path) -> tuple[tuple[float, ...], tuple[float, ...]]:
    service = Service(folder / "service")
    with_a_past(service)
    await service.users.add("anna", role="admin", password=PASSWORD)
    sizes, paints = [], []
    async with listening(service, folder / "tls") as url, chromium(folder / "profile") as context:
        await log_in(await context.new_page(), url, "anna", PASSWORD)
        for _ in range(ROUNDS):
            fetched, paint = await fresh(context, url)
            sizes.append(sum(size for _, size in fetched) / 1000)
            paints.append(paint)
    await service.close()
    return tuple(sizes), tuple(paints)


@contextmanager
def _home() -> Iterator[Path]:
    """Folders of its own, so that nothing of the user's is seen or changed."""
    with TemporaryDirectory() as name:
        held = dict(os.environ)
        os.environ |= home(name)
        try:
            yield Path(name)
        finally:
            os.environ.clear()
            os.environ.update(held)
