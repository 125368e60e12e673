"""Who is let in, with which keys, and what a refusal says."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import asyncssh
import pytest
from tests.sshserver import SimulatedHost, write_key

from bramble.connection import Settings, connect
from bramble.connection.known_hosts import fingerprint
from bramble.connection.ssh.config import Config
from bramble.connection.ssh.identities import Identities
from bramble.connection.ssh.route import route
from bramble.errors import AuthenticationFailed
from bramble.model import Host
from bramble.runner.secret import Secret


def settings_for(red01: SimulatedHost, folder: Path, **more: object) -> Settings:
    return Settings(known_hosts=(red01.known_hosts(folder),), **more)  # type: ignore[arg-type]


async def login(red01: SimulatedHost, folder: Path, **more: object) -> None:
    async with await connect(red01.host, settings_for(red01, folder, **more)) as connection:
        assert (await connection.run(["true"], timeout=10)).status == 0


def with_key(red01: SimulatedHost, key: str) -> Host:
    return Host(name="red01", address="127.0.0.1", port=red01.port, user="pi", key=key)


async def test_the_usual_key_opens(tmp_path: Path, my_key: asyncssh.SSHKey) -> None:
    async with SimulatedHost(authorized=my_key) as red01:
        await login(red01, tmp_path)


async def test_a_wrong_user_is_named_with_the_keys_that_were_tried(tmp_path: Path, my_key: asyncssh.SSHKey) -> None:
    async with SimulatedHost(user="ubuntu", authorized=my_key) as red01:
        with pytest.raises(AuthenticationFailed) as caught:
            await connect(
                Host(name="red01", address="127.0.0.1", port=red01.port, user="pi"), settings_for(red01, tmp_path)
            )
    error = caught.value
    assert error.host == "red01"
    assert error.what == "pi is not let in"
    assert error.why == f"keys tried: ~/.ssh/id_ed25519 ({fingerprint(my_key.public_data)})"
    assert f"ssh-copy-id -p {red01.port} pi@127.0.0.1" in error.hint


async def test_without_any_key_it_says_so(tmp_path: Path, home: Path, my_key: asyncssh.SSHKey) -> None:
    (home / ".ssh" / "id_ed25519").unlink()
    async with SimulatedHost(authorized=my_key) as red01:
        with pytest.raises(AuthenticationFailed, match="there was no key to try"):
            await connect(red01.host, settings_for(red01, tmp_path))


async def test_a_banner_is_passed_on(tmp_path: Path) -> None:
    banner = "Please note that SSH may not work until\n  a valid user has been set up.\n"
    async with SimulatedHost(user="nobody", banner=banner) as red01:
        with pytest.raises(AuthenticationFailed, match="it says: Please note that SSH may not work until a valid user"):
            await connect(
                Host(name="red01", address="127.0.0.1", port=red01.port, user="pi"), settings_for(red01, tmp_path)
            )


async def test_the_named_key_is_tried_first(tmp_path: Path) -> None:
    key = write_key(tmp_path / "red")
    async with SimulatedHost(authorized=key) as red01:
        async with await connect(with_key(red01, str(tmp_path / "red")), settings_for(red01, tmp_path)):
            pass
        assert red01.offered == [key.public_data]


async def test_keys_of_the_settings_come_before_those_of_ssh(tmp_path: Path, my_key: asyncssh.SSHKey) -> None:
    key = write_key(tmp_path / "red")
    async with SimulatedHost(authorized=my_key) as red01:
        await login(red01, tmp_path, keys=(str(tmp_path / "red"),))
        assert red01.offered == [key.public_data, my_key.public_data]


async def test_every_type_of_key_opens(tmp_path: Path) -> None:
    for kind in ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"):
        key = write_key(tmp_path / kind, kind)
        async with SimulatedHost(authorized=key) as red01:
            await (await connect(with_key(red01, str(tmp_path / kind)), settings_for(red01, tmp_path))).close()


async def test_a_key_of_ssh_config_is_used_in_place_of_the_usual_ones(tmp_path: Path, home: Path) -> None:
    key = write_key(home / ".ssh" / "other")
    (home / ".ssh" / "config").write_text("Host red*\n  IdentityFile ~/.ssh/none\n  IdentityFile ~/.ssh/other\n")
    async with SimulatedHost(authorized=key) as red01:
        await login(red01, tmp_path)
        assert red01.offered == [key.public_data]


async def test_a_named_key_that_is_not_there(tmp_path: Path) -> None:
    async with SimulatedHost() as red01:
        with pytest.raises(AuthenticationFailed, match="the key /no/such/key is not there") as caught:
            await connect(with_key(red01, "/no/such/key"), settings_for(red01, tmp_path))
        assert "ssh-keygen -t ed25519 -f /no/such/key" in caught.value.hint
        assert red01.logins == 0


async def test_a_named_key_that_others_can_read(tmp_path: Path) -> None:
    write_key(tmp_path / "red")
    (tmp_path / "red").chmod(0o644)
    async with SimulatedHost() as red01:
        with pytest.raises(AuthenticationFailed, match="can be read by other users") as caught:
            await connect(with_key(red01, str(tmp_path / "red")), settings_for(red01, tmp_path))
        assert caught.value.hint == f"chmod 600 {tmp_path / 'red'}"


async def test_a_named_key_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "red").touch(mode=0o600)
    (tmp_path / "red").write_text("hello\n")
    async with SimulatedHost() as red01:
        with pytest.raises(AuthenticationFailed, match="holds no private key"):
            await connect(with_key(red01, str(tmp_path / "red")), settings_for(red01, tmp_path))


def lock(path: Path, public: bool = True) -> asyncssh.SSHKey:
    """Write a key that is locked with a passphrase."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    path.touch(mode=0o600)
    path.write_bytes(key.export_private_key("pkcs8-pem", passphrase="hunter2"))
    if public:
        key.write_public_key(f"{path}.pub")
    return key


