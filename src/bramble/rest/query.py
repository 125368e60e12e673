"""Refuses what a route does not know in its query: a misspelt filter would show what nobody asked for."""

from __future__ import annotations

import difflib

from fastapi import Request

from .description import query_of
from .problem import Refused


async def only_known(request: Request) -> None:
    """A dependency of routes: the query has no other parameters than the description says.

    Raises
    ------
    Refused
        It has.
    """
    known = query_of(request.app).get(request.scope["route"].operation_id) if request.query_params else None
    if known is None:
        return
    for name in request.query_params:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            there = f"there are: {', '.join(known)}" if known else "there are none"
            raise Refused(
                422, f"there is no parameter {name!r} here", hint=f"did you mean {close[0]!r}?" if close else there
            )
