"""Connections to hosts. Foreign exceptions end in this room: what leaves it is in `bramble.errors`.

`connect` opens one; what it offers is in `contract`. This module is cheap to import: asyncssh is loaded only when the
first SSH connection is opened.
"""

from .connector import Connector, connect, fetch_host_keys, terminal
from .contract import LONGEST_LINE, MOST_OUTPUT, TAIL_LINES, Channel, Completed, Connection
from .fake import FakeConnection, FakeHosts
from .local import LocalConnection
from .settings import HostKey, Settings

__all__ = [
    "LONGEST_LINE",
    "MOST_OUTPUT",
    "TAIL_LINES",
    "Channel",
    "Completed",
    "Connection",
    "Connector",
    "FakeConnection",
    "FakeHosts",
    "HostKey",
    "LocalConnection",
    "Settings",
    "connect",
    "fetch_host_keys",
    "terminal",
]
