"""Artifacts: fetched once, checked, kept by their hashes, and handed from host to host."""

from .fetch import Fetcher
from .store import Store, Stored

__all__ = ["Fetcher", "Store", "Stored"]
