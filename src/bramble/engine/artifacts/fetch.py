"""Has every artifact on the controller before a host is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from ...artifact import Artifact, LocalFile
from ...errors import BrambleError
from ..workshop import workshop
from .store import Store, Stored
from .ways import way_of


class Fetcher:
    """Brings what is not in the store yet.

    Parameters
    ----------
    store
        Where it is kept.
    tell
        Takes an artifact and how far it is.
    """

    def __init__(self, store: Store, tell: Callable[[Artifact, str], None]) -> None:
        self._store = store
        self._tell = tell

    async def fetch(self, artifacts: Iterable[Artifact]) -> dict[str, Stored]:
        """All of these, by their ids. Files of the user's own are left out: they are there, or cannot be had.

        Raises
        ------
        BrambleError
            One cannot be had, or is not what it must be.
        """
        asked = {artifact.id: artifact for artifact in artifacts}
        # Those of the user's own, too, must be what was kept.
        found, missing = self._look(asked.values())
        wanted = {id: one for id, one in asked.items() if not isinstance(one.source, LocalFile)}
        missing = [artifact for artifact in missing if artifact.id in wanted]
        groups: dict[object, list[Artifact]] = {}
        for artifact in missing:
            source = artifact.source
            groups.setdefault((type(source), way_of(source).alike(artifact)), []).append(artifact)
        for group in groups.values():
            first, folder = group[0], self._store.workshop(group[0])
            async with workshop(folder, partial(self._tell, first, "waits for another run that is fetching it")):
                brought, missing = self._look(group)  # by another run, while this one waited for it
                found |= brought
                if missing:
                    found |= await self._bring(missing, folder)
        return {id: found[id] for id in wanted}

    def _look(self, artifacts: Iterable[Artifact]) -> tuple[dict[str, Stored], list[Artifact]]:
        found, missing = {}, []
        for artifact in artifacts:
            stored = self._store.find(artifact)
            if stored is None:
                missing.append(artifact)
            else:
                self._store.require(artifact, stored)
                found[artifact.id] = stored
        return found, missing

    async def _bring(self, group: list[Artifact], folder: Path) -> dict[str, Stored]:
        first = group[0]
        try:
            files = await way_of(first.source).bring(group, folder, lambda text: self._tell(first, text))
            return {one.id: self._store.add(one, file) for one, file in zip(group, files, strict=True)}
        except BrambleError as error:
            raise BrambleError(f"{first.title}: {error.what}", why=error.why, hint=error.hint) from None
