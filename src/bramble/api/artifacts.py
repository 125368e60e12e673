"""Verbs about what was built or fetched for services, and is kept on the controller."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from .. import inventory
from ..artifact import ARCHITECTURES, Artifact
from ..engine.artifacts import Fetcher, Stored, bundle
from ..errors import UsageError
from ..runner import events
from .job import OnEvent
from .kept import architectures_of, kept, needed, wanted
from .needs import with_needs

#: What 64-bit Raspberry Pi OS is, for hosts that are not known yet.
USUAL = "arm64"


@dataclass(frozen=True, kw_only=True)
class KeptArtifact(Stored):
    """An artifact that is here, and the deployed services that want it: ``kubernetes on red``."""

    wanted_by: tuple[str, ...] = ()


async def artifacts_list() -> tuple[KeptArtifact, ...]:
    """All that is kept, by name. Deploying a service needs none of it made or fetched again."""
    wanting, notes = wanted(), kept().all()
    return tuple(KeptArtifact(**asdict(one), wanted_by=tuple(wanting.get(key, ()))) for key, one in notes.items())


async def artifacts_fetch(
    services: Iterable[str],
    *,
    options: Mapping[str, object] | None = None,
    architectures: Iterable[str] = (),
    cluster: str = "",
    on_event: OnEvent | None = None,
) -> tuple[Stored, ...]:
    """Have everything here that services bring to hosts, so that deploying them needs no network but the hosts' own.

    Parameters
    ----------
    services
        Their names; what they need comes along.
    options
        Of the service, where only one is named; besides those that the cluster's file records.
    architectures
        Of the hosts, in Debian's words. Left out, they are what the hosts of the cluster were when they last
        answered, or else arm64.
    cluster
        Which cluster it is for; left out, the only one that there is.
    on_event
        Takes what is going on.

    Raises
    ------
    UsageError
        A mistake in what was asked.
    BrambleError
        Something cannot be had.
    """
    names = tuple(services)
    if options and len(names) != 1:
        raise UsageError("options belong to one service", hint="fetch for them one by one, each with its options")
    asked = tuple(architectures)
    for name in asked:
        if name not in ARCHITECTURES:
            raise UsageError(f"there is no architecture {name!r}", hint=f"there are: {', '.join(ARCHITECTURES)}")
    there = inventory.names()
    meant = inventory.load(cluster or there[0]) if cluster or len(there) == 1 else None
    found: dict[str, Artifact] = {}
    for name in names:
        known = architectures_of(meant, name, unknown=()) if meant else ()
        found |= {one.id: one for one in needed(name, options or {}, asked or known or (USUAL,), meant)}

    def tell(artifact: Artifact, text: str) -> None:
        if on_event is not None:
            on_event(events.ArtifactProgress(artifact=artifact.title, text=text))

    return tuple((await Fetcher(kept(), tell).fetch(found.values())).values())


async def artifacts_export(file: str, services: Iterable[str] = ()) -> tuple[Stored, ...]:
    """Write what is kept into one file, for a controller without a network.

    Parameters
    ----------
    file
        Path of the file, a plain tar. It must not be there yet.
    services
        Only what belongs to these, and to what they need.

    Raises
    ------
    UsageError
        Nothing of that is kept, or the file cannot be written.
    """
    of = {room.name for name in services for room in with_needs(name)}
    notes = {key: one for key, one in kept().all().items() if not of or one.name.partition("/")[0] in of}
    if not notes:
        what = f"nothing of {', '.join(sorted(of))} is kept here" if of else "nothing is kept here"
        raise UsageError(what, hint="have it first: bramble artifacts fetch SERVICE")
    await asyncio.to_thread(bundle.export, kept(), notes, Path(file))
    return tuple(notes.values())


async def artifacts_import(file: str) -> tuple[Stored, ...]:
    """Take in what `artifacts_export` wrote: all of it, or where anything about it is odd, nothing.

    Hashes show that it is what was written, not who wrote it: programs in it will run as root on hosts.

    Raises
    ------
    UsageError
        There is no such file, or it is of another kind.
    BrambleError
        It was damaged or changed.
    """
    return tuple((await asyncio.to_thread(bundle.take_in, kept(), Path(file))).values())


async def artifacts_clean(*, unused: bool = False) -> int:
    """Take all of it away; a deployment that needs it has it made or fetched again.

    Parameters
    ----------
    unused
        Only what no deployed service wants. What the user gave stays, since nobody else can bring it.

    Returns
    -------
    int
        Bytes that are free by that.
    """
    keep = {*wanted(), *(key for key, one in kept().all().items() if one.source == "given")} if unused else ()
    return kept().clean(keep)
