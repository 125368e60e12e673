"""A card burned by bramble boots: the host answers under the name, address and key that were asked for."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.cardimage.image import card_image
from tests.lab.controller import Controller, Done
from tests.lab.faulty_card import loop_device
from tests.qemu import GATEWAY, booted, require

from bramble.cards.disks import disk_at

ADDRESS = "10.0.2.15"
SSID, PASSPHRASE = "the lab's", "correct horse battery"
PSK = hashlib.pbkdf2_hmac("sha1", PASSPHRASE.encode(), SSID.encode(), 4096, 32).hex()

#: An emulated host takes its time.
HOST = ("--hosts", "red01", "--connect-timeout", "120", "--timeout", "800")

#: What the host says of itself, a line each.
_WHO = """
echo "host $(hostname)"
echo "user $(id -un) $(sudo -n id -un)"
echo "system $(uname -m) $(cloud-init query v1.instance_id 2>&1)"
echo network $(ip -4 -brief address show eth0) $(ip -4 route show default | cut -d' ' -f3,5)
echo dns $(resolvectl dns eth0 | cut -d: -f2)
echo "locale $(. /etc/default/locale; echo $LANG) $(localedef --list-archive | grep -c en_GB.utf8)"
echo "time $(readlink -f /etc/localtime | cut -d/ -f5-)"
echo "keyboard $(. /etc/default/keyboard; echo $XKBLAYOUT)"
echo "kernel $(tr ' ' '\\n' </proc/cmdline | grep -c cgroup_enable=memory)"
echo "grown $(df --output=size --block-size=1M / | tail -1)"
echo "failed $(systemctl --failed --plain --no-legend | wc -l)"
"""

#: Where the key of the wireless network and private keys are, of what whoever asks may read. What is searched for
#: does not match itself, where some log holds this command.
_SECRETS = f"grep -rlsE '[{PSK[0]}]{PSK[1:]}|[B]EGIN OPENSSH PRIVATE' /boot /etc /home /run /tmp /var | sort"

#: What a first start does and a second must not do again.
_DONE = """
sudo find /etc /home /boot -type f -newer /var/lib/before
sudo sh -c 'cd /etc; sha256sum ssh/ssh_host_* shadow sudoers.d/* netplan/* hostname hosts machine-id'
ls /var/lib/cloud/instances
"""


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Path]:
    """A card that is larger than the image."""
    require()
    file = tmp_path / "card"
    with file.open("wb") as opened:
        opened.truncate(1 << 30)
    with loop_device(file) as device:
        yield Path(device)


@pytest.fixture
def person(tmp_path: Path) -> Controller:
    """Somebody with a key, who has never burned a card."""
    someone = Controller.new(tmp_path / "controller", "red")
    home = someone.folder / "home"
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", home / ".ssh/id_ed25519"], check=True)
    # The tests' own image and nobody else's folders, so HOME may be another.
    return replace(someone, env={**someone.env, "HOME": str(home)})


def wait_until_set_up(person: Controller) -> None:
    """Wait until cloud-init is through. It starts sshd anew as it goes, so a login may be cut off, but not refused."""
    command = "cloud-init status --wait --format json; true"
    tries = 0
    while (done := person.run("run", "--json", *HOST, "--", command, timeout=900)).status != 0:
        tries += 1
        assert tries < 10 and done.failure("red01")["error"] == "Unreachable", done.said
        time.sleep(5)
    status = json.loads(answer(done))
    found = [text for texts in status["recoverable_errors"].values() for text in texts]
    # That is how the image says where its files are.
    unexpected = [text for text in found if "fs_label" not in text]
    assert (status["status"], status["errors"], unexpected) == ("done", [], []), status


def said(person: Controller, command: str, *words: str) -> str:
    """What a command on the host said; whoever it is, its key must be the one known beforehand."""
    done = person.run("run", "--json", *HOST, *words, "--", command, timeout=900)
    assert done.status == 0, done.said
    return answer(done)


def answer(done: Done) -> str:
    """What the one host that was asked said."""
    (only,) = done.report["data"]["answers"]
    return str(only["stdout"])


def switched_off(person: Controller) -> None:
    done = person.run(
        "poweroff", "--hosts", "red01", "--yes", "--deadline", "300", "--connect-timeout", "120", timeout=900
    )
    assert done.status == 0, done.said


@pytest.mark.timeout(2400)
def test_a_card_boots_as_its_host_and_a_second_start_changes_nothing(
    card: Path, person: Controller, tmp_path: Path
) -> None:
    serial = disk_at(str(card)).identity
    wifi = tmp_path / "wifi"
    wifi.write_text(f"{PASSPHRASE}\n")
    wifi.chmod(0o600)
    burned = person.run(
        *("cards", "burn", "--hosts", "red01", "--image", str(card_image()), "--devices", str(card)),
        *("--yes", serial, "--force-device", serial, "--address", f"{ADDRESS}/24", "--gateway", GATEWAY),
        *("--dns", "10.0.2.3", "--locale", "en_GB.UTF-8", "--keyboard", "gb", "--timezone", "Europe/Berlin"),
        # The emulated machine has no Wi-Fi, so the address is Ethernet's.
        *("--wifi", SSID, "--wifi-country", "DE", "--wifi-password-file", str(wifi), "--interface", "eth0"),
    )
    assert burned.status == 0, burned.said
    checked = person.run("cards", "check", "red01", "--device", str(card))
    assert checked.status == 0, checked.said

    with booted(card, ADDRESS, tmp_path) as machine:
        first = machine.wait_for_ssh()
        at_it = replace(person, beside=machine.beside)
        wait_until_set_up(at_it)
        facts = dict(line.split(" ", 1) for line in said(at_it, _WHO).splitlines())
        grown = int(facts.pop("grown"))
        instance = facts["system"].removeprefix("aarch64 ")
        assert instance.startswith("red01-")
        assert facts == {
            "host": "red01",
            "user": "pi root",
            "system": f"aarch64 {instance}",
            "network": f"eth0 UP {ADDRESS}/24 {GATEWAY} eth0",
            "dns": "10.0.2.3",
            "locale": "en_GB.UTF-8 1",
            "time": "Europe/Berlin",
            "keyboard": "gb",
            "kernel": "1",
            "failed": "0",
        }
        assert grown > 700, "the root has not taken the card's room"
        assert said(at_it, f"sudo -u nobody {_SECRETS}; true") == "", "secrets that everybody may read"
        kept = said(at_it, f"{_SECRETS}; true", "--sudo").split()
        assert "/etc/ssh/ssh_host_ed25519_key" in kept and any("/netplan/" in path for path in kept)
        assert not any(path.startswith("/boot/") for path in kept), kept
        said(at_it, "touch /var/lib/before; sync", "--sudo")
        before = said(at_it, _DONE)
        switched_off(at_it)
        machine.wait_until_off()

    with booted(card, ADDRESS, tmp_path) as machine:
        second = machine.wait_for_ssh()
        at_it = replace(person, beside=machine.beside)
        wait_until_set_up(at_it)
        assert said(at_it, _DONE) == before
        assert said(at_it, "cloud-init query v1.instance_id").strip() == instance
        print(f"SSH after {first:.0f} s, at the second start after {second:.0f} s")
