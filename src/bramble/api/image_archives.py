"""Archives of images that a person has, made into those that hosts get."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from .. import inventory
from ..engine.artifacts.store import digest
from ..engine.images import Found, read
from ..errors import PlanError, UsageError
from ..model import Cluster, HostSet, Reference
from ..runner.facts import Facts
from ..services.images.config import Archive

#: Name → architecture → what is to be brought, and the file it is in until it is taken into the store.
Brought = dict[str, dict[str, tuple[Archive, Path]]]


@contextmanager
def workshop() -> Iterator[Path]:
    """A folder on the disk of the store, into which files are moved from there."""
    place = inventory.folders.cache()
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="images-", dir=place) as folder:
        yield Path(folder)


def require_use(name: str, archives: Iterable[str], cluster: Cluster, facts: Mapping[str, Facts]) -> None:
    """Refuse an image that none of these hosts could run.

    Raises
    ------
    PlanError
    """
    there = {facts[host].architecture for host in cluster.hostset if host in facts}
    if there and not there & set(archives):
        kinds = ", ".join(sorted(there))
        platform = f"linux/{sorted(there)[0]}"
        raise PlanError(
            f"{name} is for {', '.join(sorted(archives))}, and {HostSet(cluster.hostset)} is {kinds}",
            hint=f"build it for them: bramble images build FOLDER --tag {name}; or docker build --platform {platform}",
        )


def read_all(files: Sequence[str], tag: str, work: Path) -> Brought:
    """All images of these files, each under the name that it has or, with ``tag``, gets; ``-`` is standard input.

    Raises
    ------
    UsageError
        A file is no archive of an image, or does not say its name; or two would have one name and architecture.
    """
    brought: Brought = {}
    for file in files:
        source = sys.stdin.buffer if file == "-" else Path(file)
        with read(source, work) as found:
            for image in found:
                for name in _names(image, tag, file):
                    reference = Reference.parse(name)
                    kinds = brought.setdefault(str(reference), {})
                    if image.architecture in kinds:
                        raise UsageError(
                            f"there is more than one image for {image.architecture} that would be {reference}",
                            hint="load them one by one, each with its own --tag",
                        )
                    kinds[image.architecture] = written(image, reference, work)
    return brought


def _names(image: Found, tag: str, file: str) -> tuple[str, ...]:
    if not tag and not image.names:
        raise UsageError(
            f"{file} does not say what its image is called", hint=f"bramble images load {file} --tag app:1"
        )
    # podman and buildah call so what they built; hosts would not find it by the name that the person gave.
    return (tag,) if tag else tuple(name.removeprefix("localhost/") for name in image.names)


def written(image: Found, reference: Reference, work: Path) -> tuple[Archive, Path]:
    """The archive of an image as hosts get it, in ``work``."""
    with tempfile.NamedTemporaryFile(dir=work, suffix=".image", delete=False) as new:
        path = Path(new.name)
    image.write(reference, path)
    archive = Archive(sha256=digest(path), size=path.stat().st_size, manifest=image.digest, image=image.image)
    return archive, path
