"""Many hosts at once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

from ..errors import BrambleError


async def together(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do all at once. What is wrong for all hosts, such as an ssh configuration that cannot be read, is raised once."""
    try:
        async with asyncio.TaskGroup() as tasks:
            for one in work:
                tasks.create_task(one)
    except BaseExceptionGroup as group:
        ours = group.subgroup(BrambleError)
        if ours is None:
            raise
        first: BaseException = ours
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None
