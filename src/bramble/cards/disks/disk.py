"""What a disk is, as far as it matters to those who would write a card."""

from __future__ import annotations

from dataclasses import dataclass

#: Transports of card readers. A Pi's own disk on USB or MMC is mounted, so it is refused for that.
READERS = ("usb", "mmc")


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a disk is not written.

    Attributes
    ----------
    why
        ``/dev/sda1 is mounted at /media/pi/bootfs``.
    hint
        What to do, best a command: ``umount /dev/sda1``.
    """

    why: str
    hint: str

    def __str__(self) -> str:
        return f"{self.why} ({self.hint})"


@dataclass(frozen=True, kw_only=True)
class Part:
    """A partition, or a whole disk that has a file system and no partitions.

    Attributes
    ----------
    path
        ``/dev/sda1``.
    size
        Bytes.
    label
        Of its file system, or else of the partition.
    filesystem
        As blkid calls it: ``vfat``, ``ext4``, ``crypto_LUKS``; empty where nobody knows.
    mounts
        Where it is mounted, in any mount namespace that we may look into.
    """

    path: str
    size: int
    label: str = ""
    filesystem: str = ""
    mounts: tuple[str, ...] = ()

    def __str__(self) -> str:
        text = " ".join(filter(None, (self.label, self.filesystem and f"({self.filesystem})"))) or self.path
        return f"{text} at {', '.join(self.mounts)}" if self.mounts else text


@dataclass(frozen=True, kw_only=True)
class Disk:
    """A whole disk of this machine, as it was found at one moment.

    Attributes
    ----------
    path
        ``/dev/sda``.
    identity
        What a person names to say "this one and no other": the serial number; of a loop device the file behind it;
        else the path. Card readers of one make often share a serial number: then it ends with the device's name.
    model, serial
        As the disk tells; empty where it does not, as on virtual machines.
    size
        Bytes; 0 for a reader without a card.
    transport
        ``usb``, ``mmc``, ``nvme``, ``sata``, ``loop``…; empty where nobody knows.
    removable
        Whether its medium can be taken out.
    read_only
        Whether the kernel refuses writes: the little switch of an SD card.
    parts
        What is on it.
    uses
        What is at work on it, and how that is ended; a disk in use is never written.
    number
        Major and minor number, as the kernel knows it.
    sequence
        Another whenever a medium is put in (Linux 5.15 and newer); 0 where the system does not count.
    """

    path: str
    identity: str
    model: str = ""
    serial: str = ""
    size: int
    transport: str = ""
    removable: bool = False
    read_only: bool = False
    parts: tuple[Part, ...] = ()
    uses: tuple[Refusal, ...] = ()
    number: tuple[int, int] = (0, 0)
    sequence: int = 0

    @property
    def is_like_a_card(self) -> bool:
        """Whether it is in a card reader, or on USB as readers are."""
        return self.removable or self.transport in READERS

    def is_same(self, other: Disk) -> bool:
        """Whether both are one disk with one medium in it, whatever happened to what is on it."""
        mine = (self.path, self.identity, self.model, self.serial, self.size, self.number, self.sequence)
        return mine == (
            other.path, other.identity, other.model, other.serial, other.size, other.number, other.sequence
        )  # fmt: skip
