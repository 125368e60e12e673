"""The kernel's command line: one line of words, of which some go and some come."""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import UsageError


def edited(text: str, *, drop: Iterable[str] = (), add: Iterable[str] = ()) -> str:
    """The command line with words added at its end, one line and its end.

    Parameters
    ----------
    text
        What ``cmdline.txt`` says now.
    drop
        How words begin that go: those that were put there before.
    add
        Words that come, unless they are there.

    Raises
    ------
    UsageError
        There is no command line in it.
    """
    lines = text.split("\n")
    words = lines[0].replace("\r", "").split(" ")
    prefixes = tuple(drop)
    kept = [word for word in words if word and not word.startswith(prefixes)]
    if not kept:
        raise UsageError("cmdline.txt on the boot partition is empty", hint="the image is broken")
    return " ".join([*kept, *(word for word in dict.fromkeys(add) if word not in kept)]) + "\n"
