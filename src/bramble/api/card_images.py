"""Verbs about images for cards: which there are, and having them here."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..cards import images as room
from ..cards.images import Catalogue, Image, Kept, LocalImage, Shelf
from ..errors import UsageError
from ..runner.events import Event, Note
from .job import OnEvent


@dataclass(frozen=True, kw_only=True)
class CardImage(Image):
    """An image that can be burned.

    Attributes
    ----------
    here
        Path of its file, where it was fetched already or is the user's own; empty where it was not.
    size
        Of that file, or of the part that came before a cut; bytes.
    sha256
        Of that file; empty where nobody looked.
    listed
        Whether the list names it. What was fetched from an address is not, nor what the list has something newer for.
    """

    here: str = ""
    size: int = 0
    sha256: str = ""
    listed: bool = True


async def cards_images(
    *, all: bool = False, refresh: bool = False, on_event: OnEvent | None = None
) -> tuple[CardImage, ...]:
    """The images that can be burned by a name, by their names, and after them what else was fetched.

    Parameters
    ----------
    all
        Also those that are not for clusters, or that bramble cannot customise.
    refresh
        Ask for the list even if it was asked for today.
    on_event
        Takes notes: that the list is an old one and, with ``all``, which of its entries have faults.

    Raises
    ------
    BrambleError
        There is no list, here or elsewhere.
    """
    found = await room.catalogue(refresh=refresh)
    if on_event is not None:
        for text in (*([found.age] if found.age else []), *(found.remarks if all else ())):
            on_event(Note(text=text))
    return await asyncio.to_thread(_with_shelf, found, all)


async def cards_images_fetch(images: Iterable[str], *, on_event: OnEvent | None = None) -> tuple[CardImage, ...]:
    """Have images here, so that burning them needs no network.

    Parameters
    ----------
    images
        Names of the list, or addresses; a file of the user's own is checked against the hash that lies beside it.
    on_event
        Takes what is going on: `ImageProgress`, and notes.

    Raises
    ------
    UsageError
        There is no such image.
    BrambleError
        One cannot be had, or is not what it must be.
    """

    def tell(event: Event) -> None:
        if on_event is not None:
            on_event(event)

    # All of them are looked up before the first is fetched: a misspelt one costs no download.
    wanted = [await room.resolve(text, tell) for text in images]
    found = []
    for image in wanted:
        path = await room.fetch(image, tell)
        found.append(await asyncio.to_thread(_fetched, image, path))
    return tuple(found)


async def cards_images_clean(images: Iterable[str] = (), *, outdated: bool = False) -> int:
    """Take fetched images away; one that is burned again is fetched again. Files of the user's own stay.

    Parameters
    ----------
    images
        Only these, by their names or those of their files. Without any, all, and what is left of cut downloads.
    outdated
        Only those whose name means a newer one by now.

    Returns
    -------
    int
        Bytes that are free by that.

    Raises
    ------
    UsageError
        One of them is not here.
    BrambleError
        With ``outdated``: there is no list to tell.
    """
    shelf, asked = Shelf(room.folder()), tuple(images)
    there = await asyncio.to_thread(shelf.all)
    for name in asked:
        if all(name not in (one.name, one.path.name) for one in there):
            hint = f"here are: {', '.join(dict.fromkeys(one.name for one in there)) or 'none'}"
            raise UsageError(f"no image {name!r} is here", hint=hint)
    going = [one for one in there if not asked or {one.name, one.path.name} & {*asked}]
    if outdated:
        going = _outdated(await room.catalogue(), going)
    freed = sum(shelf.remove(one) for one in going)
    return freed if asked or outdated else freed + shelf.sweep()


def _with_shelf(found: Catalogue, all: bool) -> tuple[CardImage, ...]:
    shelf = Shelf(room.folder())
    parts, kept = shelf.parts(), list(shelf.all())
    listed = []
    for image in found.images:
        here = shelf.find(image)
        kept = [one for one in kept if one != here]
        if all or image.usual or here:
            listed.append(_card_image(image, here, size=parts.get(image.key, 0)))
    others = [
        CardImage(
            name=one.name,
            title=one.title,
            url=one.url,
            released=one.released,
            extract_sha256=one.extract_sha256,
            here=str(one.path),
            size=one.size,
            sha256=one.sha256,
            listed=False,
        )
        for one in kept
    ]
    return (*listed, *others)


def _fetched(image: Image | LocalImage, path: Path) -> CardImage:
    if isinstance(image, LocalImage):
        own = Image(name=image.name, title=image.title, url=path.absolute().as_uri())
        return _card_image(own, None, here=str(path), size=path.stat().st_size)
    return _card_image(image, Shelf(room.folder()).find(image), here=str(path), size=path.stat().st_size)


def _card_image(image: Image, kept: Kept | None, *, here: str = "", size: int = 0) -> CardImage:
    facts = {field.name: getattr(image, field.name) for field in dataclasses.fields(Image)}
    if kept is not None:
        return CardImage(**facts, here=str(kept.path), size=kept.size, sha256=kept.sha256)
    return CardImage(**facts, here=here, size=size)


def _outdated(found: Catalogue, kept: Iterable[Kept]) -> list[Kept]:
    """Those whose name means something else by now. What came from an address has no name that could."""
    shelf = Shelf(room.folder())
    now = {image.name: shelf.find(image) for image in found.images}
    return [one for one in kept if one.name in now and now[one.name] != one]
