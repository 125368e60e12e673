"""What a caller would rather have (RFC 7240): wait for the end of a job, or not wait for its hosts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Header

#: So many seconds a caller is kept waiting at most: what is between here and there may give up later than that.
LONGEST = 60.0

Prefer = Annotated[
    str,
    Header(
        description="``wait=N`` answers 200 with the job if it ends in so many seconds. ``handling=strict`` refuses"
        " with 409 what would have to wait for its hosts.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is preferred.

    Attributes
    ----------
    wait
        Seconds to wait for the end of the job.
    strict
        Whether to refuse a job that cannot begin now.
    applied
        Headers that say which of that is done.
    """

    wait: float = 0.0
    strict: bool = False

    @property
    def applied(self) -> dict[str, str]:
        words = [f"wait={self.wait:g}"] * bool(self.wait) + ["handling=strict"] * self.strict
        return {"Preference-Applied": ", ".join(words)} if words else {}


def wish(prefer: str) -> Wish:
    """The wish of a header; what is not understood is no wish, as the RFC has it."""
    words = [re.sub(r"\s|\"", "", word).lower() for word in re.split(r"[,;]", prefer)]
    waits = [float(word[5:]) for word in words if re.fullmatch(r"wait=[0-9]{1,6}", word)]
    return Wish(wait=min(waits[0], LONGEST) if waits else 0.0, strict="handling=strict" in words)
