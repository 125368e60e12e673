"""Cards burned into files: what they get, what bramble knows afterwards, and what is refused beforehand.

Onto devices: tests/lab/test_cards_writing.py, test_cards_boot.py.
"""

from __future__ import annotations

import asyncio
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fatimage import image

from bramble import api, inventory
from bramble.cards.disks import Disk, Part, Refusal
from bramble.cards.fat import Volume, boot_partition
from bramble.errors import BrambleError, UsageError
from bramble.runner.events import CardProgress
from bramble.runner.secret import Secret

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJn9V0Tq3m2mC2V1Cn1sK1o3hX5m3b3m7V0mJ8o1nq3d pi@laptop\n"


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What is asked for in most tests: cards of three hosts, of a small image, into files."""
    monkeypatch.setenv("HOME", str(tmp_path))
    card = image(32)
    volume = Volume(card, boot_partition(card))
    for name in ("cmdline.txt", "config.txt", "user-data", "meta-data", "network-config"):
        volume.write(name, b"console=tty1\n" if name == "cmdline.txt" else b"")
    volume.flush()
    (tmp_path / "pi.img").write_bytes(card.content)
    (tmp_path / "key.pub").write_text(KEY)
    (tmp_path / "cards").mkdir()
    return {
        "hosts": "red,red[01-02]",
        "image": str(tmp_path / "pi.img"),
        "output": str(tmp_path / "cards"),
        "authorized_keys": [str(tmp_path / "key.pub")],
    }


def burn(**asked: Any) -> api.Burned:
    return api.run(api.cards_burn(**asked))


def test_each_card_is_its_hosts_and_bramble_knows_them(ask: dict[str, Any], tmp_path: Path) -> None:
    burned = burn(**ask, address="10.1.1.[1-3]/24", gateway="10.1.1.254", timezone="Europe/Berlin")
    assert burned.ok and [card.state for card in burned.cards] == ["burned"] * 3
    for card in burned.cards:
        checked = api.run(api.cards_check(card.host, device=card.device))
        assert checked.ok, checked.problems
        assert checked.found.hostname == card.host and checked.found.host_keys == (card.fingerprint,)
        assert stat.S_IMODE(Path(card.device).stat().st_mode) == 0o600
    cluster = inventory.load("red")
    assert [(host.name, host.address, host.user) for host in cluster.hosts] == [
        ("red", "10.1.1.1", "pi"), ("red01", "10.1.1.2", "pi"), ("red02", "10.1.1.3", "pi"),
    ]  # fmt: skip
    assert cluster.cards == {
        "image": ask["image"], "prefix": 24, "gateway": "10.1.1.254", "timezone": "Europe/Berlin",
    }  # fmt: skip
    private = tmp_path.rglob("*")
    texts = [path.read_bytes() for path in private if path.is_file() and path.suffix not in (".img",)]
    assert not any(b"PRIVATE KEY" in text for text in texts)


def test_the_next_host_is_made_as_the_others_were(ask: dict[str, Any]) -> None:
    burn(**ask, address="10.1.1.[1-3]/24", gateway="10.1.1.254", timezone="Europe/Berlin", user="maker")
    more = burn(cluster="red", hosts="red03", address="10.1.1.4/24", output=ask["output"],
                authorized_keys=ask["authorized_keys"])  # fmt: skip
    found = api.run(api.cards_check("red03", device=more.cards[0].device)).found
    assert (found.gateway, found.timezone, found.user) == ("10.1.1.254", "Europe/Berlin", "maker")
    assert str(inventory.load("red").hostset) == "red,red[01-03]"


def test_burning_anew_makes_another_key_and_the_old_one_is_forgotten(ask: dict[str, Any]) -> None:
    first = burn(**ask).cards[1]
    Path(first.device).unlink()
    again = burn(**{**ask, "hosts": "red01"}).cards[0]
    assert again.fingerprint != first.fingerprint
    assert inventory.fingerprints(inventory.load("red").host("red01")) == {again.fingerprint}


def test_wifi_without_its_passphrase_on_any_card_or_in_any_file(ask: dict[str, Any], tmp_path: Path) -> None:
    password = Secret("wifi password", value=b"correct horse")
    burned = burn(**ask, wifi="the lab's", wifi_country="DE", wifi_password=password)
    assert burned.ok
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"correct horse" not in path.read_bytes(), path
    assert inventory.load("red").cards["wifi"] == "the lab's"
    with pytest.raises(UsageError, match="password of the wireless network the lab's is needed"):
        burn(cluster="red", hosts="red03", output=ask["output"], authorized_keys=ask["authorized_keys"])


def test_a_dry_run_writes_nothing_and_knows_nothing(ask: dict[str, Any]) -> None:
    planned = burn(**ask, dry_run=True)
    assert [card.state for card in planned.cards] == ["planned"] * 3
    assert list(Path(ask["output"]).iterdir()) == []
    assert inventory.names() == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"address": "10.1.1.[1-3]"}, "how large the network is"),
        ({"address": "10.1.1.[1-3]/24", "gateway": "10.1.2.1"}, "outside of the host's network"),
        ({"authorized_keys": []}, "neither a key nor a password"),
        ({"user": "root"}, "root is an account"),
        ({"sudo_asks": True}, "a password that there is not"),
        ({"wifi": "lab", "wifi_country": "DE", "wifi_password": Secret("x", value=b"short")}, "cannot be right"),
        ({"wifi_password": Secret("x", value=b"long enough")}, "no wireless network"),
        ({"timezone": "Berlin\nx"}, "no time zone"),
        ({"timezone": "Europe/Nowhere"}, "no time zone"),
        ({"hosts": "red01.local"}, "cannot be a host's name"),
        ({"image": "nothing.img"}, "there is no file"),
        ({"output": "nowhere"}, "there is no folder"),
        ({"devices": ["/dev/null"]}, "cards and files at once"),
        ({"output": "", "devices": []}, "no card reader"),
        ({"output": "", "devices": ["/dev/null", "/dev/null"]}, "named twice"),
        ({"output": "", "devices": ["/dev/null"]}, "cannot be a card"),
    ],
)
def test_refused_before_anything_is_written(ask: dict[str, Any], change: dict[str, Any], words: str) -> None:
    with pytest.raises(BrambleError, match=words) as refused:
        burn(**{**ask, **change})
    assert refused.value.exit_code == 2
    assert list(Path(ask["output"]).iterdir()) == []
    assert inventory.names() == ()


def test_an_image_of_nothing_that_a_pi_boots(ask: dict[str, Any], tmp_path: Path) -> None:
    other = tmp_path / "other.img"
    other.write_bytes(b"\0" * 510 + b"\x55\xaa" + b"\0" * 4096)
    with pytest.raises(BrambleError, match="no image of a system"):
        burn(**{**ask, "image": str(other)})
    assert list(Path(ask["output"]).iterdir()) == []


def test_a_disk_that_nobody_named_is_not_written(ask: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    parts = (Part(path="/dev/sdx1", size=10**9, label="holiday", filesystem="vfat"),)
    disk = Disk(path="/dev/sdx", identity="S1", size=32 * 10**9, transport="usb", removable=True, parts=parts)
    monkeypatch.setattr("bramble.cards.slots.disk_at", lambda path: disk)
    asked = {**ask, "hosts": "red", "output": "", "devices": ["/dev/sdx"]}
    with pytest.raises(UsageError, match="nobody said that what is on /dev/sdx may be lost") as refused:
        burn(**asked, serials=["S2"])
    assert "--yes S1" in refused.value.hint
    mounted = replace(disk, uses=(Refusal(why="/dev/sdx1 is mounted at /media", hint="umount /dev/sdx1"),))
    monkeypatch.setattr("bramble.cards.slots.disk_at", lambda path: mounted)
    with pytest.raises(UsageError, match="is mounted at /media"):
        burn(**asked, serials=["S1"])


def test_more_hosts_than_readers_need_somebody_to_change_cards(
    ask: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(path="/dev/sdx", identity="S1", size=32 * 10**9, transport="usb", removable=True)
    monkeypatch.setattr("bramble.cards.slots.disk_at", lambda path: disk)
    with pytest.raises(UsageError, match="3 hosts and 1 card readers"):
        burn(**{**ask, "output": "", "devices": ["/dev/sdx"]}, serials=["S1"])


def test_a_card_that_is_done_when_somebody_interrupts_is_known(
    ask: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def write(_source: object, targets: Any, *, tell: Any, **_rest: object) -> None:
        tell(CardProgress(host=targets[0].host, phase="done"))
        raise asyncio.CancelledError

    monkeypatch.setattr("bramble.cards.burning.write", write)
    with pytest.raises(asyncio.CancelledError):
        burn(**ask)
    cluster = inventory.load("red")
    assert inventory.fingerprints(cluster.host("red")) and not inventory.fingerprints(cluster.host("red01"))
