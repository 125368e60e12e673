"""What runs containers on a host, as far as its images go: containerd, as Kubernetes uses it, and Docker."""

from __future__ import annotations

from typing import Optional, Protocol

from ..step import StepError
from ..system import System

#: Where Kubernetes looks for images.
NAMESPACE = "k8s.io"

#: Mark of images that kubelet does not clear away when the disk is full: no registry could bring them back. containerd
#: 1.7 and later knows it (https://github.com/containerd/containerd/pull/6456).
PINNED = "io.cri-containerd.pinned=pinned"

#: Seconds to look, and to clear away what is large on a slow card.
_LOOK, _CLEAR = 60, 600


class Engine(Protocol):
    """One of them."""

    program: str

    def found(self, system: System, name: str) -> "Optional[tuple[str, bool]]":
        """The digest of what has this name, empty for nothing, and whether all of it is there; None: no answer."""

    def take_in(self, system: System, name: str, file: str) -> None:
        """Have the image of an archive under its name, in place of another one.

        Raises
        ------
        StepError
            Then nothing of it stays.
        """

    def remove(self, system: System, name: str) -> None:
        """Take it away. Containers that run go on: they have files of their own."""


class Containerd:
    """containerd, by its own client. An image's digest is that of its manifest."""

    program = "ctr"

    def found(self, system: System, name: str) -> "Optional[tuple[str, bool]]":
        """As `Engine.found`."""
        listed = system.run(ctr("check", f"name=={name}"), timeout=_LOOK)
        if listed.status != 0:
            return None
        for words in map(str.split, listed.stdout.splitlines()):
            # REF TYPE DIGEST STATUS SIZE UNPACKED; of another processor's, nothing but the first three
            if words and words[0] == name:
                return words[2], "complete" in words and words[-1] == "true"
        return "", False

    def take_in(self, system: System, name: str, file: str) -> None:
        """As `Engine.take_in`."""
        # containerd clears away what no image needs at any time, also between the moment when the name means the new
        # image and that when its files are laid out: the layers that both share would be gone just then.
        before = f"bramble.invalid/before/{name}"
        system.run(ctr("tag", "--force", name, before), timeout=_LOOK)
        try:
            system.must(ctr("import", file), f"the image {name} cannot be taken in")
        except StepError:
            self.remove(system, name)
            raise
        finally:
            self.remove(system, before)
        system.must(ctr("label", name, PINNED))

    def remove(self, system: System, name: str) -> None:
        """As `Engine.remove`."""
        meant = _images(system).get(name, "")
        system.run(ctr("remove", "--sync", name), timeout=_CLEAR)
        # What Kubernetes may use, containerd itself also calls by its digest, and so keeps it for ever.
        same = [other for other, digest in _images(system).items() if digest == meant]
        if same and all(other.startswith("sha256:") for other in same):
            system.run(ctr("remove", "--sync", *same), timeout=_CLEAR)


class Docker:
    """Docker Engine. An image's digest is that of its configuration."""

    program = "docker"

    def found(self, system: System, name: str) -> "Optional[tuple[str, bool]]":
        """As `Engine.found`."""
        listed = system.run(["docker", "image", "ls", "--no-trunc", "--quiet", short(name)], timeout=_LOOK)
        return (listed.stdout.strip(), True) if listed.status == 0 else None

    def take_in(self, system: System, name: str, file: str) -> None:
        """As `Engine.take_in`."""
        before, _ = self.found(system, name) or ("", True)
        system.must(["docker", "load", "--quiet", "--input", file], f"the image {name} cannot be taken in")
        now, _ = self.found(system, name) or ("", True)
        if before and before != now:
            system.run(["docker", "image", "rm", before], timeout=_CLEAR)  # stays where a container needs it

    def remove(self, system: System, name: str) -> None:
        """As `Engine.remove`."""
        system.must(["docker", "image", "rm", "--force", name], f"the image {name} cannot be taken away")


#: By name.
ENGINES: "dict[str, Engine]" = {"containerd": Containerd(), "docker": Docker()}


def short(name: str) -> str:
    """A name as people write it, and Docker lists it: without what it means when it says no registry."""
    return name.removeprefix("docker.io/").removeprefix("library/")


def ctr(*words: str) -> "list[str]":
    """The words of a command about containerd's images."""
    return ["ctr", "--namespace", NAMESPACE, "images", *words]


def _images(system: System) -> "dict[str, str]":
    """Name → digest of all images of containerd's."""
    listed = system.run(ctr("list"), timeout=_LOOK).stdout
    return {words[0]: words[2] for words in map(str.split, listed.splitlines()[1:]) if len(words) > 2}
