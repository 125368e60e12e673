"""The REST service over TLS: how soon it answers with 1,000 hosts.

The service is the real one, in a process of its own; who asks is on the same machine, and shares its processors.
"""

from __future__ import annotations

import os
import re
import ssl
import subprocess
import sys
import time
from tempfile import TemporaryDirectory

import httpx

from bench.measure import ROOT, Table, Timing, home

HOSTS, RATE, SECONDS = 1000, 50, 10
LATENCY = 0.05  # seconds

#: Runs in the service's process; prints its port and an admin's token.
SERVICE = f"""
import dataclasses, sys
from pathlib import Path
from bramble import api, inventory
from bramble.engine.history import History
from bramble.engine.report import Report
from bramble.rest import tls
from bramble.rest.serve import Server
from bramble.runner import events
from tests.unit.board import PI

api.hosts_add("n[0001-{HOSTS}]", cluster="red")
history = History(inventory.folders.history())
history.begin("1", "status", "", "red", "")
facts = dataclasses.asdict(PI)
known = [events.FactsGathered(host=f"n{{n:04}}", facts=facts) for n in range(1, {HOSTS} + 1)]
history.end(Report(run="1", verb="status", cluster="red"), known)
folder = Path(sys.argv[1])
server = Server(folder, lambda: tls.of_machine(folder / "tls", "127.0.0.1"), port=0)
with server.service.database.change() as change:
    change.execute("INSERT INTO users (name, role, password, created) VALUES ('maria', 'admin', '', 0)")
print(server.port, server.service.tokens.create("bench", owner="maria", scope="admin"), flush=True)
server.until_end()
"""


def main() -> Table:
    """Requests at a steady rate by `hey`."""
    table = Table("REST service")
    with TemporaryDirectory() as name:
        env = {**os.environ, "PYTHONPATH": str(ROOT), **home(name)}
        argv = [sys.executable, "-c", SERVICE, f"{name}/service"]
        service = subprocess.Popen(argv, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            assert service.stdout is not None
            port, token = service.stdout.readline().split()
            url = f"https://localhost:{port}/api/v1"
            headers = {"Authorization": f"Bearer {token}"}
            trust = ssl.create_default_context(cafile=f"{name}/service/tls/ca.crt")
            wait_for(url, headers, trust)
            for quantile, seconds in latencies(f"{url}/clusters/red", token).items():
                limit = LATENCY if quantile == "99%" else 0.0
                table.add(Timing(name=f"GET of {HOSTS} hosts, {quantile} of requests", seconds=(seconds,), limit=limit))
        finally:
            service.terminate()
            service.wait()
    return table


def wait_for(url: str, headers: dict[str, str], trust: ssl.SSLContext) -> None:
    """Ask until there is an answer; the first one also reads the cluster's file."""
    for _ in range(600):
        try:
            size = len(httpx.get(f"{url}/clusters/red", headers=headers, verify=trust, timeout=60).content)
            print(f"  one answer: {size / 1000:.0f} kB")
            return
        except httpx.ConnectError:
            time.sleep(0.1)
    raise SystemExit("the service does not answer")


def latencies(url: str, token: str) -> dict[str, float]:
    """Seconds in which so many of the requests are answered, at a steady rate over connections that stay."""
    workers = 10
    rate = ["-z", f"{SECONDS}s", "-c", str(workers), "-q", str(RATE // workers)]
    done = subprocess.run(
        ["hey", *rate, "-H", f"Authorization: Bearer {token}", url], capture_output=True, text=True, check=True
    )
    if set(re.findall(r"^\s*\[(\d+)\]\s+\d+ responses", done.stdout, re.MULTILINE)) != {"200"}:
        raise SystemExit(done.stdout)
    found = re.findall(r"^\s*(50|95|99)%+ in ([\d.]+) secs", done.stdout, re.MULTILINE)
    return {f"{quantile}%": float(seconds) for quantile, seconds in found}
