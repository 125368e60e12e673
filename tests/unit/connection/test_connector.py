"""Many hosts at once, what they share, and who answers in place of SSH."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from inspect import ismodule
from pathlib import Path

import pytest
from tests.sshserver import SimulatedHost

import bramble.connection
from bramble.connection import (
    Completed,
    Connector,
    FakeConnection,
    FakeHosts,
    LocalConnection,
    Settings,
    connect,
    known_hosts,
)
from bramble.errors import AuthenticationFailed, ConnectionLost, PythonMissing, Unreachable
from bramble.model import Host
from bramble.runner.secret import Secret


async def test_fifty_hosts_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = [SimulatedHost(f"red{n:02}") for n in range(50)]
    await asyncio.gather(*(host.start() for host in hosts))
    book = tmp_path / "known_hosts"
    book.write_text("".join(f"{line}\n" for host in hosts for line in host.lines))
    reads = []
    real = known_hosts.KnownHosts.read

    def read(path: str) -> known_hosts.KnownHosts:
        reads.append(path)
        return real(path)

    monkeypatch.setattr(known_hosts.KnownHosts, "read", read)
    settings = Settings(known_hosts=(str(book),))

    async def one(host: SimulatedHost) -> bytes:
        async with await connect(host.host, settings) as connection:
            return (await connection.run(["echo", host.name], timeout=30)).stdout

    try:
        assert await asyncio.gather(*map(one, hosts)) == [f"{host.name}\n".encode() for host in hosts]
        assert sorted(reads) == ["/etc/ssh/ssh_known_hosts", str(book), "~/.ssh/known_hosts"]
    finally:
        await asyncio.gather(*(host.close() for host in hosts))


async def test_handshakes_at_once_are_bounded(tmp_path: Path) -> None:
    now = most = 0

    async with SimulatedHost("red01") as red01:
        red01.login_takes = 0.05
        connector = Connector(Settings(known_hosts=(red01.known_hosts(tmp_path),), connections=3))
        real = connector._ssh().connect

        async def counted(host: Host):  # type: ignore[no-untyped-def]
            nonlocal now, most
            now += 1
            most = max(most, now)
            try:
                return await real(host)
            finally:
                now -= 1

        connector._ssh().connect = counted  # type: ignore[method-assign]
        connections = await asyncio.gather(*(connector.connect(red01.host) for _ in range(12)))
        assert most == 3
        await asyncio.gather(*(connection.close() for connection in connections))


async def test_a_host_that_fails_does_no_harm_to_others(tmp_path: Path) -> None:
    async with SimulatedHost("red01") as red01:
        settings = Settings(known_hosts=(red01.known_hosts(tmp_path),), connections=1)
        outcomes = await asyncio.gather(
            connect(Host(name="red02", address="red02.invalid"), settings),
            connect(red01.host, settings),
            connect(Host(name="red03", address="127.0.0.1", port=1), settings),
            return_exceptions=True,
        )
        assert [type(outcome).__name__ for outcome in outcomes] == ["Unreachable", "SSHConnection", "Unreachable"]
        await outcomes[1].close()  # type: ignore[union-attr]


async def test_names_that_mean_this_machine_need_no_ssh() -> None:
    async with await connect(Host(name="localhost"), Settings(local=frozenset({"localhost"}))) as connection:
        assert isinstance(connection, LocalConnection)
        assert (await connection.run(["echo", "here"], timeout=10)).stdout == b"here\n"


def test_importing_it_does_not_load_asyncssh() -> None:
    code = "import sys, bramble.connection; sys.exit('asyncssh' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_public_names_are_listed() -> None:
    public = {name for name, value in vars(bramble.connection).items() if not (name[0] == "_" or ismodule(value))}
    assert public == set(bramble.connection.__all__)


def test_settings_do_not_show_secrets() -> None:
    assert "hunter2" not in repr(Settings(password=Secret("login", value=b"hunter2")))


# The fake


async def test_the_fake_answers_from_its_script() -> None:
    red01 = FakeConnection(
        Host(name="red01"),
        {"uptime": "up 3 days", "sudo -n true": 1, "cat /etc/*": b"text", "apt-get *": Completed(100, b"", b"E: lock")},
    )
    assert await red01.run(["uptime"], timeout=1) == Completed(0, b"up 3 days", b"")
    assert (await red01.run("sudo -n true", timeout=1)).status == 1
    assert (await red01.run(["cat", "/etc/hostname"], timeout=1)).stdout == b"text"
    assert (await red01.run(["apt-get", "update"], input=b"yes\n", timeout=1)).stderr == b"E: lock"
    assert (await red01.run(["reboot"], timeout=1)).status == 127
    assert red01.commands == ["uptime", "sudo -n true", "cat /etc/hostname", "apt-get update", "reboot"]
    assert red01.inputs[3] == b"yes\n"


async def test_the_fake_fails_as_told() -> None:
    red01 = FakeConnection(Host(name="red01"), {"python3 *": PythonMissing("python3 is not there", host="red01")})
    with pytest.raises(PythonMissing):
        await red01.start(["python3", "-c", "1"])


async def test_a_network_of_fakes_takes_the_place_of_ssh() -> None:
    hosts = FakeHosts({"red01": {"hostname": "red01"}, "red02": AuthenticationFailed("pi is not let in", host="red02")})
    settings = Settings(opener=hosts)
    async with await connect(Host(name="red01"), settings) as connection:
        assert (await connection.run(["hostname"], timeout=1)).stdout == b"red01"
    with pytest.raises(AuthenticationFailed):
        await connect(Host(name="red02"), settings)
    with pytest.raises(Unreachable):
        await connect(Host(name="red03"), settings)
    assert [one.host.name for one in hosts.connections] == ["red01"]


async def test_the_fake_can_lose_its_connection() -> None:
    async def wait(command: str, stdin: object, stdout: object) -> int:
        await asyncio.sleep(60)
        return 0

    red01 = FakeConnection(Host(name="red01"), {"wait": wait})
    running = asyncio.create_task(red01.run(["wait"], timeout=60))
    await asyncio.sleep(0)
    red01.lose()
    with pytest.raises(ConnectionLost, match="broke in the middle"):
        await running
