"""Images onto cards and into files: many from one decompression, read back, and bootable only when all is well."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from ...errors import BrambleError
from ...runner.events import CardProgress
from .job import Finish, Job, Outcome, Source
from .target import Card, ImageFile, Target

__all__ = ["Card", "Finish", "ImageFile", "Outcome", "Source", "Target", "write"]


async def write(
    image: Source,
    targets: Sequence[Target],
    *,
    finish: Finish | None = None,
    sha256: str = "",
    tell: Callable[[CardProgress], None] = lambda _event: None,
) -> list[Outcome]:
    """Write an image to many targets at once. A target that fails does not stop the others.

    What a card begins with is cleared first and written last: a card that fails, is pulled out or is left in the
    middle by whatever end of the program starts nothing.

    Parameters
    ----------
    image
        What to write.
    targets
        Where to, each for another host.
    finish
        Called for each target, in a thread of its own, when the image is on it and was read back: it puts the host's
        own files there. A `BrambleError` or `OSError` that it raises is that target's failure.
    sha256
        Of the unpacked image, where its makers published it. Until it is known to be right, no card is finished.
    tell
        Takes events while this runs, in the event loop's thread.

    Returns
    -------
    list of Outcome
        One for each target, in the same order.

    Raises
    ------
    BrambleError
        The image is cut off, damaged, or not the one it should be: then no target is bootable.
    """
    if not targets:
        return []
    loop = asyncio.get_running_loop()

    def told(event: CardProgress) -> None:
        loop.call_soon_threadsafe(tell, event)

    job = Job(image, targets, finish=finish, sha256=sha256, tell=told)
    running = loop.run_in_executor(None, job.run)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        # A thread in the middle of a write ends after that write; then files are gone and disks let go.
        job.call_off()
        with contextlib.suppress(BrambleError):
            await asyncio.shield(running)
        raise
