"""No swap, whichever of the ways of these systems brings it."""

from __future__ import annotations

from collections.abc import Iterator

from ...runner.facts import Facts
from ...runner.step import Step
from ...runner.steps import Command, Directory, File, Line, Unit

#: Raspberry Pi OS from trixie: a generator of systemd's makes swap at each boot, as this folder says.
RPI_SWAP = "/etc/rpi/swap.conf"

#: Debian's systemd-zram-generator; an empty file of this name makes it do nothing.
ZRAM = "/etc/systemd/zram-generator.conf"
ZRAM_GENERATOR = "/usr/lib/systemd/system-generators/zram-generator"

#: Services that switch swap on: Raspberry Pi OS up to bookworm, Debian's zram-tools, Ubuntu's zram-config.
DAEMONS = ("dphys-swapfile", "zramswap", "zram-config")

#: In a container, /proc/swaps tells of the machine's, which is none of the container's business.
NONE_LEFT = "systemd-detect-virt --quiet --container || ! grep -q ^/ /proc/swaps"


def no_swap(facts: Facts) -> Iterator[Step]:
    """What is swapped out comes back into memory first; what would bring swap again goes after that."""
    yield Command(
        name="swap is off",
        argv=("swapoff", "--all"),
        unless=("sh", "-c", NONE_LEFT),
        undo_argv=("swapon", "--all"),
    )
    for name in DAEMONS:
        yield Unit(name=name, enabled=False, running=False)
    if RPI_SWAP in facts.paths:
        yield Directory(path=f"{RPI_SWAP}.d")
        yield File(path=f"{RPI_SWAP}.d/90-bramble.conf", content="[Main]\nMechanism=none\n")
    if ZRAM_GENERATOR in facts.paths:
        yield File(path=ZRAM, content="# No swap, as bramble was told: --set swap=off\n")
    yield Line(path="/etc/fstab", match=r"^[^#]\S*\s+\S+\s+swap\s", absent=True)
