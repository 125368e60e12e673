"""Files of host keys: what counts, what does not, and that finding a host stays cheap."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path

import pytest

from bramble.connection.known_hosts import Judge, KnownHosts, Verdict, fingerprint, written_name
from bramble.errors import UsageError

KIND = "ssh-ed25519"


def blob(text: str, kind: str = KIND) -> bytes:
    """A public key that is none, but looks like one."""
    return len(kind).to_bytes(4, "big") + kind.encode() + text.encode()


def key(text: str, kind: str = KIND) -> str:
    return f"{kind} {base64.b64encode(blob(text, kind)).decode()}"


def hashed(name: str, salt: bytes = b"0123456789abcdefghij") -> str:
    digest = hmac.digest(salt, name.encode(), "sha1")
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


def book(*lines: str) -> KnownHosts:
    made = KnownHosts()
    for number, line in enumerate(lines, 1):
        made.add(line, f"known_hosts:{number}")
    return made


def verdict(names: list[str], shown: str, *lines: str, fallback: tuple[str, ...] = ()) -> Verdict:
    return Judge(names, [book(*lines)], fallback).judge(blob(shown))[0]


def test_names_are_written_as_openssh_writes_them() -> None:
    assert written_name("Red01") == "red01"
    assert written_name("red01", 2222) == "[red01]:2222"


def test_the_fingerprint_is_that_of_ssh_keygen() -> None:
    digest = base64.b64encode(hashlib.sha256(blob("a")).digest()).decode().rstrip("=")
    assert fingerprint(blob("a")) == f"SHA256:{digest}"


@pytest.mark.parametrize(
    "names",
    [
        "red01",
        "RED01",
        "red,red01,10.1.1.1",
        "red*",
        "red0?",
        "*,!red02",
        hashed("red01"),
    ],
)
def test_a_host_is_found_by_every_form_of_its_name(names: str) -> None:
    assert verdict(["red01"], "a", f"{names} {key('a')} a comment") is Verdict.KNOWN
    assert verdict(["red01"], "b", f"{names} {key('a')}") is Verdict.CHANGED


@pytest.mark.parametrize(
    "names", ["red02", "red", "red011", "red0", "*,!red01", "!red01", hashed("red02"), "[red01]:2222"]
)
def test_a_host_is_not_found_by_the_name_of_another(names: str) -> None:
    assert verdict(["red01"], "a", f"{names} {key('a')}") is Verdict.NEW


def test_brackets_around_a_name_are_no_pattern() -> None:
    assert verdict(["[red01]:2222"], "a", f"[red*]:2222 {key('a')}") is Verdict.KNOWN
    assert verdict(["r"], "a", f"[red*]:2222 {key('a')}") is Verdict.NEW


def test_one_of_several_keys_is_enough_whatever_its_file() -> None:
    judge = Judge(["red01"], [book(f"red01 {key('a')}"), book(f"red01 {key('b')}")])
    assert judge.judge(blob("b"))[0] is Verdict.KNOWN
    seen, known = judge.judge(blob("c"))
    assert seen is Verdict.CHANGED
    assert [entry.place for entry in known] == ["known_hosts:1", "known_hosts:1"]


def test_the_name_decides_before_the_address() -> None:
    lines = (f"red01 {key('a')}", f"10.1.1.2 {key('b')}")
    assert verdict(["red01", "10.1.1.2"], "b", *lines) is Verdict.CHANGED
    assert verdict(["red01", "10.1.1.2"], "a", *lines) is Verdict.KNOWN
    assert verdict(["red02", "10.1.1.2"], "b", *lines) is Verdict.KNOWN


def test_a_hashed_key_counts_beside_a_plain_one() -> None:
    lines = (f"red01 {key('a')}", f"{hashed('red01')} {key('b')}")
    assert verdict(["red01"], "b", *lines) is Verdict.KNOWN


def test_the_name_without_its_port_counts_only_where_it_matches() -> None:
    line = f"red01 {key('a')}"
    assert verdict(["[red01]:2222"], "a", line, fallback=("red01",)) is Verdict.KNOWN
    assert verdict(["[red01]:2222"], "b", line, fallback=("red01",)) is Verdict.NEW


def test_a_revoked_key_is_refused_though_it_is_known() -> None:
    lines = (f"red01 {key('a')}", f"@revoked * {key('a')}")
    assert verdict(["red01"], "a", *lines) is Verdict.REVOKED
    assert verdict(["red01"], "a", f"@revoked {hashed('red01')} {key('a')}") is Verdict.REVOKED
    assert verdict(["red01"], "b", f"red01 {key('b')}", f"@revoked * {key('a')}") is Verdict.KNOWN


def test_an_authority_is_no_host_key() -> None:
    judge = Judge(["red01.pi"], [book(f"@cert-authority *.pi {key('a')}")])
    assert judge.judge(blob("a"))[0] is Verdict.NEW
    assert judge.authorities() == {blob("a")}
    assert Judge(["red01.lan"], [book(f"@cert-authority *.pi {key('a')}")]).authorities() == set()


def test_the_types_of_known_keys_are_told() -> None:
    lines = (f"red01 {key('a', 'ssh-rsa')}", f"red01 {key('b')}", f"@revoked red01 {key('c', 'ssh-dss')}")
    assert Judge(["red01", "10.1.1.1"], [book(*lines)]).kinds() == ["ssh-rsa", "ssh-ed25519"]
    assert Judge(["red02"], [book(f"{hashed('red02')} {key('a')}")]).kinds() == ["ssh-ed25519"]
    assert Judge(["red03"], [book(*lines)]).kinds() == []


@pytest.mark.parametrize(
    ("line", "flaw"),
    [
        ("red01", "a line needs a host name, a key type and a key"),
        ("red01 ssh-ed25519", "a line needs a host name, a key type and a key"),
        ("red01 ssh-ed25519 AAAA!", "the key is damaged"),
        (f"red01 ssh-rsa {key('a').split()[1]}", "the key is no ssh-rsa key"),
        (f"@trusted red01 {key('a')}", "unknown marker @trusted"),
        (f"|1|broken {key('a')}", "the hashed host name is damaged"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_and_trusted_by_nobody(line: str, flaw: str) -> None:
    made = book(line, f"red02 {key('b')}")
    assert made.problems == [f"known_hosts:1: {flaw}"]
    assert Judge(["red01"], [made]).judge(blob("a"))[0] is Verdict.NEW
    assert Judge(["red02"], [made]).judge(blob("b"))[0] is Verdict.KNOWN


def test_a_revoking_line_that_cannot_be_read_stops_everything() -> None:
    with pytest.raises(UsageError, match="known_hosts:1: a line that revokes a key cannot be read"):
        book("@revoked red01 ssh-ed25519")


def test_empty_lines_and_comments_are_nothing(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(f"# hosts\n\n   \nred01 {key('a')}\r\n")
    made = KnownHosts.read(str(path))
    assert made.problems == []
    assert Judge(["red01"], [made]).judge(blob("a"))[0] is Verdict.KNOWN


def test_a_file_that_is_not_there_is_empty_and_one_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    assert KnownHosts.read(str(tmp_path / "none")).problems == []
    assert "cannot be read" in KnownHosts.read(str(tmp_path)).problems[0]


def test_hashed_names_cost_nothing_where_a_plain_one_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    made = book(*(f"{hashed(f'other{n}')} {key('x')}" for n in range(1000)), f"red01 {key('a')}")
    calls = 0

    def counted(salt: bytes, said: bytes, method: str) -> bytes:
        nonlocal calls
        calls += 1
        return hmac_digest(salt, said, method)

    hmac_digest = hmac.digest
    monkeypatch.setattr(hmac, "digest", counted)
    judge = Judge(["red01", "10.1.1.1"], [made])
    assert judge.kinds() == [KIND]
    assert judge.judge(blob("a"))[0] is Verdict.KNOWN
    assert calls == 0
    other = Judge(["other7"], [made])
    assert (other.kinds(), other.judge(blob("x"))[0]) == ([KIND], Verdict.KNOWN)
    assert calls == 1000
