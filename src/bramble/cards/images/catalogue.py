"""All images that can be chosen by a name: Raspberry Pi Imager's list, and the lists it refers to."""

from __future__ import annotations

import asyncio
import difflib
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import httpx

from ... import inventory
from ...engine.web import client
from ...errors import BrambleError, UsageError
from .copies import FRESH, Copies
from .image import Image
from .listing import Listing, read
from .names import named

#: Where Imager itself looks.
OFFICIAL = "https://downloads.raspberrypi.com/os_list_imagingutility_v4.json"

#: Names another list: an address, or a file.
VARIABLE = "BRAMBLE_IMAGE_LIST"

#: Lists that are asked for at the same time, and those that one list may lead to in all.
TOGETHER, MOST = 6, 100


def folder() -> Path:
    """Where images and lists are kept."""
    return inventory.folders.cache() / "images"


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """What there is.

    Attributes
    ----------
    address
        Of the list.
    images
        By their names.
    current
        When the list was last seen to be so; seconds since 1970.
    stale
        Why it is not of today; empty where it is.
    remarks
        What of the lists could not be used, and why.
    """

    address: str
    images: tuple[Image, ...]
    current: float
    stale: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def age(self) -> str:
        """What to know of an old list, in a sentence; empty where it is not old."""
        day = time.strftime("%Y-%m-%d", time.localtime(self.current))
        return f"the list of images is of {day}, as {self.address} cannot be had: {self.stale}" if self.stale else ""

    def find(self, name: str) -> Image:
        """The image of this name.

        Raises
        ------
        UsageError
            There is none; names near misses.
        """
        names = {known: image for image in self.images for known in (image.name, *image.aliases)}
        if name.lower() in names:
            return names[name.lower()]
        near = difflib.get_close_matches(name.lower(), names, n=3)
        near = near or [known for known in names if name.lower() in known][:3]
        meant = f"did you mean {' or '.join(near)}? " if near else ""
        if Path(name).exists():
            meant = f"the file of that name is --image ./{name}; "
        why = self.age
        if self.remarks:
            passed = f"{len(self.remarks)} entries of the list have faults (bramble cards images --all)"
            why = f"{why}; {passed}" if why else passed
        raise UsageError(f"there is no image {name!r}", why=why, hint=f"{meant}bramble cards images lists them")


async def catalogue(*, refresh: bool = False) -> Catalogue:
    """Read the lists: as they were kept within the last day, or fetched, or as old as they are where that fails.

    Parameters
    ----------
    refresh
        Ask for them even if they were kept today.

    Raises
    ------
    BrambleError
        There is no list, here or elsewhere, or it is none.
    """
    address = _address()
    copies, fresh = Copies(folder() / "lists"), 0.0 if refresh else FRESH
    async with client() as web:
        try:
            copy, stale = await copies.get(web, address, lambda text: read(text, address), fresh=fresh)
        except BrambleError as error:
            hint = f"another list, an address or a file: export {VARIABLE}=...; an image of yours: --image FILE"
            raise BrambleError(f"the list of images: {error.what}", why=error.why, hint=hint) from None
        first = read(copy.text.encode(), address)
        # Where the first list cannot be had, the others are not waited for.
        lists, remarks = await _further(web, copies, address, first, float("inf") if stale else fresh)
    return Catalogue(
        address=address,
        images=named(_once(image for one in lists for image in one.images)),
        current=copy.current,
        stale=stale,
        remarks=(*(remark for one in lists for remark in one.remarks), *remarks),
    )


def at_hand() -> tuple[Image, ...]:
    """Images of the lists that are here, however old they are; nothing is asked for."""
    copies, lists, waiting = Copies(folder() / "lists"), dict[str, Listing](), [_address()]
    while waiting:
        address = waiting.pop(0)
        copy = copies.find(address)
        if copy is not None and address not in lists:
            lists[address] = read(copy.text.encode(), address)
            waiting += [url for _, url in lists[address].further]
    return named(_once(image for one in lists.values() for image in one.images))


async def _further(
    web: httpx.AsyncClient, copies: Copies, address: str, first: Listing, fresh: float
) -> tuple[list[Listing], list[str]]:
    """A list and all that it leads to. One that cannot be had costs no other."""
    lists, remarks, asked, gate = [first], [], {address}, asyncio.Semaphore(TOGETHER)

    async def bring(title: str, url: str) -> Listing | str:
        try:
            async with gate:
                copy, _ = await copies.get(web, url, lambda text: read(text, url), fresh=fresh)
            return read(copy.text.encode(), url)
        except BrambleError as error:
            return f"{title}: {error.what}{f': {error.why}' if error.why else ''}"

    wanted = list(first.further)
    while wanted and len(asked) < MOST:
        new = {url: title for title, url in wanted if url not in asked}
        asked |= new.keys()
        wanted = []
        for came in await asyncio.gather(*(bring(title, url) for url, title in new.items())):
            if isinstance(came, str):
                remarks.append(came)
            else:
                lists.append(came)
                wanted += came.further
    return lists, remarks


def _address() -> str:
    """The address of the list; a file becomes an address, too."""
    given = os.environ.get(VARIABLE, "").strip() or OFFICIAL
    return given if "://" in given else Path(given).expanduser().absolute().as_uri()


def _once(images: Iterable[Image]) -> Iterable[Image]:
    """Each image once, in the order of the lists: some stand in two places."""
    found: dict[str, Image] = {}
    for image in images:
        found.setdefault(image.key, image)
    return found.values()
