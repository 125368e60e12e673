"""Names of images, as docker, podman and Kubernetes read them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from ..errors import UsageError

#: What a name means that says no registry.
DOCKER = "docker.io"

#: Names of images that bramble makes itself; no registry has them.
OWN = "bramble.invalid"

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(
    rf"(?:(?P<registry>[A-Za-z0-9.-]+(?::[0-9]+)?)/)?(?P<path>{_PART}(?:/{_PART})*):(?P<tag>\w[\w.-]{{0,127}})"
)


@dataclass(frozen=True)
class Reference:
    """The name of an image.

    Attributes
    ----------
    registry
        ``docker.io`` where the name says none.
    path
        In the registry: ``library/app``.
    tag
        Its version: ``1``.
    """

    registry: str
    path: str
    tag: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """The name that a person gave.

        Raises
        ------
        UsageError
            It is none, has no tag, or is one of bramble's own.
        """
        if "@" in text:
            raise UsageError(f"{text!r} names an image by its digest", hint="give it a name and a version: app:1")
        first, slash, rest = text.partition("/")
        registry = first if slash and ("." in first or ":" in first or first == "localhost") else ""
        path = rest if registry else text
        if path and ":" not in path:
            raise UsageError(
                f"{text!r} has no version",
                why="without one it means :latest, for which Kubernetes asks a registry each time",
                hint=f"give it one: {text}:1",
            )
        match = _NAME.fullmatch(text)
        if match is None:
            raise UsageError(
                f"{text!r} is no name of an image",
                hint="small letters, digits and . _ - in parts with / between them, then a version: app:1, me/app:1.2",
            )
        if registry == OWN:
            raise UsageError(f"{text!r}: names below {OWN} are bramble's own", hint="give it another: --tag app:1")
        path, _, tag = path.rpartition(":")
        if not registry or registry in ("index.docker.io", "registry-1.docker.io"):
            registry = DOCKER
        if registry == DOCKER and "/" not in path:
            path = f"library/{path}"
        return cls(registry, path, tag)

    @property
    def whole(self) -> str:
        """As containerd and Kubernetes know it: ``docker.io/library/app:1``."""
        return f"{self.registry}/{self.path}:{self.tag}"

    def __str__(self) -> str:
        """As people write it: ``app:1``."""
        if self.registry == DOCKER:
            return f"{self.path.removeprefix('library/')}:{self.tag}"
        return self.whole
