"""Options of the Java service."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Config(BaseModel):
    """None: the release decides which Java there is."""

    model_config = ConfigDict(extra="forbid", frozen=True)
