"""`bramble cards burn` onto loop devices, as a person does it: asked first, and for the next card."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fatimage import Memory, image
from tests.lab.faulty_card import Faults, faulty, loop_device

from bramble.cards.fat import Volume, boot_partition

ROOM = 48 << 20


class Desk:
    """Somebody at a desk with card readers, who has never used bramble."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        card = image(32)
        volume = Volume(card, boot_partition(card))
        for name in ("cmdline.txt", "config.txt", "user-data", "meta-data", "network-config"):
            volume.write(name, b"console=tty1\n" if name == "cmdline.txt" else b"")
        volume.flush()
        (folder / "pi.img").write_bytes(card.content)
        subprocess.run(["xz", "-1", folder / "pi.img"], check=True)
        (folder / ".ssh").mkdir(mode=0o700)
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / ".ssh" / "id_ed25519"], check=True
        )
        names = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")
        self.environment = {**os.environ, "HOME": str(folder), **{name: str(folder / name) for name in names}}

    def blank(self, name: str) -> Path:
        """A card, which is a file, with something on it."""
        file = self.folder / name
        file.write_bytes(b"holiday" * (ROOM // 7) + bytes(ROOM % 7))
        return file

    def words(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "bramble", "cards", *words]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.words(*words), env=self.environment, capture_output=True, text=True, timeout=120)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@contextlib.contextmanager
def terminal(desk: Desk, *words: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A command on a terminal of its own, and that terminal's other end."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 250, 0, 0))  # serials of loop devices are long
    # What the tests' own terminal is like does not matter here.
    environment = {name: value for name, value in desk.environment.items() if name not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(
        desk.words(*words), env={**environment, "TERM": "xterm"}, stdin=follower, stdout=follower, stderr=follower,
        start_new_session=True,
    )  # fmt: skip
    os.close(follower)
    try:
        yield process, leader
    finally:
        process.kill()
        process.wait()
        os.close(leader)


def until(leader: int, words: str) -> str:
    """All that the terminal shows until these words."""
    shown = ""
    os.set_blocking(leader, False)
    end = time.monotonic() + 120
    while words not in shown:
        assert time.monotonic() < end, shown
        try:
            shown += os.read(leader, 65536).decode(errors="replace")
        except BlockingIOError:
            time.sleep(0.05)
        except OSError:
            break
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert words in plain, plain
    return plain


def test_three_hosts_two_readers_and_a_person_who_is_asked(desk: Desk) -> None:
    a, b, c = (desk.blank(name) for name in "abc")
    with loop_device(a) as first, loop_device(b) as second:
        asked = (
            "burn", "--hosts", "red,red[01-02]", "--image", str(desk.folder / "pi.img.xz"), "--devices",
            f"{first},{second}", "--address", "10.1.1.[1-3]/24", "--gateway", "10.1.1.254",
        )  # fmt: skip
        refused = desk.run(*asked)
        assert refused.returncode == 2 and f"--force-device {a}" in refused.stdout
        meant = ("--force-device", f"{a},{b},{c}")
        alone = desk.run(*asked, *meant, "--yes", f"{a},{b}")
        assert alone.returncode == 2 and "3 hosts and 2 card readers" in alone.stderr
        assert a.read_bytes()[:7] == b"holiday"
        with terminal(desk, *asked, *meant) as (process, leader):
            shown = until(leader, "[y/N]")
            assert "will be lost" in shown and str(a) in shown
            os.write(leader, b"y\n")
            until(leader, f"Put the card of red02 into {first}, then press Enter")
            os.write(leader, b"\n")  # too early
            assert "still the card that was burned just now" in until(leader, "then press Enter")
            subprocess.run(["losetup", "--detach", first], check=True)
            subprocess.run(["losetup", first, c], check=True)
            os.write(leader, b"\n")
            shown = until(leader, "Put them in and switch on")
            assert process.wait(60) == 0
        for host, card in (("red", a), ("red01", b), ("red02", c)):
            checked = desk.run("check", host, "--device", str(card), "--json")
            assert checked.returncode == 0, checked.stdout + checked.stderr
            found = json.loads(checked.stdout)["found"]
            assert found["hostname"] == host and found["host_keys"][0] in shown
        wrong = desk.run("check", "red01", "--device", str(a))
        assert wrong.returncode == 1 and "it is the card of red, not of red01" in wrong.stderr


def test_no_is_no_and_loses_nothing(desk: Desk) -> None:
    a = desk.blank("a")
    with loop_device(a) as first:
        asked = ("burn", "--hosts", "red", "--image", str(desk.folder / "pi.img.xz"), "--devices", first)
        with terminal(desk, *asked, "--force-device", str(a)) as (process, leader):
            until(leader, "[y/N]")
            os.write(leader, b"n\n")
            assert process.wait(60) == 130
        assert desk.run(*asked, "--force-device", str(a)).returncode == 2
    assert a.read_bytes() == b"holiday" * (ROOM // 7) + bytes(ROOM % 7)


def test_one_card_fails_the_other_is_good_and_only_that_one_is_known(desk: Desk) -> None:
    a, b = desk.blank("a"), desk.blank("b")
    os.chown(desk.folder, 1234, 1234)  # as by `sudo -E`: somebody else's home
    with loop_device(a) as first, faulty(b, Faults(real=20 << 20)) as worn:
        meant = f"{a},{worn.identity}"
        burned = desk.run(
            "burn", "--hosts", "red[01-02]", "--image", str(desk.folder / "pi.img.xz"),
            "--devices", f"{first},{worn.path}", "--force-device", meant, "--yes", meant, "--json",
        )  # fmt: skip
        cards = {card["host"]: card for card in map(json.loads, burned.stdout.splitlines())}
        assert burned.returncode == 1, burned.stderr
        assert (cards["red01"]["state"], cards["red02"]["state"]) == ("burned", "failed")
        assert "reads back otherwise" in cards["red02"]["error"]["what"]
    known = desk.folder / "XDG_DATA_HOME" / "bramble" / "known_hosts"
    assert "red01" in known.read_text() and "red02" not in known.read_text()
    assert known.stat().st_uid == known.parent.stat().st_uid == 1234
    cut = desk.run("check", "--device", str(b))
    assert cut.returncode == 1 and "nothing starts from it" in cut.stderr
    assert Memory(b.read_bytes()).read(0, 4096) == bytes(4096)
