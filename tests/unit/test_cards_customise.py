"""What becomes of a description: the files for each way, that they say the same twice, and that texts stay texts."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from passlib.hash import sha512_crypt
from ruamel.yaml import YAML
from syrupy.assertion import SnapshotAssertion

from bramble.cards.customise import customise, password_hash, psk
from bramble.cards.customise.cloud_init import CUT_HERE
from bramble.cards.customise.firstrun import script
from bramble.cards.customise.radios import without_radios
from bramble.cards.init_format import InitFormat
from bramble.errors import UsageError
from bramble.model import Customisation, HostKey, Wifi

PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDa8Z4wCd/TNe+6y109tkhDXIzw590GeWBhhU4vqhNZN"
PRIVATE = """\
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ==
-----END OPENSSH PRIVATE KEY-----
"""

WIFI = Wifi(ssid='Bo\'s "net": #1 Ü', psk="0123456789abcdef" * 4, country="NO", hidden=True)

#: All there is to ask for.
FULL = Customisation(
    hostname="red01",
    instance="red01-0123456789ab",
    user="alice",
    password="$6$rounds=5000$saltsaltsalt$QQQQQQQQQQQQQQQQ/WWWWWWWWWWWWWWWW.EEEEEEEE",
    keys=(f"{PUBLIC} alice@farm", f'from="10.1.1.0/24" {PUBLIC} it\'s rm firstrun.sh'),
    sudo_asks=True,
    address="10.1.1.2/24",
    gateway="10.1.1.254",
    dns=("10.1.1.254", "9.9.9.9"),
    wifi=WIFI,
    locale="en_GB.UTF-8",
    keyboard="gb",
    timezone="Europe/Berlin",
    kernel_arguments=("cgroup_enable=memory", "systemd.unified_cgroup_hierarchy=1"),
    host_keys=(HostKey(kind="ed25519", private=PRIVATE, public=f"{PUBLIC} root@red01"),),
)

#: The least there is.
LEAST = Customisation(hostname="red", instance="red-1", user="pi", keys=(PUBLIC,))

BOOT = {
    "CMDLINE.TXT": b"console=tty1 root=PARTUUID=1-02 rootwait quiet init=/usr/lib/raspberrypi-sys-mods/firstboot\n",
    "config.txt": b"dtparam=audio=on\n\n[pi4]\narm_boost=1\n",
    "user-data": b"#cloud-config\nchpasswd: {list: 'ubuntu:ubuntu'}\n",
    "meta-data": b"instance_id: rpios-image\n",
    "network-config": b"# nothing\n",
}

WAYS = [InitFormat.SYSTEMD, InitFormat.CLOUDINIT_RPI, InitFormat.CLOUDINIT]


def texts(how: InitFormat, wanted: Customisation, boot: dict[str, bytes] = BOOT) -> dict[str, str]:
    return {name: data.decode() for name, data in customise(how, wanted, boot).items()}


def from_yaml(text: str) -> Any:
    """As cloud-init reads it: by YAML 1.1."""
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 1)
    return yaml.load(text)


@pytest.fixture
def unhurried(tmp_path: Path) -> dict[str, str]:
    """An environment in which `sync` does not wait for all disks of this machine."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sync").symlink_to("/bin/true")
    return {"PATH": f"{tmp_path}/bin:/usr/bin:/bin"}


@pytest.mark.parametrize("wanted", [FULL, replace(LEAST, radios=False)], ids=["full", "least"])
@pytest.mark.parametrize("how", WAYS)
def test_the_files_of_each_way(how: InitFormat, wanted: Customisation, snapshot: SnapshotAssertion) -> None:
    assert texts(how, wanted) == snapshot


@pytest.mark.parametrize("wanted", [FULL, replace(LEAST, radios=False)], ids=["full", "least"])
@pytest.mark.parametrize("how", WAYS)
def test_a_card_made_before_is_made_the_same(how: InitFormat, wanted: Customisation) -> None:
    made = customise(how, wanted, BOOT)
    assert customise(how, wanted, {**BOOT, **made}) == made


# The command line


def test_a_card_made_for_another_host_forgets_it() -> None:
    before = customise(InitFormat.CLOUDINIT_RPI, replace(LEAST, wifi=WIFI), BOOT)
    after = customise(InitFormat.CLOUDINIT_RPI, replace(FULL, instance="other"), {**BOOT, **before})
    words = after["CMDLINE.TXT"].decode().split()
    assert [word for word in words if word.startswith("ds=")] == ["ds=nocloud;i=other"]
    assert len(words) == len(set(words))
    assert b"red-1" not in b"".join(after.values())


