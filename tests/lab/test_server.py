"""The command line against a service, on virtual Pis: what a student's laptop sees of a controller that many share."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.lab.controller import Controller
from tests.service import Proxy

from bramble.lab.testing import Lab


@dataclass(frozen=True)
class Shared:
    """A service that knows the hosts, and a person who knows nothing but it."""

    person: Controller
    url: str
    proxy: Proxy

    def words(self, *words: str) -> tuple[str, ...]:
        """The same words, for the service."""
        return ("--server", self.url, *words)


@pytest.fixture
def shared(fresh_lab: Lab, tmp_path: Path) -> Iterator[Shared]:
    """Logged in by the fingerprint that the service printed, through a network that can be cut."""
    there, person = Controller.of(fresh_lab, tmp_path / "there"), Controller.new(tmp_path / "person", "red")
    password = tmp_path / "password"
    password.write_text("four words in a row")
    password.chmod(0o600)
    secret = ("--password-file", str(password))
    serving = subprocess.Popen(
        [sys.executable, "-m", "bramble", "serve", "--port", "0", "--admin", "maria", *secret],
        env=there.env, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert serving.stdout
    said = [serving.stdout.readline() for _ in range(3)]
    port, fingerprint = re.search(r":(\d+)/", said[0]), re.search(r"SHA-256 (\S+)", said[2])
    assert port and fingerprint, said
    proxy = Proxy(int(port[1]))
    login = person.run("login", proxy.url, "--user", "maria", *secret, "--fingerprint", fingerprint[1])
    assert login.status == 0, login.said
    yield Shared(person, proxy.url, proxy)
    proxy.close()
    serving.terminate()
    assert serving.wait(60) == 0
    serving.stdout.close()


def test_a_service_is_brought_up_proved_and_taken_off_through_another_machine(shared: Shared, fresh_lab: Lab) -> None:
    """The connection is cut twice meanwhile; no event is lost, none comes twice."""
    cluster = fresh_lab.status.cluster
    deploying = shared.person.start(*shared.words("deploy", "beacon", "--cluster", cluster, "--set", "pause=1"))
    deploying.until("step-done")
    shared.proxy.cut()
    deploying.until("group-done")
    shared.proxy.cut()
    done = deploying.finish()
    assert done.status == 0, done.said
    assert set(done.outcomes().values()) == {"done"}
    assert done.report["verified"] is True
    assert shared.proxy.cuts == 2
    steps = Counter((e["host"], e["group"], e["step"]) for e in done.events if e["kind"] == "step-done")
    assert max(steps.values()) == 1
    changed = sum(e.get("outcome") == "changed" for e in done.events if e["kind"] == "step-done")
    assert changed == done.report["changed"] > 0
    assert not shared.person.cluster_file.exists()
    verified = shared.person.run(*shared.words("verify", "beacon"))
    assert verified.status == 0, verified.said
    assert "beacon" in shared.person.run(*shared.words("status")).stdout
    assert "deploy" in shared.person.run(*shared.words("runs")).stdout
    removed = shared.person.json(*shared.words("remove", "beacon", "--yes"))
    assert (removed.status, set(removed.outcomes().values())) == (0, {"done"})


def test_ctrl_c_ends_the_job_there_and_the_same_command_goes_on(shared: Shared, fresh_lab: Lab) -> None:
    words = shared.words("deploy", "beacon", "--cluster", fresh_lab.status.cluster)
    deploying = shared.person.start(*words, "--set", "pause=300")
    deploying.until("step-started", step="settle")
    deploying.interrupt()
    stopped = deploying.finish(60)
    assert stopped.status == 130, stopped.said
    assert "stopping: hosts finish or abandon their step" in stopped.stderr
    assert set(stopped.outcomes().values()) == {"interrupted"}
    done = shared.person.json(*words, "--set", "pause=0")
    assert done.status == 0, done.said
    assert any(event.get("outcome") == "unchanged" for event in done.events)
