"""All that travels to a host.

The controller packs this package into an archive, sends it under its content hash and talks to it in JSON lines
(`loop`). The controller imports it too, so that a step, a fact or an event is defined once.

Standard library only, Python 3.9 and later (Raspberry Pi OS bullseye), importing no other room.
"""

from __future__ import annotations

#: The oldest Python on a host that the runner works with: the one of Debian and Raspberry Pi OS bullseye.
OLDEST_PYTHON = (3, 9)
