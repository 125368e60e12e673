"""The manual's way from nothing to a web app: what stands on its page is what is run, and prints what stands there."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.lab.controller import Controller
from tests.lab.registry import PASSWORD, Registry

from bramble import lab as labs
from bramble.api.kept import kept
from bramble.engine.artifacts.golang import client
from bramble.lab.testing import Lab
from bramble.runner.building import BUILDERS
from bramble.runner.facts import architecture

DOCS = Path(__file__).parents[2] / "docs"

#: Seconds for the first deployment: on a new machine, the programs have to be built.
FIRST = 1800

#: What differs from run to run, and a word for it. The hosts of the manual are red, red01 and red02.
VARIES = (
    (r"web-app-\w+-\w{5}\b", "POD"),
    (r"\bred\d*\b(?!,red\[)", "HOST"),
    (r"\b(\d+ ?min |\d+m)?\d+(\.\d+)* ?s\b", "TIME"),
    (r"\d+(\.\d+)*", "N"),
    (r"\s+", " "),
)


@pytest.fixture
def web(make_lab: Callable[..., Lab]) -> Iterator[Lab]:
    """Three hosts on which containers run."""
    yield make_lab("web", 3, containers=True)
    labs.down("web")


@dataclass(frozen=True)
class Shown:
    """A command as a page shows it, below which heading, and the output under it."""

    heading: str
    command: str
    output: tuple[str, ...]


def shown(page: Path) -> list[Shown]:
    """All commands of a page."""
    found = []
    for part in re.split(r"^## ", page.read_text(), flags=re.MULTILINE):
        for block in re.findall(r"^```console\n(.*?)^```", part, re.MULTILINE | re.DOTALL):
            for text in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, *output = text.splitlines()
                found.append(Shown(part.splitlines()[0], command, tuple(output)))
    return found


class Person(Controller):
    """Somebody with the manual before them: types what stands there, on a laptop that has kubectl and Go."""

    def type(self, lab: Lab, command: str) -> str:
        """What a command prints, with the names of the manual's hosts; this machine and its hosts are of one kind."""
        manager = lab.hosts[0]
        command = re.sub(r"//red(\d*):", lambda m: f"//{lab.address(manager + m[1])}:", command)
        command = re.sub(r"\bred(?=\d|\b)", manager, command).replace("arm64", architecture())
        done = self._run(command)
        ends = time.monotonic() + 30
        # One that pods have just taken over answers in a moment.
        while done.returncode and command.startswith("curl") and time.monotonic() < ends:
            time.sleep(1)
            done = self._run(command)
        assert done.returncode == 0, f"{command}: {done.stdout[-3000:]}{done.stderr}"
        assert "Traceback" not in done.stderr
        return re.sub(rf"\b{manager}(?=\d|\b)(?!-app)", "red", done.stdout)

    def kubectl(self, *words: str) -> str:
        """What kubectl says."""
        done = self._run(shlex.join(("kubectl", *words)))
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _run(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-ec", command],
            cwd=self.folder / "examples",
            env={**self.env, "PATH": self._path()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=FIRST,
            check=False,
        )

    def _path(self) -> str:
        programs = self.folder / "bin"
        if not programs.exists():
            programs.mkdir()
            (programs / "bramble").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m bramble "$@"\n')
            (programs / "bramble").chmod(0o755)
            (programs / "go").symlink_to(asyncio.run(client()))
        stored = [one for one in kept().all().values() if one.name == "kubernetes/kubectl"]
        ours = [one for one in stored if one.architecture == architecture()]
        if ours and not (programs / "kubectl").exists():
            shutil.copy(kept().path(ours[-1].sha256), programs / "kubectl")
            (programs / "kubectl").chmod(0o755)
        return os.pathsep.join((str(programs), self.env["PATH"]))


def alike(line: str) -> str:
    """A line without what differs from run to run."""
    for pattern, word in VARIES:
        line = re.sub(pattern, word, line)
    return line.strip()


def follow(person: Person, lab: Lab, steps: list[Shown]) -> None:
    """Type it all, and compare what comes with what the page shows: each line, in this order; ``...`` for any."""
    for step in steps:
        said = person.type(lab, step.command)
        print(f"$ {step.command}\n{said}", end="")
        lines = iter([alike(line) for line in said.splitlines()])
        for line in step.output:
            assert line == "..." or alike(line) in lines, f"{step.command} does not print {line!r}, but:\n{said}"


@pytest.mark.timeout(FIRST + 600)
def test_what_the_page_says(web: Lab, tmp_path: Path) -> None:
    person = Person.of(web, tmp_path / "laptop")
    shutil.copytree(DOCS / "examples", person.folder / "examples")
    if not any(map(shutil.which, BUILDERS)):
        web.shell(web.hosts[0], "apt-get update -q; apt-get install -qy --no-install-recommends buildah")
    registry = Registry.start(web, web.hosts[-1])
    before = {host: web.snapshot(host) for host in web.hosts}
    steps = shown(DOCS / "guide" / "web-app.md")
    last = [step for step in steps if step.heading == "All away again"]
    assert len([step for step in steps if step.heading[0].isdigit()]) >= 5 and last

    follow(person, web, [step for step in steps if step not in last])
    images_of_a_private_registry(person, web, registry)
    follow(person, web, last)
    left = {host: labs.diff_snapshots(before[host], web.snapshot(host)) for host in web.hosts}
    assert left == {host: [] for host in web.hosts}


def images_of_a_private_registry(person: Person, lab: Lab, registry: Registry) -> None:
    """Logins come from a file, only pods see them, and they go without anything of others."""
    manager = lab.hosts[0]
    image = registry.push(manager, "web-app:1", "private/app:1")
    file = person.folder / "logins.json"
    deploy = ("deploy", "kubernetes", "--no-verify")

    def run(pod: str, namespace: str = "default") -> None:
        person.kubectl("run", pod, "--namespace", namespace, f"--image={image}", "--restart=Never")

    def runs(pod: str, namespace: str = "default") -> None:
        person.kubectl("wait", f"pod/{pod}", "--namespace", namespace, "--for=condition=Ready", "--timeout=60s")

    def account(namespace: str = "default") -> list[str]:
        found = json.loads(person.kubectl("get", "serviceaccount", "default", "--namespace", namespace, "-o", "json"))
        return sorted(one["name"] for one in found.get("imagePullSecrets", []))

    def ours() -> list[str]:
        found = json.loads(person.kubectl("get", "secrets", "--all-namespaces", "-o", "json"))["items"]
        return [one["metadata"]["namespace"] for one in found if one["metadata"]["name"] == "bramble-pull"]

    # Without a login, the registry gives nothing. Somebody else has a secret at the same account already.
    run("early")
    person.kubectl("create", "secret", "generic", "theirs", "--from-literal=a=b")
    person.kubectl("patch", "serviceaccount", "default", "--patch", '{"imagePullSecrets": [{"name": "theirs"}]}')
    reason = "jsonpath={.status.containerStatuses[0].state.waiting.reason}"
    person.kubectl("wait", "pod/early", f"--for={reason}=ImagePullBackOff", "--timeout=60s")
    assert "401 Unauthorized" in person.kubectl("get", "pod", "early", "-o", "json")

    # What is no file of logins is refused, and not repeated.
    file.write_text(f"{registry.login}\n")
    file.chmod(0o600)
    refused = person.run(*deploy, "--set", f"pull_secret={file}")
    assert refused.status == 2 and "not JSON" in refused.stderr and registry.login not in refused.said

    # With one, pods that are made from now on have their image. Meanwhile somebody looks at all processes.
    file.write_text(registry.logins())
    once = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' || true"
    look = f"until [ -e /run/enough ]; do {once}; sleep 0.05; done >/run/seen"
    watcher = threading.Thread(target=lab.shell, args=(manager, look))
    watcher.start()
    try:
        brought = person.json(*deploy, "--set", f"pull_secret={file}", "--verbose", "--diff")
    finally:
        lab.shell(manager, "touch /run/enough")
        watcher.join()
    assert brought.status == 0 and brought.report["changed"] == 1, brought.said[-3000:]
    assert f"pull_secret: pods may pull from {registry.place}" in brought.report["notes"]
    run("late")
    runs("late")
    assert (account(), ours()) == (["bramble-pull", "theirs"], ["default"])
    again = person.json(*deploy)
    assert again.status == 0 and again.report["changed"] == 0, again.said[-3000:]

    # Nobody else saw it: no process list, log, journal or cluster file, nor etcd's disk, where it lies encrypted.
    assert "bramble-pull" in lab.shell(manager, "cat /run/seen; rm /run/seen /run/enough")
    secret = person.folder / "data/bramble/secrets" / person.cluster / "kubernetes/pull_secret"
    assert secret.stat().st_mode & 0o777 == 0o600
    places = "/var/lib/bramble /var/lib/etcd /etc/kubernetes /var/log /run/bramble"
    for word in (PASSWORD, registry.login):
        assert word not in brought.said and word not in again.said
        for host in lab.hosts:
            search = f"grep -rlaF {word} {places} 2>/dev/null || true; journalctl | grep -F {word} || true"
            assert lab.shell(host, search) == ""
        kept = {path for path in person.folder.rglob("*") if path.is_file() and word.encode() in path.read_bytes()}
        assert kept == ({file, secret} if word == registry.login else set())

    # Others from standard input, for another namespace, which is made; the first one has only what was theirs.
    words = ("--set", "pull_secret=-", "--set", "pull_namespaces=web")
    other = person.json(*deploy, *words, stdin=registry.logins("registry.example"))
    assert other.status == 0 and other.report["changed"] == 1, other.said[-3000:]
    assert (account(), account("web"), ours()) == (["theirs"], ["bramble-pull"], ["web"])
    run("late", "web")
    runs("late", "web")
    assert person.json(*deploy).report["changed"] == 0

    # Not wanted any more.
    gone = person.json(*deploy, "--set", "pull_secret=")
    assert gone.status == 0 and (account(), account("web"), ours()) == (["theirs"], [], []), gone.said[-3000:]
    assert not secret.exists()