@pytest.mark.parametrize("line", [b"a b\r\n", b"a b", b" a  b \n\n", b"a b\nleft over\n"])
def test_a_command_line_is_one_line(line: bytes) -> None:
    made = texts(InitFormat.CLOUDINIT, FULL, {"cmdline.txt": line})["cmdline.txt"]
    assert made == f"a b {' '.join(FULL.kernel_arguments)} cfg80211.ieee80211_regdom=NO\n"


def test_ubuntu_with_two_sets_of_files_is_told_in_the_one_in_use() -> None:
    boot = {"cmdline.txt": b"old\n", "current/cmdline.txt": b"new\n"}
    made = texts(InitFormat.CLOUDINIT, FULL, boot)
    assert "cmdline.txt" not in made and made["current/cmdline.txt"].startswith("new cgroup_enable=memory")
    # Without one there is nothing to write to it, unless somebody asks; netplan is told the country then.
    made = texts(InitFormat.CLOUDINIT, replace(FULL, kernel_arguments=()), {})
    assert sorted(made) == ["meta-data", "network-config", "user-data"]
    assert from_yaml(made["network-config"])["network"]["wifis"]["wlan0"]["regulatory-domain"] == "NO"
    with pytest.raises(UsageError, match=r"no cmdline\.txt"):
        texts(InitFormat.CLOUDINIT, FULL, {})


# config.txt


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "dtoverlay=disable-wifi\ndtoverlay=disable-bt\n"),
        ("a=1", "a=1\ndtoverlay=disable-wifi\ndtoverlay=disable-bt\n"),
        ("[pi4]\na=1\n[all]\n", "[pi4]\na=1\n[all]\ndtoverlay=disable-wifi\ndtoverlay=disable-bt\n"),
        ("[pi4]\r\na=1\r\n", "[pi4]\r\na=1\r\n\n[all]\ndtoverlay=disable-wifi\ndtoverlay=disable-bt\n"),
        ("dtoverlay=disable-bt\n[cm4]\ndtoverlay=disable-wifi\n", None),
    ],
)
def test_radios_off_for_every_board(before: str, after: str | None) -> None:
    made = without_radios(before)
    assert made == (after or f"{before}\n[all]\ndtoverlay=disable-wifi\n")
    assert without_radios(made) == made


# firstrun.sh


def run_in_bash(text: str, ask: str) -> str:
    done = subprocess.run(["bash", "-u"], input=f"{text}\n{ask}", capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


def head(wanted: Customisation) -> str:
    """The script's assignments, which are all that differs between hosts."""
    made, mark, _ = script(wanted).partition("# Each part stands alone")
    assert mark
    return made


def test_the_script_is_one_for_bash() -> None:
    subprocess.run(["bash", "-n"], input=script(FULL), text=True, check=True)


#: Texts that would be code, if ever somewhere a quote were missing.
NASTY = st.text(st.sampled_from("'\"\\$`!;&|<>(){}[]*?~#= \tabÜ𝄞%\n"), min_size=1, max_size=32)


@settings(max_examples=25, deadline=None)
@given(NASTY, NASTY)
def test_what_is_wanted_is_never_code_for_bash(one: str, other: str) -> None:
    """Beside what `check` lets through: also where it would let through too much."""
    nasty = replace(FULL, password=one, keys=(one, other), locale=other, wifi=replace(WIFI, psk=one))
    out = run_in_bash(head(nasty), 'printf "%s\\0" "$password" "${authorized_keys[@]}" "$locale" "${profiles[wlan0]}"')
    said = out.split("\0")
    assert said[:4] == [one, one, other, other]
    assert f"psk={one}\n" in said[4]


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8))
def test_the_name_of_a_wireless_network_is_never_more(ssid: str) -> None:
    wanted = replace(LEAST, wifi=Wifi(ssid=ssid, psk="1" * 64, country="GB"))
    made = head(wanted)
    (by_bytes,) = re.findall(r"^ssid=([0-9;]+)$", made, re.MULTILINE)
    (by_digits,) = re.findall(r"^\tssid=([0-9a-f]+)$", made, re.MULTILINE)
    assert bytes(map(int, by_bytes.strip(";").split(";"))).decode() == bytes.fromhex(by_digits).decode() == ssid
    for how in (InitFormat.CLOUDINIT, InitFormat.CLOUDINIT_RPI):
        network = from_yaml(texts(how, wanted)["network-config"])["network"]
        assert network["wifis"]["wlan0"]["access-points"] == {ssid: {"password": "1" * 64}}


