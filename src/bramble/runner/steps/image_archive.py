"""An image out of an archive, in the store of the host's containerd or Docker."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from typing import Optional

from ..step import Answer, Change, Record, Step, StepError, Unknown, step
from ..system import System
from ..transfer import place
from .image import NAMESPACE

#: The engines that images are brought to, and the program that speaks to each.
PROGRAMS = {"containerd": "ctr", "docker": "docker"}

#: Mark of images that kubelet does not clear away when the disk is full: no registry could bring them back. containerd
#: 1.7 and later knows it (https://github.com/containerd/containerd/pull/6456).
PINNED = "io.cri-containerd.pinned=pinned"


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
    def title(self) -> str:
        short = self.name.removeprefix("docker.io/").removeprefix("library/")
        return f"Image {short}" + (" in Docker" if self.engine == "docker" else "")

    def resources(self) -> "tuple[str, ...]":
        return (self._resource,)

    def check(self, system: System) -> Answer:
        if not shutil.which(PROGRAMS[self.engine]):
            return Unknown(f"{self.engine} is not there yet")
        listed = self._listed(system)
        if listed is None:
            return Unknown(f"{self.engine} does not answer")
        found, whole = self._found(listed)
        if not found:
            return Change("bring", {self._resource: None})
        if found == self.digest and whole:
            return None
        if found != self.digest and system.recorded.get(self._resource) != found:
            raise StepError(
                f"{self.name} is in {self.engine} already, and bramble did not bring it",
                why="it belongs to something else, which would get another image",
                hint=f"if nothing needs it: sudo {' '.join(self._words('remove'))}; or take another name: --tag",
            )
        return Change("bring anew" if found == self.digest else "replace", {self._resource: None})

    def apply(self, system: System, change: Change) -> None:
        brought, words = place(self.sha256), self._words("import", place(self.sha256))
        if not os.path.exists(brought):
            raise StepError(f"{self.artifact} was not brought to this host", hint="run the same again")
        if self.engine == "containerd":
            # containerd clears away what no image needs at any time, also between the moment when the name means the
            # new image and that when its files are laid out: the layers that both share would be gone just then.
            system.run(_ctr("tag", "--force", self.name, self._before))
        try:
            system.must(words, f"the image {self.name} cannot be taken in")
        except StepError:
            # What is there by half fills the disk for nothing.
            system.run(self._words("remove"))
            raise
        finally:
            if self.engine == "containerd":
                system.run(_ctr("remove", self._before))
        if self.engine == "containerd":
            system.must(_ctr("label", self.name, PINNED))

    def fingerprint(self, system: System) -> Optional[str]:
        return self.digest

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        listed = self._listed(system) if shutil.which(PROGRAMS[self.engine]) else None
        if listed is None:
            return None  # the engine is gone, and its images with it
        found, _ = self._found(listed)
        if not found:
            return None
        if found not in (self.digest, records[self._resource].after):
            return f"{self.name} is another image by now, so it stays as it is"
        # Containers that run go on: they have files of their own.
        if self.engine == "containerd":
            system.run(_ctr("remove", self._before))  # of a run that was cut off
        system.must(self._words("remove"), f"the image {self.name} cannot be taken away")
        return None

    @property
    def _before(self) -> str:
        """What the image that is replaced is called meanwhile."""
        return f"bramble.invalid/before/{self.name}"

    def _listed(self, system: System) -> Optional[str]:
        output = system.run(self._words("list"), timeout=60)
        return output.stdout if output.status == 0 else None

    def _found(self, listed: str) -> "tuple[str, bool]":
        """The digest of what has this name now, empty for nothing; and whether all of it is there."""
        if self.engine == "docker":
            return listed.strip(), True
        for line in listed.splitlines():
            words = line.split()
            if words and words[0] == self.name:
                # REF TYPE DIGEST STATUS SIZE UNPACKED
                return words[2], words[3] == "complete" and words[-1] == "true"
        return "", False

    def _words(self, verb: str, file: str = "") -> "list[str]":
        if self.engine == "docker":
            verbs = {
                "list": ["image", "ls", "--no-trunc", "--quiet", self.name],
                "import": ["load", "--quiet", "--input", file],
                "remove": ["image", "rm", "--force", self.name],
            }
            return ["docker", *verbs[verb]]
        verbs = {
            "list": ["check", f"name=={self.name}"],
            "import": ["import", file],
            "remove": ["remove", "--sync", self.name],
        }
        return _ctr(*verbs[verb])


def _ctr(*words: str) -> "list[str]":
    return ["ctr", "--namespace", NAMESPACE, "images", *words]
