"""Options of the images service: what `bramble images` records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ...errors import UsageError
from ...model import Reference

Digest = Annotated[str, Field(pattern=r"sha256:[0-9a-f]{64}")]


class Archive(BaseModel):
    """An image for one architecture."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str = Field(pattern=r"[0-9a-f]{64}", description="Of the archive that is brought to hosts.")
    size: int = Field(ge=0, description="Of the archive, bytes.")
    manifest: Digest = Field(description="Digest by which containerd knows the image.")
    image: Digest = Field(description="Digest by which Docker knows the image.")


class Config(BaseModel):
    """Which images there are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    images: Mapping[str, Mapping[str, Archive]] = Field(
        default={},
        description="Each image's name with its version, and below that its archive for each architecture. "
        "`bramble images` writes this; the archives themselves are kept on the controller.",
    )

    @field_validator("images")
    @classmethod
    def _names(cls, images: Mapping[str, Mapping[str, Archive]]) -> Mapping[str, Mapping[str, Archive]]:
        for name in images:
            try:
                Reference.parse(name)
            except UsageError as error:
                raise ValueError(error.what) from None
        return images