def test_what_raspberry_pi_os_does_to_the_script_and_the_command_line(
    tmp_path: Path, unhurried: dict[str, str]
) -> None:
    """Its 12 does this before the script runs: mends paths, and puts its own end in place of all behind ``rm …``."""
    made = texts(InitFormat.SYSTEMD, FULL)
    (tmp_path / "firstrun.sh").write_text(made["firstrun.sh"])
    (tmp_path / "cmdline.txt").write_text(made["CMDLINE.TXT"])
    subprocess.run(["sed", "-n", "-i", r"/rm.*firstrun\.sh$/q;p", "firstrun.sh"], cwd=tmp_path, check=True)
    subprocess.run(["sed", "-i", "s|/boot/|/boot/firmware/|g", "cmdline.txt"], cwd=tmp_path, check=True)
    assert (tmp_path / "firstrun.sh").read_text() == made["firstrun.sh"]
    words = (tmp_path / "cmdline.txt").read_text().split()
    # What removes the words behind the first of systemd's, as Imager does it, takes none of ours with them.
    assert words.index("systemd.run=/boot/firmware/firstrun.sh") == len(words) - 3
    assert "cgroup_enable=memory" in words and "systemd.unified_cgroup_hierarchy=1" in words

    # The script's own end, alone: as it runs again where the power went before it was through.
    end = made["firstrun.sh"].partition("<<'END'\n")[2].partition("END\n")[0]
    for _ in range(2):
        (tmp_path / "firstrun.sh").write_text(end)
        subprocess.run(["bash", "./firstrun.sh"], cwd=tmp_path, check=True, env=unhurried)
        assert not (tmp_path / "firstrun.sh").exists()
    assert (tmp_path / "cmdline.txt").read_text().split() == [
        *BOOT["CMDLINE.TXT"].decode().split(),
        *FULL.kernel_arguments,
        "cfg80211.ieee80211_regdom=NO",
    ]
    assert PRIVATE.splitlines()[1] not in end and FULL.password not in end


# cloud-init


@pytest.mark.parametrize("how", [InitFormat.CLOUDINIT_RPI, InitFormat.CLOUDINIT])
def test_what_cloud_init_reads(how: InitFormat) -> None:
    made = texts(how, FULL)
    data = from_yaml(made["user-data"])
    assert made["user-data"].startswith("#cloud-config\n")
    assert data["hostname"] == "red01" and data["ssh_pwauth"] is True
    assert data["user"]["hashed_passwd"] == FULL.password and data["user"]["lock_passwd"] is False
    assert data["user"]["ssh_authorized_keys"] == list(FULL.keys)
    assert data["user"]["sudo"] is None
    assert data["ssh_keys"] == {"ed25519_private": PRIVATE, "ed25519_public": f"{PUBLIC} root@red01"}
    assert from_yaml(made["meta-data"])["instance-id"] == FULL.instance
    network = from_yaml(made["network-config"])["network"]
    assert network["ethernets"]["eth0"]["addresses"] == ["10.1.1.2/24"]
    assert network["wifis"]["wlan0"].get("regulatory-domain") == ("NO" if how is InitFormat.CLOUDINIT_RPI else None)
    least = from_yaml(texts(how, LEAST)["user-data"])
    assert least["ssh_pwauth"] is False and least["user"]["lock_passwd"] is True and "ssh_keys" not in least


def test_the_partition_is_closed_while_it_holds_secrets(tmp_path: Path, unhurried: dict[str, str]) -> None:
    """What cloud-init is told to run first, at each start; with programs in place of `mount` that only note calls."""
    for program in ("mount", "umount"):
        script = tmp_path / "bin" / program
        script.write_text(f'#!/bin/sh\necho {program} "$@" >>{tmp_path}/called\n')
        script.chmod(0o755)
    made = texts(InitFormat.CLOUDINIT, FULL)
    (tmp_path / "user-data").write_text(made["user-data"])
    first, last = (from_yaml(made["user-data"])[when][-1] for when in ("bootcmd", "runcmd"))
    for command in (first, last, first):
        there = command.replace("/boot/firmware", str(tmp_path))
        subprocess.run(["sh", "-c", there], env=unhurried, capture_output=True)
    assert (tmp_path / "called").read_text() == f"umount {tmp_path}\nmount -o umask=0077 {tmp_path}\n"


