"""Scripts of this room, with what they share: a host gets each as one text."""

from __future__ import annotations

import re

from .configuration import text

#: How a script says that it wants what is shared: in Python and in the shell's own words.
_SHARED = re.compile(r"^from \.kubectl import .*\n", re.MULTILINE)
_SOURCED = ". ./kubectl.sh\n"


def script(name: str) -> tuple[str, ...]:
    """The command line of a script of this room; it has nothing but the host's own Python."""
    own, times = _SHARED.subn("", text(name))
    assert times == 1, f"{name} does not use kubectl.py: it needs no script()"
    return ("python3", "-IS", "-c", text("kubectl.py") + own)


def shell(name: str, *words: str) -> tuple[str, ...]:
    """The command line of a shell script of this room.

    Parameters
    ----------
    words
        Its own name, or the one of its ways that is wanted (``$0``), then its arguments.
    """
    return ("sh", "-c", text(name).replace(_SOURCED, text("kubectl.sh")), *words)
