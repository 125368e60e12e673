"""Python that runs on the manager with what all of them share."""

from __future__ import annotations

import re

from .configuration import text

_SHARED = re.compile(r"^from \.kubectl import .*\n", re.MULTILINE)


def script(name: str) -> tuple[str, ...]:
    """The command line of a script of this room; it has nothing but the host's own Python."""
    own, times = _SHARED.subn("", text(name))
    assert times == 1, f"{name} does not use kubectl.py: it needs no script()"
    return ("python3", "-IS", "-c", text("kubectl.py") + own)
