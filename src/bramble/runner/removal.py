"""Putting back what a service did to this host, from its journal."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Callable

from . import wire
from .journal import Entry, Journal
from .system import System


class Removal:
    """The removal of a service, or of those resources that its plan no longer wants.

    An entry leaves the journal when all that its undo asked for is done. So a removal that is cut at any point, also
    between the last undo and what is to run again then, is made up for by the next one: every undo can be repeated.

    Parameters
    ----------
    service
        Whose entries are put back.
    wanted
        Resources that stay: they are still in the plan.
    """

    def __init__(self, system: System, journal: Journal, service: str, wanted: "Collection[str]" = ()) -> None:
        self._system = system
        self._journal = journal
        self._service = service
        self._entries = [entry for entry in journal.entries_of(service) if entry.resource not in wanted]
        self._owed: list[str] = []
        self._afterwards: dict[str, Callable[[System], None]] = {}

    def batches(self) -> "Iterator[list[Entry]]":
        """Entries of one application of a step, together (apt removes in one transaction, too), latest first."""
        batch: list[Entry] = []
        for entry in self._entries:
            if batch and (entry.place != batch[0].place or entry.step["type"] != batch[0].step["type"]):
                yield batch
                batch = []
            batch.append(entry)
        if batch:
            yield batch

    def put_back(self, batch: "list[Entry]", dry: bool) -> "tuple[str, str]":
        """Put back what one application of a step did, or only say so; returns outcome and summary."""
        shared = {e.resource: self._journal.others(e.service, e.resource) for e in batch}
        mine = [e for e in batch if e.touched and not shared[e.resource]]
        heirs = sorted({other.service for others in shared.values() for other in others})
        kept = f"{', '.join(heirs)} still needs it" if heirs else ""
        if dry:
            return ("would-change", "put back") if mine else ("unchanged", kept or "was there before bramble")
        reason = None
        self._system.afterwards.clear()
        if mine:
            reason = wire.decode(mine[0].step).undo(self._system, {e.resource: e.record for e in mine})
        for entry in batch:
            if shared[entry.resource]:
                self._journal.hand_over(entry, shared[entry.resource][0])
        done = [e.resource for e in batch if not shared[e.resource]]
        if self._system.afterwards:
            self._afterwards.update(self._system.afterwards)
            self._owed += done
        else:
            self._journal.drop(self._service, done)
        if reason or (heirs and not mine):
            return "kept", reason or kept
        return ("undone", kept) if mine else ("unchanged", "was there before bramble")

    def finish(self) -> bool:
        """Do what undos asked for once all of them were through, and forget the last entries."""
        for work in self._afterwards.values():
            work(self._system)
        self._journal.drop(self._service, self._owed)
        self._journal.close()
        return True
