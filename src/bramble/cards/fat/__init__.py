"""The boot partition of a card: files on a FAT file system, read and written without mounting it and without root."""

from __future__ import annotations

from .partition import NoBootPartition, Partition, boot_partition
from .volume import NoRoom, NotFat, Volume

__all__ = ["NoBootPartition", "NoRoom", "NotFat", "Partition", "Volume", "boot_partition"]
