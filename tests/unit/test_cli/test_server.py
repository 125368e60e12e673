"""The command line against a service: the same output and exit codes; logging in and out."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.service import Running
from tests.unit.test_cli.support import Cli

from bramble import api
from bramble.cli import bramble
from bramble.client import logins
from bramble.inventory import folders

PASSWORD = "four words in a row"


@pytest.fixture
def service(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A service, and nothing in the environment that names one."""
    monkeypatch.delenv("BRAMBLE_SERVER", raising=False)
    running = Running(home / "service")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def maria(service: Running, tmp_path: Path) -> tuple[str, ...]:
    """A user of it; the options by which she logs in without a terminal."""
    service.add("maria", "operator", PASSWORD)
    secret = tmp_path / "password"
    secret.write_text(PASSWORD + "\n")
    secret.chmod(0o600)
    return ("--user", "maria", "--password-file", str(secret))


@pytest.fixture
def ca(service: Running) -> tuple[str, str]:
    return ("--ca", str(service.identity.authority))


def test_what_is_told_is_the_same(cli: Cli, service: Running) -> None:
    logins.keep(service.login())
    words = ("deploy", "slurm", "--hosts", "red,red[01-02]", "--port", "9", "--dry-run")
    here, there = cli(*words), cli("--server", service.url, *words)
    assert there.code == here.code == 1

    def plain(text: str) -> str:
        return re.sub(r"\d+\.\d+ s|\d{8}-\d{6}-\w{4}", "…", text)

    assert sorted(plain(there.out).splitlines()) == sorted(plain(here.out).splitlines())
    assert plain(there.err) == plain(here.err)
    assert service.jobs() == ["failed"]


