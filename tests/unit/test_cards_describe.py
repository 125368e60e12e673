"""From hosts and options to what each card is to make of its host."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bramble import inventory
from bramble.cards.describe import customisations, static_address, with_addresses
from bramble.cards.host_key import fingerprint, make_host_key
from bramble.cards.init_format import InitFormat
from bramble.cards.look import init_format
from bramble.errors import UsageError
from bramble.model import CardOptions, Cluster, Host


@pytest.fixture
def red() -> Cluster:
    return inventory.resolve(hosts="red,red[01-02]", user="pi")


def test_an_address_for_each_host_in_their_order(red: Cluster) -> None:
    cluster, prefix = with_addresses(red, "10.1.1.[1-3]/24")
    assert [host.address for host in cluster.hosts] == ["10.1.1.1", "10.1.1.2", "10.1.1.3"]
    assert prefix == 24


def test_dhcp_takes_addresses_away(red: Cluster) -> None:
    cluster, prefix = with_addresses(with_addresses(red, "10.1.1.[1-3]/24")[0], "dhcp")
    assert [host.address for host in cluster.hosts] == ["", "", ""]
    assert prefix == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("10.1.1.[1-3]", "how large the network is"),
        ("10.1.1.[1-3]/", "how large the network is"),
        ("10.1.1.[1-3]/33", "no address with the bits"),
        ("red[01-03]/24", "no address with the bits"),
        ("10.1.1.[0-2]/24", "stands for the network"),
        ("10.1.1.[253-255]/24", "stands for the network"),
        ("10.1.1.[1-2]/24", "3 hosts and 2 addresses"),
    ],
)
def test_what_are_no_addresses_for_these_hosts(red: Cluster, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        with_addresses(red, text)


def test_a_host_without_an_address_among_those_that_have_one() -> None:
    with pytest.raises(UsageError, match="red03 has no address"):
        static_address(Host(name="red03"), CardOptions(prefix=24))
    assert static_address(Host(name="red03"), CardOptions()) == ""


def test_each_host_gets_its_own_key_and_the_rest_is_alike(red: Cluster) -> None:
    cluster, prefix = with_addresses(red, "10.1.1.[1-3]/24")
    options = CardOptions(prefix=prefix, gateway="10.1.1.254", wifi="lab", wifi_country="DE", kernel_arguments=("a=1",))
    found = customisations(cluster, options, keys=["ssh-ed25519 AAAA pi@laptop"], psk="0" * 64)
    assert [one.hostname for one in found.values()] == ["red", "red01", "red02"]
    assert found["red01"].address == "10.1.1.2/24"
    assert {one.kernel_arguments for one in found.values()} == {("cgroup_enable=memory", "a=1")}
    assert len({one.host_keys[0].public for one in found.values()}) == 3
    assert len({one.instance for one in found.values()}) == 3
    assert "PRIVATE" not in repr(found) and "0" * 64 not in repr(found)


def test_openssh_agrees_about_the_key_and_its_fingerprint(tmp_path: Path) -> None:
    key = make_host_key("root@red01")
    private = tmp_path / "key"
    private.touch(mode=0o600)
    private.write_text(key.private)
    shown = subprocess.run(["ssh-keygen", "-y", "-f", private], capture_output=True, text=True, check=True).stdout
    assert shown.split()[:2] == key.public.split()[:2]
    (tmp_path / "key.pub").write_text(key.public)
    listed = subprocess.run(
        ["ssh-keygen", "-l", "-f", tmp_path / "key.pub"], capture_output=True, text=True, check=True
    )
    assert listed.stdout.split()[1] == fingerprint(key.public)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("CMDLINE.TXT", "config.txt", "issue.txt"), InitFormat.SYSTEMD),
        (("cmdline.txt", "issue.txt", "user-data", "meta-data", "network-config"), InitFormat.CLOUDINIT_RPI),
        (("cmdline.txt", "user-data", "meta-data", "network-config", "README"), InitFormat.CLOUDINIT),
        (("EFI", "loader.conf"), InitFormat.NONE),
    ],
)
def test_the_way_is_seen_by_what_lies_on_the_boot_partition(names: tuple[str, ...], found: InitFormat) -> None:
    assert init_format(names) is found
