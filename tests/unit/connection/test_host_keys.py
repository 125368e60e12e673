"""Which hosts are believed: known keys only, and each refusal with what to do."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncssh
import pytest
from tests.sshserver import SimulatedHost

from bramble.connection import HostKey, Settings, connect, fetch_host_keys
from bramble.connection.known_hosts import fingerprint
from bramble.errors import ChangedHostKey, UnknownHostKey
from bramble.model import Host

from .test_known_hosts import hashed


def line(name: str, key: asyncssh.SSHKey) -> str:
    return f"{name} {key.export_public_key().decode().strip()}\n"


def new_key(kind: str = "ssh-ed25519") -> asyncssh.SSHKey:
    return asyncssh.generate_private_key(kind)


def known(path: Path, *lines: str) -> Settings:
    path.joinpath("known").write_text("".join(lines))
    return Settings(known_hosts=(str(path / "known"),))


async def is_let_in(host: Host, settings: Settings) -> bool:
    async with await connect(host, settings) as connection:
        return (await connection.run(["true"], timeout=10)).status == 0


async def test_an_unknown_key_is_refused_with_its_fingerprint(tmp_path: Path) -> None:
    async with SimulatedHost("red01") as red01:
        with pytest.raises(UnknownHostKey) as caught:
            await connect(red01.host, Settings())
    error = caught.value
    assert type(error) is UnknownHostKey
    assert error.fingerprint == fingerprint(red01.keys[0].public_data)
    assert str(error) == (
        f"red01: its key is not known: {error.fingerprint} (ssh-ed25519)\n"
        "  hint: compare it with the host's own, then: bramble hosts trust red01"
    )


async def test_a_changed_key_is_refused_with_both_fingerprints(tmp_path: Path) -> None:
    async with SimulatedHost("red01") as red01:
        old = new_key()
        settings = known(tmp_path, line(f"[red01]:{red01.port}", old))
        with pytest.raises(ChangedHostKey) as caught:
            await connect(red01.host, settings)
    error = caught.value
    assert error.fingerprint == fingerprint(red01.keys[0].public_data)
    assert error.fingerprint in error.what
    assert error.why == f"accepted before: {fingerprint(old.public_data)} ({tmp_path / 'known'}:1)"
    assert "bramble hosts trust --replace red01" in error.hint
    assert "somebody may be pretending" in error.hint


@pytest.mark.parametrize("field", ["settings", "host", "user", "config"])
async def test_keys_are_found_in_every_file_that_counts(field: str, tmp_path: Path, home: Path) -> None:
    async with SimulatedHost("red01") as red01:
        host, settings = red01.host, Settings()
        path = red01.known_hosts(tmp_path)
        if field == "settings":
            settings = Settings(known_hosts=(path,))
        elif field == "host":
            host = Host(name="red01", address="127.0.0.1", port=red01.port, user="pi", known_hosts=path)
        elif field == "user":
            (home / ".ssh" / "known_hosts").write_text(red01.lines[0])
        else:
            (home / ".ssh" / "config").write_text(f"Host red*\n  UserKnownHostsFile ~/.ssh/other {path}\n")
        assert await is_let_in(host, settings)


async def test_the_systems_file_counts(tmp_path: Path) -> None:
    async with SimulatedHost("red01") as red01:
        assert await is_let_in(red01.host, Settings(system_known_hosts=red01.known_hosts(tmp_path)))


async def test_user_known_hosts_file_none_does_not_let_everybody_in(tmp_path: Path, home: Path) -> None:
    (home / ".ssh" / "config").write_text("Host *\n  UserKnownHostsFile none\n  StrictHostKeyChecking no\n")
    async with SimulatedHost("red01") as red01:
        with pytest.raises(UnknownHostKey):
            await connect(red01.host, Settings())


async def test_a_host_is_known_by_its_hashed_name(tmp_path: Path) -> None:
    async with SimulatedHost("red01") as red01:
        name = hashed(f"[red01]:{red01.port}")
        assert await is_let_in(red01.host, known(tmp_path, line(name, red01.keys[0])))
        with pytest.raises(ChangedHostKey):
            await connect(red01.host, known(tmp_path, line(name, new_key())))


async def test_a_host_is_known_by_its_address(tmp_path: Path) -> None:
    async with SimulatedHost("red01") as red01:
        assert await is_let_in(red01.host, known(tmp_path, line(f"[127.0.0.1]:{red01.port}", red01.keys[0])))


async def test_a_host_is_known_by_the_address_its_name_stands_for(tmp_path: Path) -> None:
    async with SimulatedHost("localhost") as red01:
        host = Host(name="localhost", port=red01.port, user="pi")
        assert await is_let_in(host, known(tmp_path, line(f"[127.0.0.1]:{red01.port}", red01.keys[0])))


async def test_the_host_of_the_same_address_yesterday_is_not_believed(tmp_path: Path) -> None:
    async with SimulatedHost("red01") as red01:
        port = red01.port
        settings = known(tmp_path, line(f"[red01]:{port}", new_key()), line(f"[127.0.0.1]:{port}", red01.keys[0]))
        with pytest.raises(ChangedHostKey):
            await connect(red01.host, settings)


async def test_a_host_is_known_by_its_alias(tmp_path: Path, home: Path) -> None:
    (home / ".ssh" / "config").write_text("Host red01\n  HostKeyAlias pi-number-one\n")
    async with SimulatedHost("red01") as red01:
        assert await is_let_in(red01.host, known(tmp_path, line("pi-number-one", red01.keys[0])))
        with pytest.raises(ChangedHostKey):
            await connect(red01.host, known(tmp_path, line("pi-number-one", new_key()), *map(str, red01.lines)))
        (shown,) = await fetch_host_keys(red01.host)
        assert shown.line.startswith("pi-number-one ssh-ed25519 ")


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"])
async def test_the_type_that_is_known_is_asked_for(kind: str, tmp_path: Path) -> None:
    keys = [new_key("ssh-rsa"), new_key("ecdsa-sha2-nistp256"), new_key("ssh-ed25519")]
    async with SimulatedHost("red01", keys=keys) as red01:
        (key,) = (key for key in keys if key.get_algorithm() == kind)
        assert await is_let_in(red01.host, known(tmp_path, line(f"[red01]:{red01.port}", key)))


async def test_a_host_that_no_longer_has_the_known_type_has_changed(tmp_path: Path) -> None:
    async with SimulatedHost("red01", keys=[new_key("ecdsa-sha2-nistp256")]) as red01:
        with pytest.raises(ChangedHostKey, match="ecdsa-sha2-nistp256"):
            await connect(red01.host, known(tmp_path, line(f"[red01]:{red01.port}", new_key("ssh-ed25519"))))


async def test_the_users_choice_of_types_stands(tmp_path: Path, home: Path) -> None:
    (home / ".ssh" / "config").write_text("Host *\n  HostKeyAlgorithms ssh-ed25519\n")
    keys = [new_key("ecdsa-sha2-nistp256"), new_key("ssh-ed25519")]
    async with SimulatedHost("red01", keys=keys) as red01:
        with pytest.raises(UnknownHostKey, match="ssh-ed25519"):
            await connect(red01.host, Settings())


async def test_accept_new_accepts_and_reports_once(tmp_path: Path) -> None:
    reported: list[tuple[Host, HostKey]] = []
    settings = Settings(accept_new=True, on_new_key=lambda host, key: reported.append((host, key)))
    async with SimulatedHost("red01") as red01:
        assert await asyncio.gather(*(is_let_in(red01.host, settings) for _ in range(3))) == [True] * 3
        assert await is_let_in(red01.host, settings)
        ((host, key),) = reported
        assert host.name == "red01"
        assert key.fingerprint == fingerprint(red01.keys[0].public_data)
        assert key.line.split()[:3] == red01.lines[0].split()[:3]
        # What was reported is what makes it known the next time.
        assert await is_let_in(red01.host, known(tmp_path, key.line))


async def test_accept_new_does_not_accept_another_key_in_the_same_run() -> None:
    settings = Settings(accept_new=True)
    async with SimulatedHost("red01") as first:
        assert await is_let_in(first.host, settings)
    async with SimulatedHost("red01", port=first.port) as second:
        with pytest.raises(ChangedHostKey):
            await connect(second.host, settings)


async def test_accept_new_does_not_accept_a_changed_key(tmp_path: Path) -> None:
    reported: list[HostKey] = []
    async with SimulatedHost("red01") as red01:
        path = tmp_path / "known"
        path.write_text(line(f"[red01]:{red01.port}", new_key("ssh-rsa")))
        settings = Settings(
            known_hosts=(str(path),), accept_new=True, on_new_key=lambda host, key: reported.append(key)
        )
        with pytest.raises(ChangedHostKey):
            await connect(red01.host, settings)
    assert reported == []


async def test_a_revoked_key_is_refused(tmp_path: Path) -> None:
    async with SimulatedHost("red01") as red01:
        settings = known(tmp_path, *red01.lines, "\n", f"@revoked {line('*', red01.keys[0])}")
        with pytest.raises(ChangedHostKey, match="revoked") as caught:
            await connect(red01.host, settings)
        assert caught.value.why == f"by {tmp_path / 'known'}:2"


async def test_a_certificate_of_a_known_authority_is_enough(tmp_path: Path) -> None:
    authority, key = new_key(), new_key()
    certificate = authority.generate_host_certificate(key, "red01", principals=["red01"])
    red01 = SimulatedHost("red01", keys=[(key, certificate)])  # type: ignore[list-item]
    async with red01:
        host = Host(name="red01", address="127.0.0.1", port=red01.port, user="pi")
        assert await is_let_in(host, known(tmp_path, f"@cert-authority red* {line('', authority).strip()}"))
        with pytest.raises(UnknownHostKey):
            await connect(host, known(tmp_path, f"@cert-authority red* {line('', new_key()).strip()}"))


async def test_damaged_lines_are_named_where_a_key_is_missing(tmp_path: Path) -> None:
    async with SimulatedHost("red01") as red01:
        with pytest.raises(UnknownHostKey) as caught:
            await connect(red01.host, known(tmp_path, f"red02 ssh-ed25519 AAAA!\n[red01]:{red01.port} ssh-ed25519\n"))
    assert f"{tmp_path / 'known'}:1: the key is damaged" in caught.value.why
    assert f"{tmp_path / 'known'}:2: a line needs" in caught.value.why


async def test_all_keys_of_a_host_are_fetched(tmp_path: Path) -> None:
    keys = [new_key("ssh-rsa"), new_key("ecdsa-sha2-nistp384"), new_key("ssh-ed25519")]
    async with SimulatedHost("red01", keys=keys) as red01:
        shown = await fetch_host_keys(red01.host)
        assert [key.kind for key in shown] == ["ssh-ed25519", "ecdsa-sha2-nistp384", "ssh-rsa"]
        assert {key.fingerprint for key in shown} == {fingerprint(key.public_data) for key in keys}
        assert {key.line for key in shown} == set(red01.lines)
        assert await is_let_in(red01.host, known(tmp_path, *(f"{key.line}\n" for key in shown)))
    assert red01.commands == ["true"]
