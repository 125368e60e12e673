"""A real service over TLS on real hosts: jobs outlive cut connections and a killed service."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx_sse import connect_sse
from tests.lab.controller import Controller

from bramble import lab as labs
from bramble.lab.testing import Lab

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

EXAMPLE = Path(__file__).parents[2] / "docs/examples/service_client.py"

PASSWORD = "correct horse battery"


class Service:
    """`bramble serve` as a person starts it, and a client of it."""

    def __init__(self, controller: Controller) -> None:
        password = controller.folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o600)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bramble", "serve", "--port", "0", "--admin", "ada", "--password-file", password],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=controller.env,
        )  # fmt: skip
        assert self.process.stdout
        self.url = self.process.stdout.readline().strip()
        assert self.url, self.process.communicate()[1]
        self.trusted = controller.folder / "data/bramble/service/tls/ca.crt"

    @contextmanager
    def client(self, token: str) -> Iterator[httpx.Client]:
        """One who shows a token, and checks the service's certificate."""
        trusted = ssl.create_default_context(cafile=str(self.trusted))
        base, headers = f"{self.url}api/v1", {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=base, headers=headers, verify=trusted, timeout=120) as client:
            yield client

    def end(self, how: str = "terminate") -> str:
        """End it; what it said to people."""
        getattr(self.process, how)()
        return self.process.communicate(timeout=60)[1]


def followed(client: httpx.Client, job: str, after: str = "", most: int = 0) -> list[tuple[str, str, dict[str, Any]]]:
    """Number, kind and content of a job's events behind one, to the end; the connection is cut after so many."""
    found = []
    with connect_sse(client, "GET", f"/jobs/{job}/events", headers={"Last-Event-ID": after} if after else {}) as source:
        for event in source.iter_sse():
            if not event.data:
                continue  # a comment, which says that the connection is alive
            found.append((event.id, event.event, event.json()))
            if len(found) == most:
                break
    return found


def done(client: httpx.Client, answer: httpx.Response, state: str = "done") -> dict[str, Any]:
    """The job that an answer tells of, at its end."""
    assert answer.status_code == 202, answer.text
    *_, (_, kind, job) = followed(client, answer.json()["id"])
    assert (kind, job["state"]) == ("end", state), json.dumps(job)[:3000]
    return job


@pytest.fixture
def serve(controller: Controller) -> Iterator[Callable[[], Service]]:
    """Starts the controller's service; what a test leaves of it goes with the test."""
    started: list[Service] = []

    def start() -> Service:
        started.append(Service(controller))
        return started[-1]

    yield start
    for service in started:
        if service.process.poll() is None:
            service.end("kill")


def test_a_deployment_outlives_a_killed_service_and_cut_connections(
    serve: Callable[[], Service], controller: Controller, fresh_lab: Lab
) -> None:
    before = {host: fresh_lab.snapshot(host) for host in fresh_lab.hosts}
    slurm = f"/clusters/{controller.cluster}/services/slurm"
    service = serve()
    token, other = (
        controller.run("tokens", "create", name, "--owner", "ada", "--scope", "deploy").stdout.strip()
        for name in ("ci", "other")
    )

    # The power goes in the middle.
    with service.client(token) as client:
        asked = client.put(slurm, json={})
        assert asked.status_code == 202, asked.text
        assert len(followed(client, asked.json()["id"], most=8)) == 8
    service.end("kill")
    service = serve()
    with service.client(token) as client, service.client(other) as second:
        cut = client.get(f"/jobs/{asked.json()['id']}").json()
        assert cut["state"] == "cut off"

        # Done again, and followed over a connection that breaks again and again.
        job = client.post(f"/jobs/{cut['id']}/again").json()["id"]
        told = followed(client, job, most=3)

        # Somebody else wants the same hosts.
        strict = second.put(slurm, json={}, headers={"Prefer": "handling=strict"})
        assert strict.status_code == 409, strict.text
        assert strict.json()["holder"] == job
        queued = second.put(slurm, json={}).json()
        assert second.get(f"/jobs/{queued['id']}").json()["state"] == "queued"
        assert second.post(f"/jobs/{queued['id']}/cancel").json()["state"] == "cancelled"

        while told[-1][1] != "end":
            told += followed(client, job, after=[number for number, *_ in told if number][-1], most=7)
        assert told[-1][2]["state"] == "done", json.dumps(told[-1][2])[:3000]
        numbers = [int(number) for number, kind, _ in told if kind != "end"]
        assert numbers == list(range(1, len(numbers) + 1)), "none was lost, none came twice"
        assert len(numbers) > 50
        last = [kind for _, kind, _ in told][-2:]
        assert last == ["run-finished", "end"]
        assert "idle" in fresh_lab.shell(fresh_lab.hosts[0], "sinfo --noheader")

        # The program of the manual finds nothing to change.
        words = [service.url.rstrip("/"), str(service.trusted), token, controller.cluster]
        run = subprocess.run([sys.executable, EXAMPLE, *words], capture_output=True, text=True, check=False)
        assert (run.returncode, run.stdout.splitlines()[-1]) == (0, "done"), run.stderr

        # One that is cancelled in the middle; then the whole of it.
        removal = client.delete(slurm)
        followed(client, removal.json()["id"], most=6)
        client.post(f"/jobs/{removal.json()['id']}/cancel")
        done(client, removal, "cancelled")
        done(client, client.delete(slurm))
    left = {host: labs.diff_snapshots(before[host], fresh_lab.snapshot(host)) for host in before}
    assert left == {host: [] for host in before}
    assert "Traceback" not in service.end()


def test_ending_the_service_ends_its_jobs_cleanly(
    serve: Callable[[], Service], controller: Controller, fresh_lab: Lab
) -> None:
    service = serve()
    token = controller.run("tokens", "create", "ci", "--owner", "ada", "--scope", "admin").stdout.strip()
    with service.client(token) as client:
        asked = client.post(f"/clusters/{controller.cluster}/command", json={"argv": ["sleep", "300"]})
        assert asked.status_code == 202, asked.text
        followed(client, asked.json()["id"], most=2)
    said = service.end()
    assert "ending 1 running job: hosts finish or abandon their step" in said
    assert service.process.returncode == 0
    assert fresh_lab.shell(fresh_lab.hosts[0], "pgrep --full '^sleep 300' || true") == ""
    service = serve()
    with service.client(token) as client:
        assert client.get(f"/jobs/{asked.json()['id']}").json()["state"] == "cut off"
    service.end()
