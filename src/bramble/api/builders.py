"""Where an image is built: on this machine, on the manager, or on the host that was named."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from ..connection import Connection, Settings, connect
from ..engine.images import Builder, read
from ..engine.session import start
from ..errors import BrambleError, PlanError
from ..model import Host, Reference
from ..runner import events
from ..runner.building import PLATFORMS
from .job import Job
from .reach import Reach, settings

#: What this machine is called where a connection to it wants a name.
HERE = "this machine"


async def build_for(
    at_work: Job,
    reach: Reach,
    architectures: list[str],
    folder: Path,
    recipe: str,
    reference: Reference,
    arguments: Mapping[str, str],
    on: str,
    fresh: bool,
    work: Path,
) -> AsyncIterator[tuple[str, Path]]:
    """Build an image for each architecture; the archives come as they are ready, in ``work``.

    Raises
    ------
    BrambleError
        Nothing to build with, or the builder failed.
    PlanError
        Images are not built for one of the architectures.
    """
    for architecture in architectures:
        if architecture not in PLATFORMS:
            raise PlanError(f"no images are built for {architecture}", hint=f"only for {', '.join(PLATFORMS)}")
    connections: list[Connection] = []
    try:
        builder = await _builder(at_work, reach, on, connections)
        for architecture in architectures:
            out = work / f"{architecture}.tar"

            def tell(text: str, architecture: str = architecture) -> None:
                at_work.emit(events.ArtifactProgress(artifact=f"{reference} ({architecture})", text=text))

            tell(f"builds with {builder.program} on {builder.host or HERE}")
            name = f"{architecture}/{reference.path}:{reference.tag}"
            for anew in (fresh, True):
                await builder.build(folder, recipe, name, architecture, arguments, out, fresh=anew, tell=tell)
                if _architecture(out, work) == architecture:
                    break
                # buildah takes steps of an earlier build for another architecture for its own where nothing is below
                # them (`FROM scratch`).
                tell("what an earlier build left is for another architecture: begins anew")
            else:
                raise BrambleError(
                    f"the image that was built is for {_architecture(out, work)}, and {architecture} is wanted",
                    hint=f"see what its FROM line names: there may be none for {architecture}",
                )
            yield architecture, out
    finally:
        for connection in connections:
            await connection.close()


def _architecture(archive: Path, work: Path) -> str:
    with read(archive, work) as found:
        return found[0].architecture


async def _builder(at_work: Job, reach: Reach, on: str, connections: list[Connection]) -> Builder:
    """Somebody who can build; this machine first, unless a host was named."""
    manager = at_work.cluster.manager
    for host in (on,) if on else ("", manager):
        here = Settings(local=frozenset([HERE]))
        connection = (
            await connect(at_work.cluster.host(host), settings(reach)) if host else await connect(Host(name=HERE), here)
        )
        connections.append(connection)

        async def opened(connection: Connection = connection, host: str = host) -> object:
            # Here as the person who runs it, there as root.
            channel, _ = await start(
                connection, "building", sudo=bool(host), password=reach.get("sudo_password") if host else None
            )
            return channel

        builder = Builder(host, opened)
        if await builder.look():
            return builder
    if on:
        what = f"there is nothing to build images with on {on}"
        raise BrambleError(what, hint=f"bramble run --hosts {on} --sudo -- apt-get install --yes buildah")
    raise BrambleError(
        f"there is nothing to build images with: no buildah, podman or docker, neither here nor on {manager}",
        hint="sudo apt-get install buildah; or name a host that has it: --on HOST",
    )
