"""Bramble's own file of known host keys."""

from __future__ import annotations

import base64
import hashlib
import hmac
import stat
from pathlib import Path
from typing import NamedTuple

import pytest

from bramble import inventory
from bramble.errors import BrambleError
from bramble.model import Host


class Key(NamedTuple):
    line: str


RED01 = Host(name="red01", address="10.1.1.11")


def remember(line: str) -> None:
    inventory.remember_key(RED01, Key(line))


def stored() -> str:
    return inventory.folders.known_hosts().read_text()


def test_keys_are_added_and_replaced() -> None:
    remember("red01,10.1.1.11 ssh-ed25519 AAAA1")
    remember("red01,10.1.1.11 ssh-rsa AAAA2")
    remember("red02 ssh-ed25519 AAAA3")
    assert stored() == ("red01,10.1.1.11 ssh-ed25519 AAAA1\nred01,10.1.1.11 ssh-rsa AAAA2\nred02 ssh-ed25519 AAAA3\n")
    assert stat.S_IMODE(inventory.folders.known_hosts().stat().st_mode) == 0o600
    remember("red01,10.1.1.11 ssh-ed25519 AAAA9")
    assert stored() == ("red01,10.1.1.11 ssh-rsa AAAA2\nred02 ssh-ed25519 AAAA3\nred01,10.1.1.11 ssh-ed25519 AAAA9\n")


def test_a_known_key_is_not_written_again() -> None:
    remember("red01,10.1.1.11 ssh-ed25519 AAAA1")
    before = inventory.folders.known_hosts().stat().st_mtime_ns
    remember("red01 ssh-ed25519 AAAA1")
    assert stored() == "red01,10.1.1.11 ssh-ed25519 AAAA1\n"
    assert inventory.folders.known_hosts().stat().st_mtime_ns == before


def test_another_hosts_name_on_the_line_stays() -> None:
    remember("red01,10.1.1.11 ssh-ed25519 AAAA1")
    remember("red01 ssh-ed25519 AAAA9")
    assert stored() == "10.1.1.11 ssh-ed25519 AAAA1\nred01 ssh-ed25519 AAAA9\n"


def test_what_a_person_wrote_there_stays() -> None:
    path = inventory.folders.known_hosts()
    path.parent.mkdir(parents=True)
    path.write_text("# mine\n@cert-authority *.local ssh-ed25519 CCCC\n\nred01 ssh-ed25519 AAAA1 a comment")
    remember("red01 ssh-ed25519 AAAA9")
    assert stored() == "# mine\n@cert-authority *.local ssh-ed25519 CCCC\n\nred01 ssh-ed25519 AAAA9\n"


def test_keys_are_forgotten_by_name_and_address() -> None:
    remember("red01,10.1.1.11 ssh-ed25519 AAAA1")
    remember("10.1.1.11,red02 ssh-rsa AAAA2")
    remember("[red01]:2222 ssh-rsa AAAA2")
    inventory.forget_keys(RED01)
    assert stored() == "red02 ssh-rsa AAAA2\n[red01]:2222 ssh-rsa AAAA2\n"
    inventory.forget_keys(Host(name="red01", port=2222))
    assert stored() == "red02 ssh-rsa AAAA2\n"


def test_what_a_key_would_mean(home: Path) -> None:
    assert inventory.state_of_key(RED01, "red01 ssh-ed25519 AAAA1") == "added"
    remember("red01 ssh-ed25519 AAAA1")
    assert inventory.state_of_key(RED01, "red01 ssh-ed25519 AAAA1") == "known"
    assert inventory.state_of_key(RED01, "red01 ssh-rsa AAAA1") == "added", "another kind of key"
    assert inventory.state_of_key(RED01, "red01 ssh-ed25519 AAAA9") == "replaced"
    assert inventory.state_of_key(RED01, "[red01]:2222 ssh-ed25519 AAAA9") == "added", "another port"


def test_the_users_own_file_counts_hashed_names_too(home: Path) -> None:
    salt = b"0123456789abcdef0123"
    digest = hmac.digest(salt, b"red01", hashlib.sha1)
    name = f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"
    (home / ".ssh").mkdir()
    (home / ".ssh/known_hosts").write_text(f"|1|broken ssh-ed25519 X\n{name} ssh-ed25519 AAAA1\n")
    assert inventory.state_of_key(RED01, "red01 ssh-ed25519 AAAA1") == "known"
    assert inventory.state_of_key(RED01, "red01 ssh-ed25519 AAAA9") == "replaced"
    assert inventory.state_of_key(RED01, "red02 ssh-ed25519 AAAA9") == "added"


def test_the_clusters_own_file_counts(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("red01 ssh-ed25519 AAAA1\n")
    host = Host(name="red01", known_hosts=str(tmp_path / "keys"))
    assert inventory.state_of_key(host, "red01 ssh-ed25519 AAAA1") == "known"


def test_an_unreadable_file_is_told() -> None:
    inventory.folders.known_hosts().mkdir(parents=True)
    with pytest.raises(BrambleError, match="Is a directory"):
        remember("red01 ssh-ed25519 AAAA1")


def test_many_at_once_lose_nothing() -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(remember, [f"red{n} ssh-ed25519 AAAA{n % 7}" for n in range(60)]))
    assert len(stored().splitlines()) == 60