async def test_a_locked_key_without_an_agent(tmp_path: Path) -> None:
    lock(tmp_path / "red")
    async with SimulatedHost() as red01:
        with pytest.raises(AuthenticationFailed, match="is locked with a passphrase") as caught:
            await connect(with_key(red01, str(tmp_path / "red")), settings_for(red01, tmp_path))
        assert caught.value.hint == f"ssh-add {tmp_path / 'red'}"


async def test_a_usual_key_that_is_locked_is_passed_over_and_told(tmp_path: Path, home: Path) -> None:
    lock(home / ".ssh" / "id_ecdsa")
    async with SimulatedHost(user="nobody") as red01:
        with pytest.raises(AuthenticationFailed) as caught:
            await connect(
                Host(name="red01", address="127.0.0.1", port=red01.port, user="pi"), settings_for(red01, tmp_path)
            )
    assert "passed over: ~/.ssh/id_ecdsa is locked with a passphrase" in caught.value.why
    assert caught.value.hint == "ssh-add ~/.ssh/id_ecdsa"


class Agent:
    """An ssh-agent with some keys: identities (11 → 12) and signatures (13 → 14) of draft-miller-ssh-agent."""

    def __init__(self, *keys: asyncssh.SSHKey) -> None:
        self.keys = keys
        self.signed = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))
                answer = self.answer(request)
                writer.write(len(answer).to_bytes(4, "big") + answer)
        except asyncio.IncompleteReadError:
            writer.close()

    def answer(self, request: bytes) -> bytes:
        if request[0] == 11:
            listed = b"".join(text(key.public_data) + text(b"pi@red") for key in self.keys)
            return b"\x0c" + len(self.keys).to_bytes(4, "big") + listed
        size = int.from_bytes(request[1:5], "big")
        blob, rest = request[5 : 5 + size], request[5 + size :]
        data = rest[4 : 4 + int.from_bytes(rest[:4], "big")]
        (key,) = (key for key in self.keys if key.public_data == blob)
        self.signed += 1
        return b"\x0e" + text(key.sign(data, key.get_algorithm().encode()))


