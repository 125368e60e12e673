"""What 200 who follow one deployment on hosts cost the service, and whether each sees all of it.

Everybody who watches is in this process, on the service's own machine, and shares its processors.
"""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from bench.measure import ROOT, Table, Timing
from bench.serving import Serving, serving
from bramble import lab

HOSTS, WATCHERS = 3, 200
MEMORY = 100  # MB


def main() -> Table:
    """The same deployment on freshly written hosts, by a service freshly started: one follows it, then all do."""
    table = Table(f"{WATCHERS} who follow a deployment on {HOSTS} hosts")
    status = lab.up(size=HOSTS, name="bench")
    env = {"PYTHONPATH": str(ROOT / "bench" / "rooms")}
    runs: dict[int, tuple[float, int, list[int]]] = {}
    try:
        for watchers in (1, WATCHERS):
            lab.reset("bench")
            with TemporaryDirectory() as folder, serving(Path(folder), env) as service:
                runs[watchers] = asyncio.run(watched(service, status.cluster, watchers))
    finally:
        lab.down("bench")
    (alone, _, _), (together, events, seen) = runs.values()
    for name, number, limit in (
        (f"memory for a deployment of {events} events, followed by one (MB)", alone, 0.0),
        (f"more for {WATCHERS} who follow it (MB)", together - alone, MEMORY),
        ("events that they did not get", WATCHERS * events - sum(seen), 0.5),
    ):
        row = Timing(name=name, seconds=(number,), limit=limit)
        table.rows.append(row)  # it is no time
        print(f"  {name}: {number:.0f}  [{'met' if table.met(row) is not False else 'NOT MET'}]")
    return table


async def watched(service: Serving, cluster: str, watchers: int) -> tuple[float, int, list[int]]:
    """What a deployment cost the service in MB, how many events it had, and how many each who followed has seen."""
    trust = ssl.create_default_context(cafile=str(service.authority))
    limits = httpx.Limits(max_connections=watchers + 1)
    headers = {"Authorization": f"Bearer {service.token}"}
    api = f"{service.url}/api/v1"
    async with httpx.AsyncClient(base_url=api, headers=headers, verify=trust, timeout=120, limits=limits) as client:
        before = peak = service.memory
        asked = await client.put(f"/clusters/{cluster}/services/many", json={"verify": False})
        job = asked.raise_for_status().json()["id"]
        following = [asyncio.create_task(follow(client, job)) for _ in range(watchers)]
        while not all(task.done() for task in following):
            peak = max(peak, service.memory)
            await asyncio.sleep(0.5)
        ended = (await client.get(f"/jobs/{job}")).json()
        if ended["state"] != "done":
            raise SystemExit(f"the deployment failed: {ended}")
        # What is kept of it is what there was.
        events = await follow(client, job)
        return peak - before, events, [task.result() for task in following]


async def follow(client: httpx.AsyncClient, job: str) -> int:
    """How many events came, each in its turn; who is cut off on a busy machine goes on behind the last that came."""
    last = 0
    while True:
        try:
            async with client.stream("GET", f"/jobs/{job}/events", headers={"Last-Event-ID": str(last)}) as answer:
                async for line in answer.aiter_lines():
                    if line.startswith("id: ") and int(line[4:]) == last + 1:
                        last += 1
                    if line == "event: end":
                        return last
        except httpx.TransportError:
            await asyncio.sleep(1)
