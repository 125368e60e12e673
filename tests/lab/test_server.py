"""The command line against a service, on virtual Pis: what a student's laptop sees of a controller that many share."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.lab.controller import Controller
from tests.service import Proxy

from bramble.engine.backup import read
from bramble.lab.testing import Lab


@dataclass(frozen=True)
class Shared:
    """A service that knows the hosts, and a person, its admin, who knows nothing but it.

    Attributes
    ----------
    there
        The machine of the service, where the same is done without it.
    """

    there: Controller
    person: Controller
    url: str
    proxy: Proxy
    fingerprint: str

    def words(self, *words: str) -> tuple[str, ...]:
        """The same words, for the service."""
        return ("--server", self.url, *words)

    def operator(self, folder: Path) -> Controller:
        """Somebody else, on a machine of their own, who is an operator."""
        secret = ("--password-file", str(self.there.folder.parent / "password"))
        added = self.there.run("users", "add", "otto", "--role", "operator", *secret)
        assert added.status == 0, added.said
        found = Controller.new(folder, "red")
        login = found.run("login", self.url, "--user", "otto", *secret, "--fingerprint", self.fingerprint)
        assert login.status == 0, login.said
        return found

    @property
    def left(self) -> list[Path]:
        """What the service still has of files of callers."""
        return list((self.there.folder / "data/bramble/service/files").iterdir())


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
    yield Shared(there, person, proxy.url, proxy, fingerprint[1])
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


def test_a_backup_comes_home_as_it_would_without_the_service_and_goes_back(
    shared: Shared, fresh_lab: Lab, tmp_path: Path
) -> None:
    diary, manager = "/var/lib/beacon/diary", fresh_lab.hosts[0]
    deployed = shared.person.run(*shared.words("deploy", "beacon", "--cluster", fresh_lab.status.cluster))
    assert deployed.status == 0, deployed.said
    fresh_lab.shell(manager, f"echo the first day > {diary}")
    home, beside = tmp_path / "home.backup", tmp_path / "beside.backup"
    taken = shared.person.run(*shared.words("backup", "beacon", "--to", str(home)))
    assert (taken.status, stat.S_IMODE(home.stat().st_mode)) == (0, 0o600), taken.said
    assert str(home) in taken.said and "keys of beacon" in taken.said
    assert shared.there.run("backup", "beacon", "--to", str(beside)).status == 0
    with read(home) as one, read(beside) as other:
        assert one.origin.model_copy(update={"made": other.origin.made}) == other.origin
        assert one.secrets == other.secrets != {}
        assert one.content.read_bytes() == other.content.read_bytes()

    # An operator is not given the keys, which is said before anything is done; bringing them back is no secret.
    operator = shared.operator(tmp_path / "operator")
    runs = shared.there.run("runs").stdout
    refused = operator.run(*shared.words("backup", "beacon", "--to", str(tmp_path)))
    assert refused.status == 2, refused.said
    assert "this needs the role admin" in refused.stderr
    assert "a backup has the keys of beacon in it" in refused.stderr
    assert "ask an admin" in refused.stderr
    assert shared.there.run("runs").stdout == runs
    for person, what in ((operator, "nonsense"), (shared.person, "more nonsense")):
        fresh_lab.shell(manager, f"echo {what} > {diary}")
        restored = person.run(*shared.words("restore", "beacon", str(home), "--yes"))
        assert restored.status == 0, restored.said
        assert fresh_lab.shell(manager, f"cat {diary}") == "the first day\n"
    assert shared.left == []


def test_files_go_to_hosts_and_come_from_them_as_they_would_without_the_service(
    shared: Shared, fresh_lab: Lab, tmp_path: Path
) -> None:
    tree, cluster = tmp_path / "tree", fresh_lab.status.cluster
    (tree / "inner").mkdir(parents=True)
    (tree / "inner/large").write_bytes(os.urandom(3_000_000))
    (tree / "script").write_text("#!/bin/sh\n")
    (tree / "script").chmod(0o755)
    (tree / "link").symlink_to("script")
    copied = shared.person.run(*shared.words("copy", str(tree), "--to", "/srv/tree", "--sudo", "--cluster", cluster))
    assert copied.status == 0, copied.said
    again = shared.there.json("copy", str(tree), "--to", "/srv/tree", "--sudo")
    assert again.report["changed"] == 0, "what was sent through the service is what would have been sent"
    ways = {"home": (shared.person, shared.words()), "beside": (shared.there, ())}
    for folder, (person, words) in ways.items():
        into = ("--into", str(tmp_path / folder))
        fetched = person.run(*words, "fetch", "/srv/tree", "/etc/hostname", *into, "--cluster", cluster)
        assert fetched.status == 0, fetched.said
    home, beside = (_told(tmp_path / folder) for folder in ways)
    assert home == beside
    assert home[f"{fresh_lab.hosts[1]}/tree/inner/large"][1] == (tree / "inner/large").read_bytes()
    operator = shared.operator(tmp_path / "operator")
    refused = operator.run(*shared.words("copy", str(tree), "--cluster", cluster))
    assert refused.status == 2, refused.said
    assert "this needs the role admin" in refused.stderr
    assert shared.left == []


def _told(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Each file below a folder: its permissions, and what is in it."""
    found = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return {str(path.relative_to(folder)): (stat.S_IMODE(path.stat().st_mode), path.read_bytes()) for path in found}
