"""What the way to a host can do wrong, before, during and after a login."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from tests.sshserver import SimulatedHost, until

from bramble.connection import Settings, connect, dial, fetch_host_keys, process
from bramble.errors import ConnectionLost, HostError, Unreachable
from bramble.model import Host


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settings_for(red01: SimulatedHost, folder: Path, **more: Any) -> Settings:
    return Settings(known_hosts=(red01.known_hosts(folder),), **more)


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


@contextlib.asynccontextmanager
async def listener(talk: Talk) -> AsyncIterator[Host]:
    """Something that listens but is no sshd."""
    open_ones: list[asyncio.StreamWriter] = []

    async def talk_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ones.append(writer)
        await talk(reader, writer)

    server = await asyncio.start_server(talk_on, "127.0.0.1", 0)
    try:
        yield Host(name="red01", address="127.0.0.1", port=server.sockets[0].getsockname()[1], user="pi")
    finally:
        server.close()
        for writer in open_ones:
            writer.close()
        await server.wait_closed()
        await asyncio.sleep(0)


async def test_a_name_that_is_not_known() -> None:
    with pytest.raises(Unreachable, match=r"the name red01\.invalid is not known") as caught:
        await connect(Host(name="red01", address="red01.invalid"), Settings())
    assert caught.value.host == "red01"
    assert "bramble hosts find" in caught.value.hint


async def test_a_name_that_cannot_be_one() -> None:
    with pytest.raises(Unreachable, match="is not known"):
        await connect(Host(name="red01", address="x" * 70 + ".pi"), Settings())


async def test_no_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", broken)
    with pytest.raises(Unreachable, match="no name server answers for red01"):
        await connect(Host(name="red01"), Settings())


@pytest.fixture
def slow_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Names that begin with "slow" are not answered for while the test runs."""
    real, over = socket.getaddrinfo, threading.Event()

    def look_up(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("slow"):
            over.wait(60)
        return real("127.0.0.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield
    over.set()


@pytest.mark.usefixtures("slow_names")
async def test_slow_names_do_not_hold_up_others(tmp_path: Path) -> None:
    async with SimulatedHost("red01") as red01:
        settings = settings_for(red01, tmp_path, connect_timeout=30.0, connections=100)
        slow_ones = [asyncio.create_task(connect(Host(name=f"slow{n}"), settings)) for n in range(60)]
        async with await connect(Host(name="red01", port=red01.port, user="pi"), settings):
            assert not any(one.done() for one in slow_ones)
        for one in slow_ones:
            one.cancel()
        await asyncio.gather(*slow_ones, return_exceptions=True)


@pytest.mark.usefixtures("slow_names")
async def test_a_name_that_nobody_answers_for() -> None:
    with pytest.raises(Unreachable, match=r"no answer from port 22 of slow within 0\.2 s"):
        await connect(Host(name="slow"), Settings(connect_timeout=0.2))


async def test_a_port_that_is_refused() -> None:
    port = free_port()
    with pytest.raises(Unreachable) as caught:
        await connect(Host(name="red01", address="127.0.0.1", port=port), Settings())
    assert str(caught.value) == (
        f"red01: port {port} of 127.0.0.1 refuses the connection: Connection refused\n"
        f"  hint: is sshd running there (sudo systemctl enable --now ssh), and is {port} its port?"
    )


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EHOSTUNREACH, "there is no way to port 22 of 10.1.1.1"),
        (errno.ENETUNREACH, "there is no way to port 22 of 10.1.1.1"),
        (errno.EMFILE, "this machine may not open more connections"),
        (errno.EPERM, "no connection to port 22 of 10.1.1.1"),
    ],
)
async def test_what_the_network_says(number: int, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(address: object, source: str) -> socket.socket:
        raise OSError(number, errno.errorcode[number])

    monkeypatch.setattr(dial, "_connected", fails)
    with pytest.raises(Unreachable, match=said) as caught:
        await connect(Host(name="red01", address="10.1.1.1"), Settings())
    assert caught.value.why == os.strerror(number)
    assert caught.value.hint


async def test_a_host_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hangs(address: object, source: str) -> socket.socket:
        await asyncio.sleep(60)
        raise AssertionError

    monkeypatch.setattr(dial, "_connected", hangs)
    with pytest.raises(Unreachable, match=r"no answer from port 22 of 10\.1\.1\.1 within 0\.2 s"):
        await connect(Host(name="red01", address="10.1.1.1"), Settings(connect_timeout=0.2))


async def test_a_dead_address_does_not_hide_a_living_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = dial._connected

    async def first_hangs(address: tuple[int, Any], source: str) -> socket.socket:
        if address[1][0] == "127.0.0.9":
            await asyncio.sleep(60)
        return await real(address, source)

    async def two(name: str, port: int, family: int) -> list[tuple[int, Any]]:
        return [(socket.AF_INET, ("127.0.0.9", port)), (socket.AF_INET, ("127.0.0.1", port))]

    monkeypatch.setattr(dial, "_connected", first_hangs)
    monkeypatch.setattr(dial, "_addresses", two)
    async with SimulatedHost("red01") as red01:
        began = time.monotonic()
        async with await connect(red01.host, settings_for(red01, tmp_path)):
            assert time.monotonic() - began < 2


async def test_every_address_is_tried_and_a_refusal_says_most(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(address: tuple[int, Any], source: str) -> socket.socket:
        number = errno.ECONNREFUSED if address[1][0] == "127.0.0.2" else errno.EHOSTUNREACH
        raise OSError(number, errno.errorcode[number])

    async def three(name: str, port: int, family: int) -> list[tuple[int, Any]]:
        return [(socket.AF_INET, (f"127.0.0.{n}", port)) for n in (1, 2, 3)]

    monkeypatch.setattr(dial, "_connected", fails)
    monkeypatch.setattr(dial, "_addresses", three)
    with pytest.raises(Unreachable, match="refuses the connection"):
        await connect(Host(name="red01"), Settings())


async def test_a_host_that_says_nothing() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    async with listener(silent) as red01:
        with pytest.raises(Unreachable) as caught:
            await connect(red01, Settings(connect_timeout=0.3))
        assert caught.value.what == f"takes the connection on port {red01.port} but says nothing within 0.3 s"
        with pytest.raises(Unreachable, match="says nothing"):
            await fetch_host_keys(red01, Settings(connect_timeout=0.3))


async def test_a_host_that_stops_before_its_key() -> None:
    async def stops(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await asyncio.sleep(30)

    async with listener(stops) as red01:
        with pytest.raises(Unreachable, match=r"shows no key on port \d+ within 0\.3 s"):
            await connect(red01, Settings(connect_timeout=0.3))


async def test_a_host_that_hangs_up_at_once() -> None:
    async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with listener(hangs_up) as red01:
        with pytest.raises(Unreachable, match="takes the connection and ends it at once"):
            await connect(red01, Settings())
        with pytest.raises(Unreachable, match="takes the connection and ends it at once"):
            await fetch_host_keys(red01)


@pytest.mark.parametrize("said", [b"SSH-1.5-OpenSSH_1.2\r\n", b"x" * 10000, b"SSH-2.0-x\r\n" + b"\xff" * 64])
async def test_what_answers_is_no_sshd(said: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await asyncio.sleep(30)

    async with listener(speak) as red01:
        with pytest.raises(Unreachable, match="does not speak SSH as it should"):
            await connect(red01, Settings(connect_timeout=5))


async def test_a_host_that_ends_the_login(tmp_path: Path) -> None:
    async with SimulatedHost("red01") as red01:
        red01.ends_logins = True
        with pytest.raises(Unreachable, match="it ended the connection before the login was done: too busy"):
            await connect(red01.host, settings_for(red01, tmp_path))


async def test_a_host_that_is_still_booting(tmp_path: Path) -> None:
    said = "System is booting up. Unprivileged users are not permitted to log in yet. See pam_nologin(8).\n"
    async with SimulatedHost("red01", banner=said) as red01:
        red01.ends_logins = True
        with pytest.raises(Unreachable, match=r"it is booting or shutting down: System is booting up\."):
            await connect(red01.host, settings_for(red01, tmp_path))


async def test_a_login_that_takes_too_long(tmp_path: Path) -> None:
    async with SimulatedHost("red01") as red01:
        red01.login_takes = 30
        with pytest.raises(Unreachable, match=r"the login was not done within 0\.5 s"):
            await connect(red01.host, settings_for(red01, tmp_path, login_timeout=0.5))


async def test_a_login_may_take_longer_than_the_connection(tmp_path: Path) -> None:
    async with SimulatedHost("red01") as red01:
        red01.login_takes = 2.0
        async with await connect(red01.host, settings_for(red01, tmp_path, connect_timeout=1.5)):
            pass


async def test_no_way_to_encrypt_in_common(tmp_path: Path, home: Path) -> None:
    (home / ".ssh" / "config").write_text("Host *\n  Ciphers aes128-ctr\n")
    async with SimulatedHost("red01", encryption_algs=["aes256-gcm@openssh.com"]) as red01:
        with pytest.raises(Unreachable, match="no way to encrypt in common") as caught:
            await connect(red01.host, settings_for(red01, tmp_path))
        assert "encryption" in caught.value.why


@pytest.mark.filterwarnings("ignore:Diffie-Hellman over finite fields")
@pytest.mark.parametrize("kex", ["curve25519-sha256", "ecdh-sha2-nistp521", "diffie-hellman-group14-sha256"])
@pytest.mark.parametrize("cipher", ["chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr"])
async def test_old_and_new_servers_are_spoken_to(kex: str, cipher: str, tmp_path: Path) -> None:
    async with (
        SimulatedHost("red01", kex_algs=[kex], encryption_algs=[cipher]) as red01,
        await connect(red01.host, settings_for(red01, tmp_path)) as connection,
    ):
        assert (await connection.run(["true"], timeout=10)).status == 0


async def test_nothing_that_asyncssh_offers_is_left_out(tmp_path: Path) -> None:
    """A new release of asyncssh may know more types of host keys: then `KINDS` should too."""
    from asyncssh.public_key import get_default_public_key_algs

    from bramble.connection.ssh.login import KINDS, signatures

    left_out = {name.decode() for name in get_default_public_key_algs()} - set(signatures(list(KINDS)))
    # Dialects of one vendor, WebAuthn (for people in browsers), and a curve that OpenSSH does not know.
    assert {name for name in left_out if not name.endswith("@ssh.com")} == {
        "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
        "ecdsa-sha2-1.3.132.0.10",
    }


# A connection that breaks


async def test_a_host_killed_in_the_middle_of_a_command(tmp_path: Path) -> None:
    async with SimulatedHost("red01") as red01, await connect(red01.host, settings_for(red01, tmp_path)) as connection:
        running = asyncio.create_task(connection.run(["sleep", "60"], timeout=60))
        channel = await connection.start(["cat"])
        await channel.write(b"half a line")
        assert await channel.read(4) == b"half"
        red01.drop()
        async with asyncio.timeout(5):
            with pytest.raises(ConnectionLost, match="red01: the connection broke in the middle"):
                await running
            with pytest.raises(ConnectionLost) as caught:
                await channel.readline()
            assert "run the same command again" in caught.value.hint
            with pytest.raises(ConnectionLost):
                await channel.wait()
            with pytest.raises(ConnectionLost):
                await channel.write(b"x")
            with pytest.raises(ConnectionLost):
                await connection.run(["true"], timeout=5)
        channel.kill()
        await connection.close()


class Wire:
    """A cable to a host that can be cut: nothing passes any more, and nobody is told."""

    def __init__(self, target: SimulatedHost) -> None:
        self.target = target
        self.whole = asyncio.Event()
        self.whole.set()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self.target.address, self.target.port)
        passing = [asyncio.create_task(self.carry(reader, back)), asyncio.create_task(self.carry(there, writer))]
        try:
            await asyncio.gather(*passing)
        finally:
            back.close()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                await self.whole.wait()
                writer.write(data)
        writer.close()


async def test_a_host_that_is_cut_off_counts_as_lost(tmp_path: Path) -> None:
    async with SimulatedHost("red01") as red01:
        wire = Wire(red01)
        async with listener(wire.talk) as way:
            settings = Settings(accept_new=True, keepalive=0.2, keepalive_count=3)
            async with await connect(way, settings) as connection:
                channel = await connection.start(["cat"])
                await asyncio.sleep(1.2)  # longer than a host that says nothing would have
                await channel.write(b"still there\n")
                assert await channel.readline() == b"still there\n"
                wire.whole.clear()
                began = time.monotonic()
                with pytest.raises(ConnectionLost, match="it does not answer any more"):
                    async with asyncio.timeout(15):
                        await channel.readline()
                assert 0.5 < time.monotonic() - began < 10
                with pytest.raises(ConnectionLost, match="it does not answer any more"):
                    await connection.start(["true"])
            wire.whole.set()


def test_a_cut_off_host_is_lost_within_twenty_seconds() -> None:
    settings = Settings()
    assert settings.keepalive * (settings.keepalive_count + 1) <= 20


async def test_a_process_that_takes_no_input_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "STALL", 0.3)
    async with SimulatedHost("red01") as red01, await connect(red01.host, settings_for(red01, tmp_path)) as connection:
        channel = await connection.start(["sleep", "60"])
        async with asyncio.timeout(20):
            with pytest.raises(ConnectionLost, match="it took no input for 0 s"):
                await channel.write(b"x" * (32 << 20))
        assert (await connection.run(["true"], timeout=10)).status == 0


async def test_an_sshd_that_knows_no_signals_still_ends_a_process(tmp_path: Path) -> None:
    async with SimulatedHost("red01") as red01, await connect(red01.host, settings_for(red01, tmp_path)) as connection:
        red01.deaf = True
        channel = await connection.start(["cat"])
        await channel.write(b"x\n")
        assert await channel.readline() == b"x\n"
        assert len(red01.tasks) == 1
        channel.kill()
        await until(lambda: not red01.tasks)


async def test_more_processes_than_sshd_allows(tmp_path: Path) -> None:
    async with (
        SimulatedHost("red01", sessions=2) as red01,
        await connect(red01.host, settings_for(red01, tmp_path)) as connection,
    ):
        running = [await connection.start(["cat"]) for _ in range(2)]
        with pytest.raises(HostError, match="sshd starts no further process") as caught:
            await connection.start(["cat"])
        assert not isinstance(caught.value, ConnectionLost)
        assert "MaxSessions" in caught.value.hint
        running[0].close_input()
        assert await running[0].wait() == 0


async def test_a_process_that_sshd_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bramble.connection.ssh.session.START", 0.3)

    async def stuck(*_: object, **__: object) -> None:
        await asyncio.sleep(60)

    async with SimulatedHost("red01") as red01, await connect(red01.host, settings_for(red01, tmp_path)) as connection:
        monkeypatch.setattr(asyncssh.SSHClientConnection, "create_session", stuck)
        with pytest.raises(ConnectionLost, match=r"sshd did not start a process within 0\.3 s"):
            await connection.start(["true"])
