"""How far something of the controller is, told on standard error."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..runner.events import Event


@contextlib.contextmanager
def telling(first: str) -> Iterator[Callable[[Event], None]]:
    """Tell by a line that is redrawn, of which nothing stays, or where nobody looks, by lines for what matters.

    Parameters
    ----------
    first
        What is said before anything is known.
    """
    from ..runner import events
    from . import lines
    from .terminal import console, lively, show

    if not lively(sys.stderr):

        def write(event: Event) -> None:
            text = lines.line(event, verbose=False)
            if text:
                sys.stderr.write(f"{text}\n")

        yield write
        return
    with console(sys.stderr).status(first) as status:

        def draw(event: Event) -> None:
            if isinstance(event, events.ArtifactProgress):
                status.update(f"{event.artifact}: {event.text}")
            elif isinstance(event, events.ImageProgress):
                status.update(f"{event.image}: {event.text}")
            elif isinstance(event, events.Note):
                show(status.console, f"note: {event.text}")

        yield draw
