"""Cards of one image for the hosts of a cluster, from what is in the readers to what is known of each host."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .. import inventory
from ..connection import HostKey
from ..errors import BrambleError, CardRefused, UsageError
from ..model import Cluster, Customisation
from ..runner.events import CardProgress
from . import images, peek
from .blocks import Blocks
from .disks import Disk
from .host_key import fingerprint
from .images import Tell
from .init_format import InitFormat
from .personalise import compare, personalise
from .slots import Slot, look
from .unpack import Image, image_at
from .writing import Outcome, Target, write


@dataclass(frozen=True, kw_only=True)
class CardResult:
    """What will become, or became, of the card of one host.

    Attributes
    ----------
    host
        Its name.
    address
        ``10.1.1.1/24``, or ``dhcp``.
    device
        The card reader, or the file.
    state
        ``planned``, ``burned``, ``failed``; ``refused``: that disk is not written; ``waiting``: no card came for it.
    disk
        What is in the reader; None for a file, or where its turn has not come.
    refused
        Why that disk is not written, and what to do.
    size, seconds
        Bytes that were written, and how long that took.
    fingerprint
        Of the host key that the card has, and that bramble knows from now on.
    error
        What went wrong, as JSON.
    """

    host: str
    address: str
    device: str
    state: str
    disk: Disk | None = None
    refused: tuple[str, ...] = ()
    size: int = 0
    seconds: float = 0.0
    fingerprint: str = ""
    error: Mapping[str, str] = field(default_factory=dict, hash=False)


#: Asks for the next cards: called with what is in the readers, until nothing of it is refused. True: they are in, and
#: what is on them may be lost; False: no more come.
NextCards = Callable[[Sequence[CardResult]], Awaitable[bool]]


@dataclass(frozen=True)
class Chosen:
    """The image that is meant, and what is known of it."""

    image: images.Image | images.LocalImage
    title: str
    size: int
    sha256: str
    way: InitFormat | None

    @classmethod
    async def of(cls, text: str, told: Tell) -> Chosen:
        found = await images.resolve(text, told)
        if isinstance(found, images.LocalImage):
            packed = await asyncio.to_thread(image_at, found.path)
            way = await asyncio.to_thread(peek.init_format, packed)
            return cls(found, found.name, packed.size, "", way)
        return cls(found, found.title, found.extract_size, found.extract_sha256, found.init_format)


class Burning:
    """Cards of one image for the hosts of a cluster."""

    def __init__(
        self,
        cluster: Cluster,
        people: Mapping[str, Customisation],
        chosen: Chosen,
        force: tuple[str, ...],
        told: Tell,
    ) -> None:
        self._cluster, self._people, self._chosen = cluster, people, chosen
        self._force, self._told = force, told
        self._done: list[Disk] = []
        self._known: set[str] = set()
        self._trouble: BrambleError | None = None

    def look(self, pairs: Iterable[tuple[str, str]]) -> list[Slot]:
        """What is in these readers now."""
        return look(list(pairs), needs=self._chosen.size, force=self._force, done=self._done)

    async def ask(self, turn: Sequence[Slot], next_cards: NextCards) -> list[Slot]:
        """The same readers with other cards in them; none where no more come."""
        pairs = [(slot.host, slot.device) for slot in turn]
        waiting = [self.shown(slot) for slot in turn]
        while await next_cards(waiting):
            try:
                slots = await asyncio.to_thread(self.look, pairs)
            except CardRefused as error:
                waiting = [replace(card, refused=(f"{error.what}: {error.why} ({error.hint})",)) for card in waiting]
                continue
            waiting = [self.shown(slot) for slot in slots]
            if not any(slot.refused for slot in slots):
                return slots
        return []

    async def turn(self, source: Image, slots: Sequence[Slot], asked: Mapping[str, Any]) -> list[CardResult]:
        """Burn the cards that are in now."""
        targets = [slot.target(self._force) for slot in slots]
        try:
            outcomes = await write(
                source,
                targets,
                finish=self._finish,
                sha256=self._chosen.sha256,
                tell=functools.partial(self._hear, asked),
            )
        except BrambleError:
            # It is not whole, or not the one it should be: so that the next run fetches it anew.
            images.forget(self._chosen.image)
            raise
        if self._trouble is not None:
            raise self._trouble
        self._done += [s.disk for s, o in zip(slots, outcomes, strict=True) if s.disk is not None and o.error is None]
        return [self._result(slot, outcome) for slot, outcome in zip(slots, outcomes, strict=True)]

    def _hear(self, asked: Mapping[str, Any], event: CardProgress) -> None:
        """Tell of progress. A card that is done counts at once: an interrupt after that leaves it as good as it is."""
        self._told(event)
        if event.phase == "done" and event.host not in self._known:
            self._known.add(event.host)
            try:
                self._remember(event.host, asked)
            except BrambleError as trouble:  # nobody can raise it from here
                self._trouble = trouble

    def shown(self, slot: Slot, state: str = "") -> CardResult:
        """What a person is shown of a slot before anything is written."""
        return CardResult(
            host=slot.host,
            address=self._people[slot.host].address or "dhcp",
            device=slot.device,
            state=state or ("refused" if slot.refused else "planned"),
            disk=slot.disk,
            refused=tuple(str(refusal) for refusal in slot.refused),
            fingerprint=fingerprint(self._people[slot.host].host_keys[0].public),
        )

    def _finish(self, target: Target, blocks: Blocks) -> None:
        written = personalise(blocks, self._people[target.host], self._chosen.way)
        compare(blocks, written)

    def _remember(self, name: str, asked: Mapping[str, Any]) -> None:
        """From now on the host is known: by its address, and by the key that its card has."""
        host = self._cluster.host(name)
        if len(self._known) == 1:
            inventory.record_burned(self._cluster, asked)
        inventory.forget_keys(host)
        for key in self._people[name].host_keys:
            kind, text = key.public.split()[:2]
            names = ",".join(inventory.written_names(host))
            inventory.remember_key(host, HostKey(kind, f"{names} {kind} {text}", fingerprint(key.public)))

    def _result(self, slot: Slot, outcome: Outcome) -> CardResult:
        return replace(
            self.shown(slot, "burned" if outcome.error is None else "failed"),
            size=outcome.size,
            seconds=outcome.seconds,
            error=outcome.error.to_json() if outcome.error else {},
        )


def later(pairs: Iterable[tuple[str, str]]) -> list[Slot]:
    """Cards whose turn comes when others are out of the readers: what will be in them, nobody knows."""
    return [Slot(host=host, device=device) for host, device in pairs]


def require(slots: Iterable[Slot], serials: Collection[str]) -> None:
    """See that nothing is written that must not be, or that nobody named."""
    for slot in slots:
        if slot.refused:
            raise CardRefused(f"{slot.device} is not written", why=slot.refused[0].why, hint=slot.refused[0].hint)
        if slot.disk is not None and slot.disk.identity not in serials:
            raise UsageError(
                f"nobody said that what is on {slot.device} may be lost",
                hint=f"look at it (bramble cards list); if it is meant: --yes {slot.disk.identity}",
            )
