"""A small arm64 image laid out as Ubuntu's for Pis, made once and kept: what tests burn and boot."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from platformdirs import user_cache_path
from tests.cardimage.start import initrd
from tests.cardimage.system import make_root

from bramble.lab.folders import remove_folder
from bramble.lab.requirements import PATH
from bramble.lab.state import locked

#: Where the boot partition begins and how large it is, in MiB. The root's comes after it.
BOOT_OFFSET, BOOT_SIZE = 1, 128
#: What the root's file system has beyond its files, in MiB: a first start writes about 20.
ROOM = 96
#: After so many days an image that no recipe asks for any more is removed.
KEPT_DAYS = 30

_BOOT_FILES = {
    "config.txt": "[all]\narm_64bit=1\nkernel=vmlinuz\ncmdline=cmdline.txt\ninitramfs initrd.img followkernel\n",
    # `net.ifnames=0`: the first interface is eth0, as a Pi's is. The last two halve the time of the start: without a
    # kernel at a random place, its pages need not be hidden from each program.
    "cmdline.txt": (
        "console=tty1 console=ttyAMA0 root=LABEL=writable rootfstype=ext4 rootwait net.ifnames=0 "
        "nokaslr mitigations=off\n"
    ),
    "meta-data": "",
    "network-config": "",
    "user-data": "",
}


def card_image() -> Path:
    """The image, compressed by ``xz``; made in one to three minutes when there is none of this recipe.

    Raises
    ------
    BrambleError
        It could not be made.
    """
    folder = user_cache_path("bramble") / "tests"
    image = folder / f"card-{_recipe()}.img.xz"
    with locked(folder / "card.lock", "another test run is making the card image", seconds=900):
        if not image.exists():
            _make(image)
            _prune(folder)
        os.utime(image)
    return image


def _recipe() -> str:
    """Twelve digits that change whenever the image would come out differently, but for the day's packages."""
    here = Path(__file__).parent
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(here.glob("*.py")))).hexdigest()[:12]


def _make(image: Path) -> None:
    for left in image.parent.glob("making-*"):
        remove_folder(left)
    folder = Path(tempfile.mkdtemp(prefix="making-", dir=image.parent))
    root = make_root(folder)
    raw = folder / "card.img"
    _assemble(root, folder, raw)
    # Like Raspberry Pi's own, it is xz; in blocks, so that all cores unpack it.
    _run(["xz", "-1", "--threads=0", "--block-size=16MiB", raw])
    os.replace(f"{raw}.xz", image)
    remove_folder(folder)


def _assemble(root: Path, folder: Path, raw: Path) -> None:
    """Two partitions in a file, without mounts and without loop devices."""
    boot = folder / "boot"
    boot.mkdir()
    for name, text in _BOOT_FILES.items():
        (boot / name).write_text(text)
    (boot / "initrd.img").write_bytes(initrd(root))
    shutil.move(next(root.glob("boot/vmlinuz-*")), boot / "vmlinuz")
    used = int(_run(["du", "--summarize", "--block-size=1M", root]).split()[0])
    size = used * 11 // 10 + ROOM
    start = BOOT_OFFSET + BOOT_SIZE
    with raw.open("wb") as file:
        file.truncate((start + size) << 20)
    table = f"label: dos\n{BOOT_OFFSET}MiB {BOOT_SIZE}MiB c *\n{start}MiB {size}MiB 83\n"
    _run(["sfdisk", "--quiet", raw], stdin=table)
    sector = BOOT_OFFSET << 11
    _run(["mkfs.vfat", "-F", "32", "-s", 2, "-n", "system-boot", "--offset", sector, raw, BOOT_SIZE << 10])
    _run(["mcopy", "-i", f"{raw}@@{BOOT_OFFSET}M", *sorted(boot.iterdir()), "::"])
    _run(["mke2fs", "-q", "-t", "ext4", "-L", "writable", "-E", f"offset={start << 20}", "-d", root, raw, f"{size}M"])


def _prune(folder: Path) -> None:
    oldest = time.time() - KEPT_DAYS * 86400
    for path in folder.glob("card-*.img.xz"):
        if path.stat().st_mtime < oldest:
            path.unlink()


def _run(argv: Sequence[str | Path | int], stdin: str = "") -> str:
    done = subprocess.run(
        [str(word) for word in argv], input=stdin, capture_output=True, text=True, env={**os.environ, "PATH": PATH}
    )
    assert done.returncode == 0, f"{argv[0]}: {done.stderr}{done.stdout}"
    return done.stdout
