"""An image out of an archive, in the store of the host's containerd or Docker."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Optional

from ..step import Answer, Change, Record, Step, StepError, Unknown, step
from ..system import System
from ..transfer import require_arrived
from .engines import ENGINES, Engine, short


@step
class ImageArchive(Step):
    """An image that was brought as an archive, under its name.

    An image of the same name that bramble did not bring is never replaced.

    Parameters
    ----------
    artifact
        Name of the artifact in the plan: the archive, an OCI layout with Docker's list of contents.
    name
        Of the image, with registry and tag: ``docker.io/library/app:1``.
    digest
        By which the engine knows its content: for containerd of the image's manifest, for Docker of its configuration.
    engine
        ``containerd`` or ``docker``.
    sha256, size
        Of the archive.
    """

    artifact: str
    name: str
    digest: str
    engine: str = "containerd"
    sha256: str = ""
    size: int = 0

    @property
    def _resource(self) -> str:
        return f"Image {self.name} in {self.engine}"

    @property
    def _engine(self) -> Engine:
        return ENGINES[self.engine]

    @property
    def title(self) -> str:
        return f"Image {short(self.name)}" + (" in Docker" if self.engine == "docker" else "")

    def resources(self) -> "tuple[str, ...]":
        return (self._resource,)

    def check(self, system: System) -> Answer:
        if not shutil.which(self._engine.program):
            return Unknown(f"{self.engine} is not there yet")
        now = self._engine.found(system, self.name)
        if now is None:
            return Unknown(f"{self.engine} does not answer")
        found, whole = now
        if not found:
            return Change("bring", {self._resource: None})
        if found == self.digest:
            return None if whole else Change("bring anew", {self._resource: None})
        if system.recorded.get(self._resource) != found:
            raise StepError(
                f"{self.name} is in {self.engine} already, and bramble did not bring it",
                why="it belongs to something else, which would get another image",
                hint="if nothing needs it, remove it there; or give yours another name: --tag",
            )
        return Change("replace", {self._resource: None})

    def apply(self, system: System, change: Change) -> None:
        brought = require_arrived(self.artifact, self.sha256)
        self._engine.take_in(system, self.name, brought)

    def fingerprint(self, system: System) -> Optional[str]:
        return self.digest

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        now = self._engine.found(system, self.name) if shutil.which(self._engine.program) else None
        if now is None or not now[0]:
            return None  # taken away by somebody, or the engine is gone with all it had
        if now[0] not in (self.digest, records[self._resource].after):
            return f"{self.name} is another image by now, so it stays as it is"
        self._engine.remove(system, self.name)
        return None
