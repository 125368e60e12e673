"""Has every artifact on the controller before a host is touched."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

from ...artifact import Artifact, LocalFile
from ...errors import BrambleError
from .store import Store, Stored
from .ways import way_of

#: Seconds between two looks whether another run is through with what it fetches.
LOOK = 0.5


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
            async with self._workshop(group[0]) as folder:
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

    @contextlib.asynccontextmanager
    async def _workshop(self, first: Artifact) -> AsyncIterator[Path]:
        """A folder to work in, for one run at a time: two that fetch the same would be in each other's way."""
        told = False
        while (lock := self._lock(first)) is None:
            if not told:
                told = True
                self._tell(first, "waits for another run that is fetching it")
            await asyncio.sleep(LOOK)
        folder = self._store.workshop(first)
        try:
            yield folder
        finally:
            _tidy(folder)
            os.close(lock)

    def _lock(self, first: Artifact) -> int | None:
        """The folder, open, for this run alone; None while another has it, or has just taken it away."""
        folder = self._store.workshop(first)
        with contextlib.suppress(FileNotFoundError):
            lock = os.open(folder, os.O_RDONLY)
            with contextlib.suppress(BlockingIOError, FileNotFoundError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(lock).st_ino == folder.stat().st_ino:
                    return lock
            os.close(lock)
        return None

    async def _bring(self, group: list[Artifact], folder: Path) -> dict[str, Stored]:
        first = group[0]
        try:
            files = await way_of(first.source).bring(group, folder, lambda text: self._tell(first, text))
            return {one.id: self._store.add(one, file) for one, file in zip(group, files, strict=True)}
        except BrambleError as error:
            raise BrambleError(f"{first.title}: {error.what}", why=error.why, hint=error.hint) from None


def _tidy(folder: Path) -> None:
    """Take a workshop away, unless a way left something there that it can go on with."""
    if not any(folder.rglob("*.part")):
        shutil.rmtree(folder, ignore_errors=True)
