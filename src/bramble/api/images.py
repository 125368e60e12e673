"""Verbs about images of the user's own: built or loaded here, and brought to hosts without a registry."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

from .. import inventory, services
from ..engine.images import read
from ..engine.images.context import recipe
from ..engine.report import Report
from ..errors import UsageError
from ..model import Cluster, Reference
from ..runner.facts import Facts
from ..services.images.config import Archive
from ..services.images.plan import artifact
from .builders import build_for
from .change import bring_up, remove
from .image_archives import Brought, read_all, require_use, workshop, written
from .image_record import SERVICE, as_options, recorded, tidy
from .job import Job
from .needs import wanted_by, with_needs
from .reach import Reach, job, resolve
from .verify import prove


async def images_build(
    folder: str,
    *,
    tag: str,
    file: str = "",
    arguments: Mapping[str, str] | None = None,
    on: str = "",
    fresh: bool = False,
    verify: bool = True,
    **reach: Unpack[Reach],
) -> Report:
    """Build an image for every architecture that the hosts have, and bring it to them.

    It is built on this machine where that has buildah, podman or docker; else on the manager.

    Parameters
    ----------
    folder
        What it is built from.
    tag
        Its name with its version: ``app:1``.
    file
        The Containerfile; by default ``Containerfile`` or ``Dockerfile`` in the folder.
    arguments
        For its ``ARG`` lines.
    on
        Build on this host of the cluster.
    fresh
        Use nothing of an earlier build.
    verify
        Prove at the end that each host has it whole.

    Raises
    ------
    UsageError
        No such folder, no Containerfile, a name that is none.
    BrambleError
        Nothing to build with; or the builder failed, with the end of what it said.
    """
    reference = Reference.parse(tag)
    source, text = recipe(Path(folder), file)
    cluster = _cluster(reach)
    if on and on not in cluster.hostset:
        raise UsageError(f"{on} is not in the cluster {cluster.name}", hint=f"its hosts are {cluster.hostset}")
    words = [f"--tag={tag}", *(f"--build-arg={name}={value}" for name, value in (arguments or {}).items())]
    words += [f"--{name}={value}" for name, value in (("file", file), ("on", on)) if value]
    at_work = job("deploy", cluster, reach, SERVICE, ("images", "build", folder, *words))
    with workshop() as work:

        async def built(facts: Mapping[str, Facts]) -> Brought:
            wanted = sorted({facts[host].architecture for host in cluster.hostset if host in facts})
            found: dict[str, tuple[Archive, Path]] = {}
            async for architecture, path in build_for(
                at_work, reach, wanted, source, text, reference, arguments or {}, on, fresh, work
            ):
                with read(path, work) as images:
                    found[architecture] = await asyncio.to_thread(written, images[0], reference, work)
                path.unlink()
            return {str(reference): found}

        return await _bring(at_work, cluster, built, replace=True, verify=verify)


async def images_load(
    files: Sequence[str],
    *,
    tag: str = "",
    dry_run: bool = False,
    verify: bool = True,
    **reach: Unpack[Reach],
) -> Report:
    """Bring images out of archives to hosts: what ``docker save``, ``podman save`` and ``buildah push`` write.

    Parameters
    ----------
    files
        Archives, perhaps compressed; ``-`` is standard input. Those of one image for several architectures belong
        together under its name.
    tag
        Name and version; by default what the archive says.
    dry_run, verify
        As in `deploy`.

    Raises
    ------
    UsageError
        A file is no archive of an image, or damaged; it says no name, or one that is none.
    PlanError
        The image is for an architecture that none of these hosts has.
    """
    cluster = _cluster(reach)
    words = [*files, *((f"--tag={tag}",) if tag else ())]
    at_work = job("deploy", cluster, reach, SERVICE, ("images", "load", *words))
    at_work.dry = dry_run
    with workshop() as work:
        brought = await asyncio.to_thread(read_all, files, tag, work)

        async def loaded(facts: Mapping[str, Facts]) -> Brought:
            for name, archives in brought.items():
                require_use(name, archives, cluster, facts)
            return brought

        return await _bring(at_work, cluster, loaded, replace=False, verify=verify)


async def images_remove(names: Sequence[str], *, dry_run: bool = False, **reach: Unpack[Reach]) -> Report:
    """Take images off all hosts that have them. Containers that run go on; new ones cannot start.

    With the last image goes what was there for images alone.

    Raises
    ------
    UsageError
        There is no image of one of these names; a near miss is named.
    """
    cluster = _cluster(reach)
    known = recorded(cluster)
    gone = [str(Reference.parse(name)) for name in names]
    for name in gone:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            there = f"there are: {', '.join(known)}" if known else "there are none: bramble images list"
            raise UsageError(
                f"there is no image {name} on the cluster {cluster.name}",
                hint=f"did you mean {close[0]!r}?" if close else there,
            )
    left = {name: archives for name, archives in known.items() if name not in gone}
    if not left:
        report = await remove(SERVICE, dry_run=dry_run, **reach)
        if not dry_run:
            tidy(known)
        return report
    at_work = job("deploy", cluster, reach, SERVICE, ("images", "remove", *names))
    at_work.dry = dry_run

    async def work() -> None:
        await at_work.run.connect(lock=not dry_run)
        facts = await at_work.facts(wanted_by(with_needs(SERVICE)))
        await bring_up(at_work, services.get(SERVICE), cluster, as_options(left), facts)

    report = await at_work.do(work)
    if not dry_run:
        tidy(known)
    return report


def _cluster(reach: Reach) -> Cluster:
    return inventory.of_service(resolve(reach), SERVICE, given=bool(reach.get("hosts")))


async def _bring(at_work: Job, cluster: Cluster, had: Any, *, replace: bool, verify: bool) -> Report:
    """Bring what ``had(facts)`` has to the hosts, beside what is recorded.

    Parameters
    ----------
    replace
        An image of the same name goes with all its architectures; else those that do not come now stay.
    """
    room = services.get(SERVICE)
    before = recorded(cluster)

    async def work() -> None:
        await at_work.run.connect(lock=not at_work.dry)
        facts = await at_work.facts(wanted_by(with_needs(SERVICE)))
        brought: Brought = {}

        async def have() -> None:
            brought.update(await had(facts))
            for name, archives in brought.items() if not at_work.dry else ():
                for architecture, (archive, path) in archives.items():
                    await asyncio.to_thread(at_work.artifacts.add, artifact(name, architecture, archive), path)

        await at_work.run.here(have())
        after = dict(before)
        for name, archives in brought.items():
            _tell_meaning(at_work, name, known=name in before)
            new = {architecture: archive for architecture, (archive, _) in archives.items()}
            after[name] = new if replace else {**before.get(name, {}), **new}
        await bring_up(at_work, room, cluster, as_options(after), facts)
        if verify and not at_work.dry:
            await prove(at_work, room, cluster, services.configure(room, as_options(after)), facts)

    report = await at_work.do(work)
    if not at_work.dry:
        tidy(before)
    return report


def _tell_meaning(at_work: Job, name: str, *, known: bool) -> None:
    """What nobody should be surprised by later."""
    reference = Reference.parse(name)
    if not known and reference.registry != "localhost":
        at_work.note(f"{name} is {reference.whole} on these hosts: they take it from here, and ask no registry for it")
    if reference.tag == "latest":
        at_work.note(f"{name}: Kubernetes asks a registry for :latest, unless a pod says imagePullPolicy: IfNotPresent")
