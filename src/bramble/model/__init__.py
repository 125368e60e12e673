"""Frozen values without I/O: hosts, sets of hosts, clusters, names of images."""

from .addressing import pair_addresses
from .card_options import CardOptions
from .cluster import GROUPS, Cluster, Deployment, choose_manager
from .customisation import Customisation, HostKey, Wifi
from .entry import Entry
from .expression import LIMIT
from .host import Host, reachable
from .hostset import HostSet
from .reference import Reference

__all__ = [
    "GROUPS",
    "LIMIT",
    "CardOptions",
    "Cluster",
    "Customisation",
    "Deployment",
    "Entry",
    "Host",
    "HostKey",
    "HostSet",
    "Reference",
    "Wifi",
    "choose_manager",
    "pair_addresses",
    "reachable",
]
