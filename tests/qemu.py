"""A virtual machine that starts from a card: kernel, first stage and command line are the card's own."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bramble.lab.process import last_lines
from bramble.lab.requirements import PATH

#: QEMU's own network, which lets nothing out. The machine that runs QEMU is its gateway.
NETWORK, GATEWAY = "10.0.2.0/24", "10.0.2.2"
#: Seconds from power to SSH that are no fault: near 60 where cores are idle, many times that where they are not.
PATIENCE = 900.0
_MACHINE = (
    *("-machine", "virt,gic-version=2", "-cpu", "cortex-a53", "-smp", "2", "-m", "1024", "-accel", "tcg,thread=multi"),
    *("-nodefaults", "-display", "none", "-no-reboot"),
)
#: Its card's address is one of a network namespace of its own, in which nothing else is.
_APART = (
    'ip link set lo up; ip address add "$1/32" dev lo; '
    # What came from its own address, the machine would not believe.
    'ip route replace local "$1" dev lo table local src 127.0.0.1; shift; exec "$@"'
)


@dataclass(frozen=True)
class Machine:
    """It is on.

    Attributes
    ----------
    address
        Where its SSH answers, for programs that begin with `beside`.
    console
        What it has said so far.
    """

    process: subprocess.Popen[bytes]
    address: str
    console: Path

    @property
    def beside(self) -> tuple[str, ...]:
        """Words before a command that make it reach the machine, by the address that the card gave it."""
        return ("nsenter", f"--net=/proc/{self.process.pid}/ns/net")

    def wait_for_ssh(self, timeout: float = PATIENCE) -> float:
        """Wait until its SSH answers; the seconds that took."""
        begin = time.monotonic()
        # QEMU accepts every connection, and closes it again while nobody is behind it.
        ask = [*self.beside, "ssh-keyscan", "-T", "20", "-t", "ed25519", self.address]
        while not subprocess.run(ask, capture_output=True, stdin=subprocess.DEVNULL, env=_environment()).stdout:
            assert self.process.poll() is None, f"the machine went off by itself\n{self._said()}"
            assert time.monotonic() - begin < timeout, f"no SSH after {timeout:.0f} s\n{self._said()}"
            time.sleep(0.5)
        return time.monotonic() - begin

    def wait_until_off(self, timeout: float = PATIENCE) -> None:
        """Wait until it has switched itself off, or would start anew."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still on after {timeout:.0f} s\n{self._said()}") from None
        assert self.process.returncode == 0, self._said()

    def _said(self) -> str:
        return f"its console, {self.console}:\n{last_lines(self.console.read_text(errors='replace'), 40)}"


@contextmanager
def booted(card: Path, address: str, folder: Path) -> Iterator[Machine]:
    """Switch on a machine with a card in it; it is off in the end, whatever happens.

    Parameters
    ----------
    card
        A raw image or a block device. What the machine writes is on it afterwards.
    address
        What the system on the card gives itself, in :data:`NETWORK`.
    folder
        Where the console's log is kept, another for each start.
    """
    console = folder / f"console-{len(list(folder.glob('console-*')))}.log"
    console.touch()
    net = f"user,id=net,net={NETWORK},host={GATEWAY},restrict=on,hostfwd=tcp:{address}:22-{address}:22"
    drive = f"if=none,id=card,format=raw,cache=writeback,file={card}"
    with tempfile.TemporaryDirectory(prefix="bramble-qemu-") as started, (folder / "qemu.log").open("ab") as out:
        argv = [
            # It goes with us, also when we are killed.
            *("setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sh", "-ec", _APART, "sh", address),
            *("qemu-system-aarch64", *_MACHINE, *_from_card(card, Path(started)), "-serial", f"file:{console}"),
            *("-drive", drive, "-device", "virtio-blk-pci,drive=card"),
            *("-netdev", net, "-device", "virtio-net-pci,netdev=net,romfile="),
        ]
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=_environment())
        try:
            _until_apart(process)
            yield Machine(process, address, console)
        finally:
            process.kill()
            process.wait()


def _until_apart(process: subprocess.Popen[bytes]) -> None:
    ours = os.readlink("/proc/self/ns/net")
    while process.poll() is None and os.readlink(f"/proc/{process.pid}/ns/net") == ours:
        time.sleep(0.01)


def boot_file(card: Path, name: str) -> str:
    """A text on a card's boot partition."""
    return _mtools("mtype", card, f"::{name}")


def put_boot_file(card: Path, name: str, text: str) -> None:
    """Put a text onto a card's boot partition, in place of any of that name."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(text)
        file.flush()
        _mtools("mcopy", card, "-o", file.name, f"::{name}")


def _from_card(card: Path, folder: Path) -> list[str]:
    """Options that start what the firmware would: the names are those that the card's config.txt gives."""
    _mtools("mcopy", card, "::vmlinuz", "::initrd.img", str(folder))
    (line,) = boot_file(card, "cmdline.txt").splitlines()
    return ["-kernel", f"{folder}/vmlinuz", "-initrd", f"{folder}/initrd.img", "-append", line]


def _mtools(program: str, card: Path, *words: str) -> str:
    with card.open("rb") as file:
        start = struct.unpack_from("<I", file.read(512), 446 + 8)[0]
    argv = [program, "-i", f"{card}@@{start * 512}", *words]
    # mtools would measure real floppy disks by its own configuration, and refuse what has odd tracks.
    done = subprocess.run(argv, capture_output=True, text=True, env={**_environment(), "MTOOLS_SKIP_CHECK": "1"})
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr}"
    return done.stdout


def _environment() -> dict[str, str]:
    return {**os.environ, "PATH": PATH, "LC_ALL": "C.UTF-8"}


def require() -> None:
    """Fail at once where no machine can run."""
    missing = [name for name in ("qemu-system-aarch64", "mcopy", "mmdebstrap") if not shutil.which(name, path=PATH)]
    assert not missing, f"missing: {', '.join(missing)}: make system-tests"
