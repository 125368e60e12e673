"""Backups: the file, and how what is in it comes from a host and back to it."""

from .file import Kept, Origin, read, write
from .host import lay, take

__all__ = ["Kept", "Origin", "lay", "read", "take", "write"]
