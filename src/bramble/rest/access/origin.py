"""Refuses what another website asks a browser to do here: browsers say where a request comes from."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

#: Methods that change nothing, so that a link from anywhere may use them.
SAFE = {"GET", "HEAD", "OPTIONS"}


def foreign(method: str, headers: Mapping[str, str]) -> bool:
    """Whether another site makes this request by a browser that is logged in here.

    What says who asks by a token needs no such care: a browser adds a token to nothing by itself.

    Parameters
    ----------
    headers
        Those of the request, by their names in small letters.
    """
    if method in SAFE or "authorization" in headers:
        return False
    # Fetch Metadata: no page can forge it. "none" is the person, who typed the address or took a bookmark.
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    # Browsers from before 2023. What sends neither is no browser, and has only the cookies that somebody gave it.
    origin = headers.get("origin")
    return origin is not None and not _same(origin, headers.get("host", ""))


def _same(origin: str, host: str) -> bool:
    try:
        ours, theirs = urlsplit(f"https://{host}"), urlsplit(origin)
        return theirs.scheme == "https" and (theirs.hostname, theirs.port or 443) == (ours.hostname, ours.port or 443)
    except ValueError:
        return False
