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
    headers = {}
    if len(found) > limit:
        url = http.url.include_query_params(**{after: shown[-1][key]})
        headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
    return JSONResponse(jsonable_encoder(shown), headers=headers)
