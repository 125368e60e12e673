"""A real service over TLS on real hosts: jobs outlive cut connections and a killed service; its installation."""

from __future__ import annotations

import importlib.metadata
import io
import json
import ssl
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx_sse import connect_sse
from packaging.requirements import Requirement
from tests.lab.controller import Controller

import bramble
from bramble import lab as labs
from bramble.lab.testing import Lab

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

EXAMPLE = Path(__file__).parents[2] / "docs/examples/service_client.py"

PASSWORD = "correct horse battery"

#: Debian's release with the Python that runs this: what is compiled for that runs there, too.
RELEASE = {11: "bookworm", 13: "trixie"}.get(sys.version_info.minor, "")


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


# Installed on a host


def bring(lab: Lab, host: str) -> None:
    """Put bramble with all that it needs into /opt/bramble of a host."""
    lab.shell(host, "python3 -m venv --without-pip /opt/bramble")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path, name in program():
            tar.add(path, f"lib/python3.{sys.version_info.minor}/site-packages/{name}", recursive=False)
        script = b"#!/opt/bramble/bin/python3\nfrom bramble.cli import main\nmain()\n"
        entry = tarfile.TarInfo("bin/bramble")
        entry.size, entry.mode = len(script), 0o755
        tar.addfile(entry, io.BytesIO(script))
    unpack = ["tar", "--extract", "--no-same-owner", "--directory=/opt/bramble"]
    labs.execute(lab.name, host, unpack, stdin=archive.getvalue())


def program() -> Iterator[tuple[Path, str]]:
    """Every file of bramble and of what its service needs, and its name among the packages."""
    package = Path(bramble.__file__).parent
    for path in package.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path, f"bramble/{path.relative_to(package)}"
    pending, seen = [("pi-bramble", "serve")], set[tuple[str, str]]()
    while pending:
        name, extra = pending.pop()
        found = importlib.metadata.distribution(name)
        for text in found.requires or ():
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                pending += [(needed.name, one) for one in ("", *needed.extras) if (needed.name, one) not in seen]
                seen |= {(needed.name, one) for one in ("", *needed.extras)}
        for file in (found.files or ()) if name != "pi-bramble" else ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                yield Path(str(file.locate())), str(file)


@pytest.fixture
def host(make_lab: Callable[..., Lab], fresh_lab: Lab) -> Iterator[tuple[Lab, str]]:
    """A host with the Python that runs this, and bramble on it."""
    if not RELEASE:
        pytest.fail("no release of Debian's has this Python: run the tests with 3.11 or 3.13", pytrace=False)
    lab = fresh_lab if RELEASE == "bookworm" else make_lab("white", 1, RELEASE)
    bring(lab, lab.hosts[0])
    yield lab, lab.hosts[0]
    if lab is not fresh_lab:
        labs.down(lab.name)


def test_installed_it_is_a_hardened_service_that_goes_without_a_trace(
    host: tuple[Lab, str], tmp_path: Path, controller: Controller
) -> None:
    lab, name = host
    program = "/opt/bramble/bin/bramble"
    before = lab.snapshot(name)
    clusters = "mkdir -p /root/.config/bramble/clusters; echo 'hosts: blue' > /root/.config/bramble/clusters/blue.yaml"
    lab.shell(name, f"umask 077; echo '{PASSWORD}' > /root/password; {clusters}")
    install = f"{program} serve --install --address 0.0.0.0 --copy-clusters --yes 2>&1"
    refused = lab.shell(name, f"{install} < /dev/null || true")
    assert "--admin NAME --password-file FILE" in refused
    said = lab.shell(name, f"{install} --admin ada --password-file /root/password")
    assert "SHA-256" in said
    assert "ssh-ed25519 " in said
    assert "blue.yaml" in said
    assert "nothing was changed" in lab.shell(name, install)

    # It runs as its own user, shut in.
    assert lab.shell(name, "systemctl is-active bramble; systemctl is-enabled bramble").split() == ["active", "enabled"]
    assert lab.shell(name, "ps -o user= -p $(systemctl show --property MainPID --value bramble)").strip() == "bramble"
    exposure = lab.shell(name, "systemd-analyze security bramble.service --no-pager | tail -1")
    assert float(exposure.split(":")[1].split()[0]) < 3, exposure
    open_to_others = "find /var/lib/bramble-service -not -type l -perm /077 -not -name '*.crt' -not -name '*.pub'"
    assert lab.shell(name, open_to_others) == ""

    # Who has its certificate authority reaches it over the network, and finds what was copied.
    trusted = tmp_path / "ca.pem"
    trusted.write_text(lab.shell(name, "cat /var/lib/bramble-service/.local/share/bramble/service/tls/ca.crt"))
    create = f"{program} tokens create ci --owner ada --scope read"
    token = lab.shell(name, f"cd /; setpriv --reuid bramble --regid bramble --clear-groups "
                      f"env HOME=/var/lib/bramble-service {create} 2>/dev/null").strip()  # fmt: skip
    context = ssl.create_default_context(cafile=str(trusted))
    url = f"https://{lab.address(name)}:8443"
    answer = httpx.get(f"{url}/api/v1/clusters", headers={"Authorization": f"Bearer {token}"}, verify=context)
    assert "blue" in answer.text, answer.text
    assert httpx.get(f"{url}/ca.pem", verify=context).text == trusted.read_text()

    # It comes back when it is killed, and goes when it is told to.
    lab.shell(name, "systemctl kill --signal KILL bramble; until systemctl is-active bramble; do sleep 0.5; done")
    kept = lab.shell(name, f"{program} serve --uninstall --yes")
    assert "stays in /var/lib/bramble-service" in kept
    assert lab.shell(name, "stat --format '%U %a' /var/lib/bramble-service").split() == ["root", "700"]
    again = lab.shell(name, f"{install} --address 127.0.0.1")
    assert "https://localhost:8443/" in again
    lab.shell(name, f"{program} serve --uninstall --purge --yes; rm -r /root/password /root/.config/bramble")
    lab.shell(name, "rmdir --ignore-fail-on-non-empty /root/.config 2>/dev/null || true")
    assert labs.diff_snapshots(before, lab.snapshot(name)) == []
