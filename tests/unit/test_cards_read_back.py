"""What is put on a card is found there again, by one who only knows the card."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.fatimage import Memory, image

from bramble.cards.fat import Volume, boot_partition
from bramble.cards.host_key import fingerprint, make_host_key
from bramble.cards.init_format import InitFormat
from bramble.cards.personalise import compare, personalise
from bramble.cards.read_back import read_back
from bramble.errors import BrambleError
from bramble.model import Customisation, Wifi

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJn9V0Tq3m2mC2V1Cn1sK1o3hX5m3b3m7V0mJ8o1nq3d pi@laptop"
HOST_KEY = make_host_key("root@red01")
FULL = Customisation(
    hostname="red01",
    instance="red01-0123456789ab",
    user="pi",
    keys=(KEY,),
    address="10.1.1.2/24",
    gateway="10.1.1.254",
    dns=("10.1.1.254",),
    wifi=Wifi(ssid="the lab's", psk="0" * 64, country="DE"),
    locale="en_GB.UTF-8",
    keyboard="gb",
    timezone="Europe/Berlin",
    kernel_arguments=("cgroup_enable=memory",),
    host_keys=(HOST_KEY,),
)
WAYS = pytest.mark.parametrize("way", [InitFormat.SYSTEMD, InitFormat.CLOUDINIT_RPI, InitFormat.CLOUDINIT])


def card(way: InitFormat) -> Memory:
    made = image(32)
    volume = Volume(made, boot_partition(made))
    volume.write("cmdline.txt", b"console=tty1 root=PARTUUID=12345678-02 rootfstype=ext4 rootwait\n")
    volume.write("config.txt", b"# For more options see the documentation\n[all]\n")
    if way is not InitFormat.CLOUDINIT:
        volume.write("issue.txt", b"Raspberry Pi reference 2025-11-24\nGenerated using pi-gen\n")
    if way is not InitFormat.SYSTEMD:
        for name in ("user-data", "meta-data", "network-config"):
            volume.write(name, b"")
    volume.flush()
    return made


@WAYS
def test_what_was_asked_for_is_read_back(way: InitFormat) -> None:
    made = card(way)
    compare(made, personalise(made, FULL))
    found = read_back(made)
    assert found.way is way
    assert (found.hostname, found.user, found.address, found.gateway) == ("red01", "pi", "10.1.1.2/24", "10.1.1.254")
    assert found.wifi == "the lab's"
    assert found.keys == (fingerprint(KEY),)
    assert found.host_keys == (fingerprint(HOST_KEY.public),)
    assert (found.locale, found.keyboard, found.timezone) == ("en_GB.UTF-8", "gb", "Europe/Berlin")
    assert "cgroup_enable=memory" in found.kernel.split()
    assert not found.started


@WAYS
def test_burning_again_leaves_nothing_of_before(way: InitFormat) -> None:
    made = card(way)
    personalise(made, FULL)
    other = replace(FULL, hostname="red02", address="", gateway="", dns=(), wifi=None)
    personalise(made, other)
    found = read_back(made)
    assert (found.hostname, found.address, found.wifi) == ("red02", "", "")
    assert found.kernel.split().count("cgroup_enable=memory") == 1


@WAYS
def test_a_card_that_nobody_made_for_a_host(way: InitFormat) -> None:
    found = read_back(card(way))
    assert (found.way, found.hostname, found.host_keys) == (way, "", ())


def test_a_card_that_was_cut_off_and_one_without_a_system() -> None:
    made = card(InitFormat.SYSTEMD)
    made.content[:512] = bytes(512)
    with pytest.raises(BrambleError, match="nothing starts from it"):
        read_back(made)
    made.content[:512] = b"x" * 512
    with pytest.raises(BrambleError, match="no image of a system"):
        read_back(made)


def test_a_file_that_reads_back_otherwise_is_told() -> None:
    made = card(InitFormat.SYSTEMD)
    written = personalise(made, FULL)
    volume = Volume(made, boot_partition(made))
    volume.write("firstrun.sh", b"#!/bin/bash\n")
    volume.flush()
    with pytest.raises(BrambleError, match=r"firstrun\.sh .* not what was written"):
        compare(made, written)


def test_yaml_that_makes_no_sense_is_told() -> None:
    made = card(InitFormat.CLOUDINIT)
    volume = Volume(made, boot_partition(made))
    volume.write("user-data", b"#cloud-config\na: [\n")
    volume.flush()
    with pytest.raises(BrambleError, match="user-data"):
        read_back(made)
