"""What makes a card its host's, written onto a card of 40 MB/s and read back: seconds a card."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.cards import card
from bench.measure import Table, Timing, command
from bramble.cards.describe import customisations
from bramble.cards.init_format import InitFormat
from bramble.cards.personalise import compare, personalise
from bramble.cards.writing.held_back import HELD, HeldBack
from bramble.cards.writing.medium import Medium, buffer
from bramble.model import CardOptions, Cluster, Host

ROUNDS = 5

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJn9V0Tq3m2mC2V1Cn1sK1o3hX5m3b3m7V0mJ8o1nq3d pi@laptop"

#: As on Raspberry Pi OS's images: where the boot partition begins, its size, and the sectors of a cluster.
OFFSET, SIZE, CLUSTER = 8 << 20, 512 << 20, 4

#: Files, and bytes of each, that are there already: about what kernels, firmware and device trees take.
FILES, LARGE = 350, 200_000


def main() -> Table:
    """From the last byte of the image being there to the host's own files being read back."""
    table = Table("what makes a card its host's, on a card of 40 MB/s")
    with TemporaryDirectory() as name, card(Path(name), "card", OFFSET + SIZE) as device:
        _boot_partition(device)
        for how in (InitFormat.SYSTEMD, InitFormat.CLOUDINIT_RPI, InitFormat.CLOUDINIT):
            times = tuple(_once(device, how, number) for number in range(ROUNDS))
            table.add(Timing(name=f"a card, {how}", seconds=times, limit=0.5))
    return table


def _once(device: str, how: InitFormat, number: int) -> float:
    host = Host(name=f"red{number:02}", user="pi", address="10.1.1.1")
    options = CardOptions(prefix=24, gateway="10.1.1.254", wifi="lab", wifi_country="DE", timezone="Europe/Berlin")
    cluster = Cluster(name="red", hosts=(host,), manager=host.name)
    wanted = customisations(cluster, options, keys=[KEY], psk="0" * 64)[host.name]
    descriptor = os.open(device, os.O_RDWR | os.O_DIRECT)
    try:
        medium = Medium(descriptor)
        held = buffer(HELD)
        medium.read(0, held)
        blocks = HeldBack(medium, held.tobytes(), OFFSET + SIZE)
        time.sleep(1)  # what the throttle lets pass at once after a rest is the same for all
        began = time.perf_counter()
        compare(blocks, personalise(blocks, wanted, how))
        blocks.check()
        return time.perf_counter() - began
    finally:
        os.close(descriptor)


def _boot_partition(device: str) -> None:
    table = f"label: dos\nstart={OFFSET // 512}, size={SIZE // 512}, type=c\n"
    subprocess.run(["sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", device], input=table.encode(), check=True)
    command(["mkfs.vfat", "-F", "32", "-s", str(CLUSTER), "--offset", str(OFFSET // 512), device, str(SIZE // 1024)])
    with TemporaryDirectory() as name:
        files = [Path(name, f"device tree {number}.dtb") for number in range(FILES)]
        for file in files:
            file.write_bytes(os.urandom(LARGE))
        texts = {"cmdline.txt": "console=tty1 root=PARTUUID=12345678-02\n", "config.txt": "[all]\n", "issue.txt": "x\n"}
        for title, text in texts.items():
            Path(name, title).write_text(text)
        command(["mcopy", "-i", f"{device}@@{OFFSET}", *sorted(map(str, Path(name).iterdir())), "::"])
    command(["blockdev", "--flushbufs", device])
