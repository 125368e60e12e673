"""Lists that grow, a page at a time: a Link header (RFC 8288) leads to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import Response

from .answers import Answer, respond

Limit = Annotated[int, Query(ge=1, le=500, description="So many at most; a Link header leads to the next.")]


def page(http: Request, found: Sequence[Mapping[str, Any]], limit: int, after: str, key: str) -> Response:
    """A page of a list, or that it is still what the caller has.

    Parameters
    ----------
    found
        One more than ``limit``, where there are more.
    after
        The query parameter that says where the next page begins.
    key
        The field whose value it takes.
    """
    answered = respond(http, Answer.to(jsonable_encoder(found[:limit])))
    if len(found) > limit:
        answered.headers["Link"] = following(http, after, found[limit - 1][key])
    return answered


def following(http: Request, after: str, value: object) -> str:
    """What a Link header says of the next page, which begins after this value."""
    url = http.url.include_query_params(**{after: value})
    return f'<{url.path}?{url.query}>; rel="next"'