@pytest.mark.parametrize("how", [InitFormat.CLOUDINIT_RPI, InitFormat.CLOUDINIT])
def test_nothing_secret_stays_on_the_partition(how: InitFormat, tmp_path: Path, unhurried: dict[str, str]) -> None:
    """The command that cloud-init is told to run last, carried out on the files it is for."""
    made = texts(how, FULL)
    for name in ("user-data", "network-config"):
        (tmp_path / name).write_text(made[name])
    assert all(made[name].count(f"\n{CUT_HERE}\n") == 1 for name in ("user-data", "network-config"))
    last = from_yaml(made["user-data"])["runcmd"][-1]
    for _ in range(2):
        subprocess.run(["sh", "-c", last.replace("/boot/firmware", str(tmp_path))], check=True, env=unhurried)
        left = {name: (tmp_path / name).read_text() for name in ("user-data", "network-config")}
        for secret in (FULL.password, WIFI.psk, *PRIVATE.splitlines(), "PRIVATE KEY"):
            assert secret in "".join(made.values()) and secret not in "".join(left.values())
        # Both still are what cloud-init reads at each start, and without complaint.
        data = from_yaml(left["user-data"])
        assert left["user-data"].startswith("#cloud-config\n") and data["hostname"] == "red01"
        assert "user" not in data and "ssh_keys" not in data
        network = from_yaml(left["network-config"])["network"]
        assert set(network) == {"version", "ethernets"}


@pytest.mark.parametrize(
    ("wanted", "waited_for"),
    [
        (LEAST, "eth0"),
        (replace(LEAST, address="10.1.1.1/24"), "eth0"),
        (replace(LEAST, wifi=WIFI), "wlan0"),
        (replace(LEAST, wifi=WIFI, address="10.1.1.1/24"), "eth0"),
        (replace(LEAST, wifi=WIFI, address="10.1.1.1/24", interface="wlan0"), "wlan0"),
    ],
)
def test_one_interface_is_waited_for(wanted: Customisation, waited_for: str) -> None:
    network = from_yaml(texts(InitFormat.CLOUDINIT, wanted)["network-config"])["network"]
    interfaces = {**network["ethernets"], **network.get("wifis", {})}
    assert [name for name, about in interfaces.items() if not about.get("optional")] == [waited_for]
    assert [name for name, about in interfaces.items() if "addresses" in about] == [wanted.interface] * bool(
        wanted.address
    )


# Hashes


def test_a_passphrase_becomes_the_key_of_the_standard() -> None:
    # IEEE 802.11i, annex H.4.3, the first and the last of its examples.
    assert psk("IEEE", "password") == "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"
    assert psk("Z" * 32, "a" * 32) == "becb93866bb8c3832cb777c2f559807c8c59afcb6eae734885001300a981cc62"
    assert psk("red", "AB" * 32) == "ab" * 32


@pytest.mark.parametrize("passphrase", ["", "seven77", "x" * 64, "pässword", "line\nline"])
def test_a_passphrase_that_is_none(passphrase: str) -> None:
    with pytest.raises(UsageError, match="cannot be right") as refused:
        psk("red", passphrase)
    assert not passphrase or passphrase not in str(refused.value)


def test_a_password_is_hashed_as_every_system_knows_it() -> None:
    one, other = password_hash("raspberry's Ü"), password_hash("raspberry's Ü")
    assert one != other and one.startswith("$6$rounds=100000$")
    assert sha512_crypt.verify("raspberry's Ü", one) and not sha512_crypt.verify("raspberry", one)
    customise(InitFormat.SYSTEMD, replace(LEAST, password=one), BOOT)
    done = subprocess.run(
        ["openssl", "passwd", "-6", "-stdin", "-salt", "rounds=100000$" + one.split("$")[3]],
        input="raspberry's Ü\n",
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == one
    for nothing in ("", "a\nb"):
        with pytest.raises(UsageError):
            password_hash(nothing)
