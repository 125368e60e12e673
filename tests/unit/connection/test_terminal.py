"""What OpenSSH's client is told: the same way, and the same keys of hosts, as our own connections know."""

from __future__ import annotations

from pathlib import Path

from bramble.connection import Settings, terminal
from bramble.model import Host

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP0Ob0RNPk8pWB0lkWRiGiaSyzmZVDYL8VsyaW8nHq6x"


def told(host: Host, known: str = "", config: str = "", home: Path | None = None) -> dict[str, str]:
    """The options of a terminal, and its last words."""
    assert home is not None
    (home / "known").write_text(known)
    (home / ".ssh" / "config").write_text(config)
    words = terminal(host, Settings(known_hosts=(str(home / "known"),), system_known_hosts="/etc/none"))
    assert words[0] == "ssh"
    pairs = [word.partition("=") for word in words if "=" in word and not word.startswith("-")]
    return {name: value for name, _, value in pairs} | {"words": " ".join(words[-5:])}


def test_a_plain_host(home: Path) -> None:
    found = told(Host(name="red01", address="10.1.1.2", user="pi"), f"red01 {KEY}\n", home=home)
    assert found == {
        "HostName": "10.1.1.2",
        "HostKeyAlias": "red01",
        "UserKnownHostsFile": f'"{home}/known" "~/.ssh/known_hosts" "/etc/none"',
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "UpdateHostKeys": "no",
        "ProxyJump": "none",
        "words": "-p 22 -l pi red01",
    }


def test_its_key_is_looked_for_by_the_name_that_it_is_known_by(home: Path) -> None:
    host = Host(name="red01", address="10.1.1.2", user="pi", port=2222)
    for known, alias in (
        ("", "[red01]:2222"),
        (f"[red01]:2222 {KEY}\n10.1.1.2 {KEY}\n", "[red01]:2222"),
        (f"[10.1.1.2]:2222 {KEY}\n", "[10.1.1.2]:2222"),
        (f"10.1.1.2 {KEY}\n", "10.1.1.2"),
    ):
        assert told(host, known, home=home)["HostKeyAlias"] == alias
    assert told(host, config="Host red01\n  HostKeyAlias board\n", home=home)["HostKeyAlias"] == "board"


def test_a_key_of_its_own_is_the_only_one(home: Path) -> None:
    found = told(Host(name="red", key="/keys/50% of all/id", known_hosts="/a b/known"), home=home)
    assert (found["IdentityFile"], found["IdentitiesOnly"]) == ('"/keys/50%% of all/id"', "yes")
    assert found["UserKnownHostsFile"].startswith('"/a b/known" ')


def test_hosts_on_the_way_are_checked_as_well(home: Path) -> None:
    known = f"gate {KEY}\n[second]:2222 {KEY}\nred01 {KEY}\n"
    host = Host(name="red01", user="pi", address="fe80::1%eth0", jump="me@gate,you@second:2222")
    found = told(host, known, home=home)
    assert found["HostName"] == "fe80::1%%eth0"
    proxy = found["ProxyCommand"]
    assert proxy.endswith("-p 2222 -l you -W '[%h]:%p' second")
    assert "HostKeyAlias=[second]:2222" in proxy and proxy.count("StrictHostKeyChecking=yes") == 2
    # One more level in: ssh must not fill in the second host's name for the first.
    assert "-l me -W '\"'\"'[%%h]:%%p'\"'\"' gate" in proxy


def test_a_command_of_the_user_that_connects_stays(home: Path) -> None:
    found = told(Host(name="red01"), config="Host red01\n  ProxyCommand nc %h %p\n", home=home)
    assert "ProxyJump" not in found and "ProxyCommand" not in found


def test_another_configuration(home: Path) -> None:
    assert terminal(Host(name="red"), Settings(config=""))[:3] == ["ssh", "-F", "none"]
