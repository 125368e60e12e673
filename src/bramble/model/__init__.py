"""Frozen values without I/O: hosts, sets of hosts, clusters, names of images."""

from .cluster import GROUPS, Cluster, Deployment, choose_manager
from .entry import Entry
from .expression import LIMIT
from .host import Host
from .hostset import HostSet
from .reference import Reference

__all__ = ["GROUPS", "LIMIT", "Cluster", "Deployment", "Entry", "Host", "HostSet", "Reference", "choose_manager"]
