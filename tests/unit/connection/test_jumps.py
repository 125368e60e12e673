"""Hosts behind other hosts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.sshserver import SimulatedHost

from bramble.connection import Settings, connect, fetch_host_keys
from bramble.connection.ssh import jumps as jumps_module
from bramble.connection.ssh.route import jumps
from bramble.errors import AuthenticationFailed, ChangedHostKey, ConnectionLost, UnknownHostKey, Unreachable, UsageError
from bramble.model import Host


@pytest.fixture
async def gate() -> AsyncIterator[SimulatedHost]:
    async with SimulatedHost("gate", user="guest") as host:
        yield host


@pytest.fixture
async def red01() -> AsyncIterator[SimulatedHost]:
    async with SimulatedHost("red01") as host:
        yield host


def config_for(gate: SimulatedHost, home: Path, more: str = "") -> None:
    block = f"Host gate\n  HostName 127.0.0.1\n  Port {gate.port}\n  User guest\n"
    (home / ".ssh" / "config").write_text(f"{more}{block}")


def known(folder: Path, *hosts: SimulatedHost) -> Settings:
    return Settings(known_hosts=tuple(host.known_hosts(folder) for host in hosts))


async def is_let_in(host: Host, settings: Settings) -> bool:
    async with await connect(host, settings) as connection:
        return (await connection.run(["echo", "hello"], timeout=10)).stdout == b"hello\n"


async def test_a_host_behind_its_jump_host(gate: SimulatedHost, red01: SimulatedHost, tmp_path: Path) -> None:
    host = replace(red01.host, jump=f"guest@127.0.0.1:{gate.port}")
    gate.name = "127.0.0.1"
    assert await is_let_in(host, known(tmp_path, gate, red01))
    assert gate.logins == red01.logins == 1


async def test_the_jump_host_of_ssh_config(
    gate: SimulatedHost, red01: SimulatedHost, tmp_path: Path, home: Path
) -> None:
    config_for(gate, home, "Host red*\n  ProxyJump gate\n")
    assert await is_let_in(red01.host, known(tmp_path, gate, red01))
    assert gate.logins == 1


async def test_a_jump_host_of_our_own_wins(
    gate: SimulatedHost, red01: SimulatedHost, tmp_path: Path, home: Path
) -> None:
    config_for(gate, home, "Host red*\n  ProxyJump none.invalid\n")
    assert await is_let_in(replace(red01.host, jump="gate"), known(tmp_path, gate, red01))
    assert not await no_jump_at_all(red01, tmp_path, gate)


async def no_jump_at_all(red01: SimulatedHost, folder: Path, gate: SimulatedHost) -> int:
    before = gate.logins
    assert await is_let_in(replace(red01.host, jump="none"), known(folder, gate, red01))
    return gate.logins - before


async def test_the_address_is_looked_up_behind_the_jump_host(
    gate: SimulatedHost, red01: SimulatedHost, tmp_path: Path, home: Path
) -> None:
    config_for(gate, home, "Host red01\n  HostName wrong.invalid\n  ProxyJump gate\n")
    assert await is_let_in(red01.host, known(tmp_path, gate, red01))


async def test_a_chain_of_jump_hosts(gate: SimulatedHost, red01: SimulatedHost, tmp_path: Path, home: Path) -> None:
    async with SimulatedHost("inner") as inner:
        more = f"Host inner\n  HostName 127.0.0.1\n  Port {inner.port}\n  User pi\n"
        config_for(gate, home, more)
        settings = known(tmp_path, gate, inner, red01)
        assert await is_let_in(replace(red01.host, jump="gate,inner"), settings)
        assert (gate.logins, inner.logins, red01.logins) == (1, 1, 1)
        config_for(gate, home, f"{more}  ProxyJump gate\n")
        assert await is_let_in(replace(red01.host, jump="inner"), known(tmp_path, gate, inner, red01))
        assert (gate.logins, inner.logins, red01.logins) == (2, 2, 2)


async def test_hosts_behind_one_jump_host_share_the_way(
    gate: SimulatedHost, red01: SimulatedHost, tmp_path: Path, home: Path
) -> None:
    config_for(gate, home)
    settings = known(tmp_path, gate, red01)
    host = replace(red01.host, jump="gate")
    connections = await asyncio.gather(*(connect(host, settings) for _ in range(20)))
    assert (gate.logins, red01.logins) == (1, 20)
    for connection in connections[:-1]:
        await connection.close()
    assert (await connections[-1].run(["true"], timeout=10)).status == 0
    assert len(gate.connections) == 1
    await connections[-1].close()
    await asyncio.sleep(0.1)
    assert gate.connections == []
    assert await is_let_in(host, settings)
    assert gate.logins == 2


async def test_the_jump_host_must_be_known_too(
    gate: SimulatedHost, red01: SimulatedHost, tmp_path: Path, home: Path
) -> None:
    config_for(gate, home)
    host = replace(red01.host, jump="gate")
    with pytest.raises(UnknownHostKey) as caught:
        await connect(host, known(tmp_path, red01))
    assert caught.value.host == "red01"
    assert caught.value.what.startswith("through gate: its key is not known")
    assert caught.value.hint.endswith("bramble hosts trust gate")
    with pytest.raises(UnknownHostKey, match="red01: its key is not known"):
        await connect(host, known(tmp_path, gate))
    async with SimulatedHost("gate") as other:
        (tmp_path / "known").write_text(other.lines[0].replace(str(other.port), str(gate.port)))
    with pytest.raises(ChangedHostKey, match="through gate"):
        await connect(host, Settings(known_hosts=(str(tmp_path / "known"),)))


async def test_a_jump_host_that_lets_nobody_in(red01: SimulatedHost, tmp_path: Path, home: Path) -> None:
    async with SimulatedHost("gate", user="nobody") as gate:
        config_for(gate, home)
        with pytest.raises(AuthenticationFailed, match="through gate: guest is not let in"):
            await connect(replace(red01.host, jump="gate"), known(tmp_path, gate, red01))


async def test_a_jump_host_that_is_gone_is_asked_once_for_all(
    gate: SimulatedHost, red01: SimulatedHost, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_for(gate, home)
    settings = known(tmp_path, gate, red01)
    await gate.close()
    for _ in range(3):
        with pytest.raises(Unreachable, match=r"red01: through gate: port .* refuses the connection"):
            await connect(replace(red01.host, jump="gate"), settings)
    await gate.start()
    monkeypatch.setattr(jumps_module, "_REMEMBERED", 0.0)
    assert await is_let_in(replace(red01.host, jump="gate"), settings)


async def test_a_host_that_its_jump_host_cannot_reach(
    gate: SimulatedHost, red01: SimulatedHost, tmp_path: Path, home: Path
) -> None:
    config_for(gate, home)
    settings = known(tmp_path, gate, red01)
    port = red01.port
    await red01.close()
    with pytest.raises(Unreachable, match=f"gate makes no connection to port {port} of 127.0.0.1") as caught:
        await connect(replace(red01.host, jump="gate"), settings)
    assert caught.value.host == "red01"
    assert "nc -vz" in caught.value.hint


async def test_a_jump_host_killed_in_the_middle(
    gate: SimulatedHost, red01: SimulatedHost, tmp_path: Path, home: Path
) -> None:
    config_for(gate, home)
    connection = await connect(replace(red01.host, jump="gate"), known(tmp_path, gate, red01))
    running = asyncio.create_task(connection.run(["sleep", "60"], timeout=60))
    await asyncio.sleep(0.3)
    gate.drop()
    async with asyncio.timeout(5):
        with pytest.raises(ConnectionLost, match="red01: the connection broke in the middle"):
            await running
    await connection.close()


async def test_one_who_gives_up_does_not_take_the_way_from_others(
    gate: SimulatedHost, red01: SimulatedHost, tmp_path: Path, home: Path
) -> None:
    config_for(gate, home)
    gate.login_takes = 0.5
    settings = known(tmp_path, gate, red01)
    host = replace(red01.host, jump="gate")
    first, second = (asyncio.create_task(connect(host, settings)) for _ in range(2))
    await asyncio.sleep(0.2)
    first.cancel()
    async with await second as connection:
        assert (await connection.run(["true"], timeout=10)).status == 0
    assert gate.logins == 1


@pytest.mark.parametrize(
    ("config", "way"),
    [
        ("Host *\n  ProxyJump gate\n", "red01 → gate → gate"),
        ("Host red01\n  ProxyJump gate\nHost gate\n  ProxyJump red01\n", "red01 → gate → red01"),
        ("Host red01\n  ProxyJump red01\n", "red01 → red01"),
    ],
)
async def test_a_way_in_a_circle_is_refused(config: str, way: str, home: Path) -> None:
    (home / ".ssh" / "config").write_text(config)
    async with asyncio.timeout(5):
        with pytest.raises(UsageError, match=f"the way to red01 goes in a circle: {way}"):
            await connect(Host(name="red01"), Settings())


async def test_keys_are_fetched_through_the_jump_host(
    gate: SimulatedHost, red01: SimulatedHost, tmp_path: Path, home: Path
) -> None:
    config_for(gate, home)
    shown = await fetch_host_keys(replace(red01.host, jump="gate"), known(tmp_path, gate))
    assert [key.line for key in shown] == red01.lines
    with pytest.raises(UnknownHostKey, match="through gate"):
        await fetch_host_keys(replace(red01.host, jump="gate"))


@pytest.mark.parametrize(
    ("text", "ways"),
    [
        ("gate", [("gate", "", 0)]),
        ("pi@gate:2222", [("gate", "pi", 2222)]),
        ("ssh://pi@gate:2222", [("gate", "pi", 2222)]),
        ("pi@[fe80::1]:2222, second", [("fe80::1", "pi", 2222), ("second", "", 0)]),
        ("none", []),
        ("", []),
    ],
)
def test_jump_hosts_are_written_as_for_ssh(text: str, ways: list[tuple[str, str, int]]) -> None:
    host = Host(name="red01", key="~/.ssh/red", known_hosts="~/red")
    found = jumps(text, host)
    assert [(hop.name, hop.user, hop.port) for hop in found] == ways
    assert all((hop.key, hop.known_hosts) == (host.key, host.known_hosts) for hop in found)


@pytest.mark.parametrize("text", ["a:b", "gate:99999", "gate,,second", "user@", "[fe80::1"])
def test_a_jump_host_that_makes_no_sense_is_shown(text: str) -> None:
    with pytest.raises(UsageError, match="is not understood"):
        jumps(text, Host(name="red01"))
