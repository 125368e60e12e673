"""Moments and spans of time as people write them: ``30d``, ``12h``, ``2026-11-01``."""

from __future__ import annotations

import re
import time
from datetime import datetime

from ...errors import UsageError

_SECONDS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "y": 365 * 86400}


def lifetime(text: str) -> float | None:
    """Seconds of a span of time; None for ``never``.

    Raises
    ------
    UsageError
        It is none.
    """
    if text == "never":
        return None
    seconds = _span(text)
    if seconds is None:
        raise UsageError(f"{text!r} is no span of time", hint="30d, 12h, 1y or never")
    return seconds


def moment(text: str) -> float:
    """Seconds since the epoch of a moment, or of so long ago; 0 for no text.

    Raises
    ------
    UsageError
        It is neither.
    """
    if not text:
        return 0.0
    span = _span(text)
    if span is not None:
        return time.time() - span
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"{text!r} is no moment", hint="2026-11-01, 2026-11-01T14:30, or 7d for a week ago") from None


def _span(text: str) -> float | None:
    found = re.fullmatch(r"([1-9][0-9]{0,4})([mhdwy])", text)
    return int(found[1]) * _SECONDS[found[2]] if found else None
