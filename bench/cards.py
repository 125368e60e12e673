"""An image onto one and onto three cards of 40 MB/s, read back, and the same by ``dd`` and ``cmp``."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import Table, Timing, command

ROUNDS = 3

#: Bytes of the image, and bytes a second of a card, read or written: a common one in a common reader.
SIZE, RATE = 400 << 20, 40_000_000

#: MB of memory that writing may take.
MEMORY = 200


def main() -> Table:
    """Each round on cards that hold something else before."""
    table = Table(f"an image of {SIZE / 1e6:.0f} MB onto cards of {RATE / 1e6:.0f} MB/s, and read back")
    peer, one, three, packed = list[float](), list[float](), list[float](), list[float]()
    memory = [0, 0]
    with TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        image = folder / "image"
        _noise(image, SIZE)
        command(["xz", "-0", "-T0", "--keep", str(image)])
        cards = [stack.enter_context(card(folder, f"card{n}")) for n in range(3)]
        for _ in range(ROUNDS):
            peer.append(_by_hand(image, cards[0]))
            for times, source, onto in (
                (one, image, cards[:1]),
                (three, image, cards),
                (packed, folder / "image.xz", cards),
            ):
                _spoil(onto)
                seconds, peak = _burn(source, onto)
                times.append(seconds)
                memory[source is not image] = max(memory[source is not image], peak)
    table.add(Timing(name="dd and cmp, one card", seconds=tuple(peer)))
    against = table.rows[0].name
    table.add(Timing(name="one card", seconds=tuple(one), against=against, limit=0.95, at_least=True))
    table.add(Timing(name="three cards at once", seconds=tuple(three), against="one card", limit=1.15))
    table.add(Timing(name="three from one .xz", seconds=tuple(packed), against="one card", limit=1.15))
    for what, peak in zip(("three cards", "three from one .xz, xz's added"), memory, strict=True):
        # Rows in megabytes: the limit is not a time.
        table.rows.append(Timing(name=f"memory of {what} (MB)", seconds=(float(peak),), limit=MEMORY))
        print(f"  memory of {what}: {peak} MB  [{'met' if peak <= MEMORY else 'NOT MET'}: ≤ {MEMORY}]")
    return table


@contextlib.contextmanager
def card(folder: Path, name: str, size: int = SIZE + (16 << 20)) -> Iterator[str]:
    """A loop device that is as slow as a card; its path."""
    if not shutil.which("qemu-storage-daemon"):
        raise SystemExit("a slow card needs qemu-storage-daemon: apt install qemu-system-common")
    backing, file, pid = folder / f"{name}.data", folder / name, folder / f"{name}.pid"
    with backing.open("wb") as made:
        made.truncate(size)
    file.touch()
    command([
        "qemu-storage-daemon",
        "--object", f"throttle-group,id=slow,limits.bps-total={RATE}",
        "--blockdev", f"driver=file,node-name=file,filename={backing}",
        "--blockdev", "driver=throttle,node-name=card,throttle-group=slow,file=file",
        "--export", f"type=fuse,id=card,node-name=card,mountpoint={file},writable=on",
        "--daemonize", "--pidfile", str(pid),
    ])  # fmt: skip
    try:
        device = subprocess.run(
            ["losetup", "--find", "--show", file], check=True, capture_output=True, text=True
        ).stdout.strip()
        try:
            yield device
        finally:
            command(["losetup", "--detach", device])
    finally:
        command(["umount", "--lazy", str(file)])
        os.kill(int(pid.read_text()), 15)


def _by_hand(image: Path, device: str) -> float:
    """Written, and read back from the card instead of from the kernel's memory of it."""
    _spoil([device])
    return (
        command(["dd", f"if={image}", f"of={device}", "bs=4M", "conv=fsync", "status=none"])
        + command(["blockdev", "--flushbufs", device])
        + command(["cmp", "--bytes", str(SIZE), str(image), device])
    )


def _burn(image: Path, devices: list[str]) -> tuple[float, int]:
    """Seconds, and MB of memory."""
    began = time.perf_counter()
    argv = [sys.executable, "-m", "bench.burning", str(image), *devices]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    took = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return took, int(done.stdout.split()[-1])


def _spoil(devices: list[str]) -> None:
    """Let each hold something else at a few places, so that what is not written shows; untimed."""
    for device in devices:
        with open(device, "r+b") as file:
            for place in range(0, SIZE, 64 << 20):
                file.seek(place)
                file.write(os.urandom(4096))
            os.fsync(file.fileno())
    time.sleep(2)  # what the throttle lets pass at once after a rest is the same for all


def _noise(path: Path, size: int) -> None:
    """An image that no compression makes less, with the mark of a partition table."""
    with path.open("wb") as file:
        for _ in range(size >> 20):
            file.write(os.urandom(1 << 20))
        file.seek(510)
        file.write(b"\x55\xaa")
