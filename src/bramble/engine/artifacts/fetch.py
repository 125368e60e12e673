"""Has every artifact on the controller before a host is touched."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable

from ...artifact import Artifact
from ...errors import BrambleError
from . import golang
from .store import Store, Stored


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
        """All of these, by their ids.

        Raises
        ------
        BrambleError
            One cannot be had, or is not what it must be.
        """
        found = {}
        missing: dict[object, list[Artifact]] = {}
        for artifact in artifacts:
            stored = self._store.find(artifact)
            if stored is not None:
                found[artifact.id] = stored
            else:
                # Programs of one module share most of their parts, so they are built in one go.
                source = artifact.source
                alike = (source.files, source.variables, source.static_c, artifact.architecture)
                missing.setdefault(alike, []).append(artifact)
        for group in missing.values():
            found.update(await self._build(group))
        return found

    async def _build(self, group: list[Artifact]) -> dict[str, Stored]:
        first = group[0]
        folder = self._store.workshop(first)
        try:
            files = await golang.build(group, folder, lambda text: self._tell(first, text))
            return {one.id: self._store.add(one, file) for one, file in zip(group, files, strict=True)}
        except BrambleError as error:
            raise BrambleError(f"{first.title}: {error.what}", why=error.why, hint=error.hint) from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)