def test_files_are_those_of_here(cli: Cli, service: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logins.keep(service.login("admin"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("one")
    for verb in (("copy", "notes.txt"), ("copy", "none"), ("fetch", "/etc/hostname", "--into", "logs")):
        words = (*verb, "--hosts", "red", "--port", "9")
        here, there = cli(*words), cli("--server", service.url, *words)
        assert (there.code, there.out) == (here.code, here.out)
        assert re.sub(r"\d+\.\d+ s", "", there.err) == re.sub(r"\d+\.\d+ s", "", here.err)
    assert list((service.folder / "files").iterdir()) == []


def test_json_is_the_same(cli: Cli, service: Running) -> None:
    logins.keep(service.login())
    words = ("deploy", "slurm", "--hosts", "red", "--port", "9", "--dry-run", "--json")
    kinds = [
        [json.loads(line)["kind"] for line in cli(*server, *words).out.splitlines()]
        for server in ((), ("--server", service.url))
    ]
    assert kinds[0] == kinds[1]
    assert kinds[0][-1] == "run-finished"


def test_a_mistake_is_told_the_same_way(cli: Cli, service: Running) -> None:
    logins.keep(service.login())
    assert cli("--server", service.url, "deploy", "slrm", "--hosts", "red").code == 2
    told = cli("--server", service.url, "verify", "slurm")
    assert (told.code, told.err.splitlines()[0]) == (2, "error: no hosts are named, and there is no cluster yet")


def test_the_environment_names_the_service_and_the_host_will_do(
    cli: Cli, service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    logins.keep(service.login())
    monkeypatch.setenv("BRAMBLE_SERVER", service.url)
    assert cli("deploy", "slurm", "--hosts", "red", "--port", "9").code == 1
    assert service.jobs() == ["failed"]
    assert cli("hosts", "list", "--json").code == 0


def test_the_question_before_a_removal_is_about_the_hosts_there(
    cli: Cli, service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("bramble.cli.terminal.confirm", lambda question, **_: asked.append(question))
    api.hosts_add("red,red[01-02]", cluster="red")
    logins.keep(service.login())
    cli("--server", service.url, "remove", "slurm", "--port", "9")
    cli("--server", service.url, "poweroff", "--hosts", "@workers", "--port", "9")
    assert asked[0].startswith("Remove slurm from red,red[01-02]?")
    assert asked[1].startswith("Switch off red[01-02], 2 hosts (")


def test_who_is_not_logged_in_is_told_how(cli: Cli, service: Running) -> None:
    told = cli("--server", service.url, "status")
    assert (told.code, told.err) == (
        2,
        f"error: you are not logged in at {service.url}\nhint: bramble login {service.url}\n",
    )


@pytest.mark.parametrize("command", ["lab", "serve", "completion", "login"])
def test_what_is_about_this_machine_is_refused(cli: Cli, command: str) -> None:
    told = cli("--server", "red", command)
    assert (told.code, told.err.splitlines()[-1]) == (2, "hint: take --server away")


def test_plain_http_is_refused(cli: Cli) -> None:
    told = cli("--server", "http://red:8443", "status")
    assert (told.code, told.err.splitlines()[-1]) == (2, "hint: https://red:8443")


def test_who_logs_in_gets_a_token_that_only_they_can_read(
    cli: Cli, service: Running, maria: tuple[str, ...], ca: tuple[str, str]
) -> None:
    told = cli("login", service.url, *maria, *ca)
    assert (told.code, told.err) == (0, "")
    assert f"maria (operator) at {service.url}" in told.out
    assert "commands still act here" in told.out
    kept = folders.logins()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in kept.read_text()
    assert PASSWORD not in told.out
    assert logins.find("127.0.0.1:" + str(service.port)).token not in told.out
    assert cli("--server", service.url, "hosts", "list").code == 0
    assert "maria" in cli("login", "--list").out
    # Again: the earlier token ends.
    assert cli("login", service.url, *maria).code == 0  # its certificate is the one that was confirmed then
    assert len(service.tokens()) == 1
    assert cli("logout", service.url).code == 0
    assert service.tokens() == []
    assert cli("--server", service.url, "hosts", "list").code == 2


def test_the_wrong_password_is_refused(cli: Cli, service: Running, ca: tuple[str, str], tmp_path: Path) -> None:
    service.add("maria", "operator", PASSWORD)
    secret = tmp_path / "password"
    secret.write_text("another one than that")
    secret.chmod(0o600)
    told = cli("login", service.url, "--user", "maria", "--password-file", str(secret), *ca)
    assert told.code == 2
    assert not folders.logins().exists()


def test_a_certificate_is_never_trusted_silently(cli: Cli, service: Running, maria: tuple[str, ...]) -> None:
    from bramble.client import signing_in

    told = cli("login", service.url, *maria)
    own = signing_in.fingerprint(service.authority)
    assert told.code == 2
    assert own in told.err
    assert "--fingerprint" in told.err
    assert cli("login", service.url, *maria, "--fingerprint", "00" * 32).code == 2
    assert not folders.logins().exists()
    assert cli("login", service.url, *maria, "--fingerprint", own.replace(":", "").lower()).code == 0


def test_a_token_of_the_service_logs_in_and_stays_there(
    cli: Cli, service: Running, ca: tuple[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(service.login("viewer").token + "\n")
    file.chmod(0o600)
    told = cli("login", service.url, "--token-file", str(file), *ca)
    assert (told.code, told.err) == (0, "")
    assert f"viewer (viewer) at {service.url}" in told.out
    assert cli("logout", service.url).code == 0
    assert len(service.tokens()) == 1


def test_help_names_the_option() -> None:
    assert any("--server" in option.opts for option in bramble.params)


def test_starting_up_does_not_load_the_client() -> None:
    code = "import sys, bramble.cli; sys.exit('httpx' in sys.modules or 'bramble.client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.fixture
def deploying(service: Running) -> Iterator[subprocess.Popen[str]]:
    """In a process of its own, as a terminal has it, on a host that takes a connection and says nothing."""
    logins.keep(service.login())
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = str(silent.getsockname()[1])
        words = ["deploy", "slurm", "--hosts", "127.0.0.1", "--port", port, "--connect-timeout", "8"]
        process = subprocess.Popen(
            [sys.executable, "-m", "bramble", "--server", service.url, *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ.copy(),
        )  # fmt: skip
        assert process.stdout
        assert "run" in process.stdout.readline()
        yield process
        process.kill()
        process.communicate()


def test_one_interrupt_ends_the_job_there(service: Running, deploying: subprocess.Popen[str]) -> None:
    deploying.send_signal(signal.SIGINT)
    _, error = deploying.communicate(timeout=60)
    assert deploying.returncode == 130
    assert "error: interrupted" in error
    assert service.jobs() == ["cancelled"]


def test_a_second_interrupt_does_not_wait_and_tells_where_to_follow(
    service: Running, deploying: subprocess.Popen[str]
) -> None:
    deploying.send_signal(signal.SIGINT)
    assert deploying.stdout
    while "stopping" not in deploying.stdout.readline():
        assert deploying.poll() is None
    deploying.send_signal(signal.SIGINT)
    _, error = deploying.communicate(timeout=60)
    assert deploying.returncode == 130
    assert f"hint: follow it: {service.url}/jobs/" in error
    assert service.jobs() == ["running"]
