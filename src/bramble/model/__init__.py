"""Frozen values without I/O: hosts, sets of hosts, clusters."""

from .cluster import Cluster, choose_manager
from .entry import Entry
from .expression import LIMIT
from .host import Host
from .hostset import HostSet

__all__ = ["LIMIT", "Cluster", "Entry", "Host", "HostSet", "choose_manager"]