def text(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


@pytest.fixture
async def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Agent]:
    agent = Agent(asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ecdsa-sha2-nistp256"))
    path = tmp_path / "agent"
    server = await asyncio.start_unix_server(agent.serve, path)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
    async with server:
        yield agent


async def test_the_agents_keys_open(tmp_path: Path, agent: Agent) -> None:
    async with SimulatedHost(authorized=agent.keys[1].convert_to_public()) as red01:
        await login(red01, tmp_path)
        assert red01.offered == [key.public_data for key in agent.keys]
        assert agent.signed == 1
        with pytest.raises(AuthenticationFailed):
            await login(red01, tmp_path, agent=False)


async def test_a_named_key_comes_before_the_agents(tmp_path: Path, agent: Agent) -> None:
    key = write_key(tmp_path / "red")
    async with SimulatedHost(authorized=key) as red01:
        async with await connect(with_key(red01, str(tmp_path / "red")), settings_for(red01, tmp_path)):
            pass
        assert red01.offered == [key.public_data]


async def test_a_locked_key_opens_where_the_agent_holds_it(tmp_path: Path, agent: Agent) -> None:
    key = lock(tmp_path / "red")
    agent.keys = (*agent.keys, key)
    async with SimulatedHost(authorized=key.convert_to_public()) as red01:
        async with await connect(with_key(red01, str(tmp_path / "red")), settings_for(red01, tmp_path)):
            pass
        assert red01.offered == [key.public_data]


async def test_identities_only_leaves_the_agents_other_keys_out(tmp_path: Path, home: Path, agent: Agent) -> None:
    key = lock(home / ".ssh" / "red")
    agent.keys = (*agent.keys, key)
    (home / ".ssh" / "config").write_text("Host *\n  IdentitiesOnly yes\n  IdentityFile ~/.ssh/red\n")
    async with SimulatedHost(authorized=key.convert_to_public()) as red01:
        await login(red01, tmp_path)
    async with SimulatedHost(authorized=agent.keys[0].convert_to_public()) as red01:
        with pytest.raises(AuthenticationFailed):
            await login(red01, tmp_path)
        assert red01.offered == [key.public_data]


def test_logins_do_not_share_keys(home: Path) -> None:
    """A login notes in its key how to sign for that server."""
    settings = Settings()
    identities, way = Identities(settings), route(Host(name="red01"), settings, Config(settings.config))
    first, second = (asyncio.run(identities.offer(way).next()) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first is not second
    assert first.public_data == second.public_data


async def test_an_agent_that_is_not_there_is_no_trouble_until_it_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, my_key: asyncssh.SSHKey
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "gone"))
    async with SimulatedHost(authorized=my_key) as red01:
        await login(red01, tmp_path)
    async with SimulatedHost(user="nobody") as red01:
        with pytest.raises(AuthenticationFailed, match="the ssh-agent does not answer"):
            await connect(
                Host(name="red01", address="127.0.0.1", port=red01.port, user="pi"), settings_for(red01, tmp_path)
            )


async def test_too_many_keys_name_the_way_out(tmp_path: Path, agent: Agent) -> None:
    agent.keys = tuple(asyncssh.generate_private_key("ssh-ed25519") for _ in range(8))
    async with SimulatedHost(user="nobody", tries=3) as red01:
        with pytest.raises(AuthenticationFailed, match="it allows no more tries") as caught:
            await connect(
                Host(name="red01", address="127.0.0.1", port=red01.port, user="pi"), settings_for(red01, tmp_path)
            )
    assert "--key FILE" in caught.value.hint
    assert caught.value.why.count("SHA256:") == 4  # three are turned down, and the fourth is one too many


PASSWORD = Secret("login", size=0, value=b"hunter2")


@pytest.mark.parametrize("questions", [False, True], ids=["password", "keyboard-interactive"])
async def test_a_password_opens_where_no_key_does(questions: bool, tmp_path: Path) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").convert_to_public()
    async with SimulatedHost(authorized=other, password="hunter2", questions=questions) as red01:
        await login(red01, tmp_path, password=PASSWORD)


async def test_a_wrong_password_is_tried_once_and_never_shown(tmp_path: Path) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").convert_to_public()
    async with SimulatedHost(authorized=other, password="right") as red01:
        settings = settings_for(red01, tmp_path, password=PASSWORD)
        with pytest.raises(AuthenticationFailed, match="the password was not accepted either") as caught:
            await connect(red01.host, settings)
        assert red01.passwords == 1
    for said in (str(caught.value), repr(caught.value), str(caught.value.to_json()), repr(settings)):
        assert "hunter2" not in said


async def test_a_host_that_takes_only_passwords_says_so(tmp_path: Path) -> None:
    async with SimulatedHost(password="right", keys_taken=False) as red01:
        with pytest.raises(AuthenticationFailed, match="it takes no keys, only: password"):
            await connect(red01.host, settings_for(red01, tmp_path))


async def test_no_private_key_is_ever_shown(tmp_path: Path, home: Path) -> None:
    async with SimulatedHost(user="nobody") as red01:
        settings = settings_for(red01, tmp_path)
        with pytest.raises(AuthenticationFailed) as caught:
            await connect(Host(name="red01", address="127.0.0.1", port=red01.port, user="pi"), settings)
    secret = (home / ".ssh" / "id_ed25519").read_text().splitlines()[2]
    for said in (str(caught.value), repr(vars(caught.value)), repr(settings), repr(settings.connector.__dict__)):
        assert secret not in said


def test_keys_of_tests_are_private(home: Path) -> None:
    assert stat.S_IMODE(os.stat(home / ".ssh" / "id_ed25519").st_mode) == 0o600
