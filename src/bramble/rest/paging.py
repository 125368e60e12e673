"""Lists that grow, a page at a time: a Link header (RFC 8288) leads to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

Limit = Annotated[int, Query(ge=1, le=500, description="So many at most; a Link header leads to the next.")]


def page(http: Request, found: Sequence[Mapping[str, Any]], limit: int, after: str, key: str) -> JSONResponse:
    """A page of a list.

    Parameters
    ----------
    found
        One more than ``limit``, where there are more.
    after
        The query parameter that says where the next page begins.
    key
        The field whose value it takes.
    """
    shown = found[:limit]
    headers = {"Link": following(http, after, shown[-1][key])} if len(found) > limit else {}
    return JSONResponse(jsonable_encoder(shown), headers=headers)


def following(http: Request, after: str, value: object) -> str:
    """What a Link header says of the next page, which begins after this value."""
    url = http.url.include_query_params(**{after: value})
    return f'<{url.path}?{url.query}>; rel="next"'
