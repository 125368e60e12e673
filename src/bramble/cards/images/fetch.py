"""Has an image here: looked up, fetched and gone on with, believed by its hash."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx

from ...engine.artifacts.store import require_room
from ...engine.artifacts.sums import published
from ...engine.web import Absent, Fetch, Manners, Silent, client
from ...engine.workshop import workshop
from ...errors import BrambleError
from ...runner.events import Event, ImageProgress, Note
from .catalogue import folder
from .image import Image, Kept, LocalImage
from .shelf import Shelf, digest

#: Takes what is going on: `ImageProgress` and `Note`.
Tell = Callable[[Event], None]

#: Bytes of a list of hashes; more is something else.
_LIST = 1 << 20

#: Digits of a hash → its kind.
_KINDS = {64: "sha256", 128: "sha512"}

_CLEAN = "bramble cards images clean"


async def fetch(image: Image | LocalImage, tell: Tell) -> Path:
    """Have an image here.

    What the list gives a hash for is checked against that, else against a list of hashes that its makers publish
    beside it; where there is neither, a note says so. Then only `Image.extract_sha256` can tell, when it is written.

    Parameters
    ----------
    image
        As `resolve` found it.

    Returns
    -------
    Path
        Its file, as it was fetched: mostly compressed.

    Raises
    ------
    BrambleError
        It cannot be had, there is no room for it, or it is not what it must be.
    """
    if isinstance(image, LocalImage):
        return await asyncio.to_thread(_checked_file, image.path, "", tell)
    if image.url.startswith("file:"):
        path = Path(unquote(urlsplit(image.url).path))
        return await asyncio.to_thread(_checked_file, path, image.download_sha256, tell)
    try:
        return await _Bringer(image, tell).bring()
    except BrambleError as error:
        raise BrambleError(f"{image.name}: {error.what}", why=error.why, hint=error.hint) from None


def forget(image: Image | LocalImage) -> None:
    """Take away what is kept of an image, because what is in it proved to be wrong; a file of the user's own stays."""
    if isinstance(image, Image):
        shelf = Shelf(folder())
        kept = shelf.find(image)
        if kept is not None:
            shelf.remove(kept)


class _Bringer:
    """One image on its way."""

    def __init__(self, image: Image, tell: Tell) -> None:
        self._image = image
        self._tell = tell
        self._shelf = Shelf(folder())
        self._begun = (0.0, 0)
        self._vouched = False

    async def bring(self) -> Path:
        """From the shelf, or from where it is published."""
        place = self._shelf.workshop(self._image)
        part = place / "download.part"
        had = await asyncio.to_thread(self._look)
        kept = had if had is not None and await self._still(had, part) else None
        if kept is None:
            async with workshop(place, lambda: self._say("waits for another run that is fetching it")):
                kept = await asyncio.to_thread(self._look)
                if kept is None or kept == had:  # no other run brought it meanwhile
                    kept = await self._bring(part)
                    if had is not None and had.path != kept.path:
                        self._shelf.remove(had)
        if not kept.checked and not kept.extract_sha256:
            day = time.strftime("%Y-%m-%d", time.localtime(kept.fetched))
            self._note(f"no hash vouches for it; as fetched on {day}, its SHA-256 is {kept.sha256}")
        return kept.path

    async def _still(self, kept: Kept, part: Path) -> bool:
        """Whether what is kept is what is meant: where only an address is known, another file may be there by now."""
        if self._image.download_sha256 or self._image.extract_sha256:
            return True
        try:
            async with client() as web:
                manners = self._manners(part)
                expected = await self._beside(web, part, manners)
                if expected:
                    return await asyncio.to_thread(_like, kept.path, expected) == expected
                return await Fetch(web, part, manners).unchanged(self._image.url, kept.mark, kept.size)
        except Absent as error:
            self._note(f"whether there is a newer one cannot be told: {error.what}: {error.why}")
            return True

    def _look(self) -> Kept | None:
        kept = self._shelf.find(self._image)
        if kept is not None and not self._shelf.sound(kept):
            self._note(f"{kept.path} was changed since it was fetched, so it is fetched anew")
            self._shelf.remove(kept)
            return None
        return kept

    async def _bring(self, part: Path) -> Kept:
        manners = self._manners(part)
        async with client() as web:
            expected = f"sha256:{self._image.download_sha256}" if self._image.download_sha256 else ""
            expected = expected or await self._beside(web, part, manners)
            self._vouched = bool(expected)
            got = Fetch(web, part, manners, known=bool(expected))
            await got.from_any([self._image.url])
            self._say("checks it")
            actual = await asyncio.to_thread(_like, part, expected)
            if actual != expected and got.joined:
                # Its halves may be of two files: no reason yet to believe that the whole is wrong.
                got.forget()
                await got.from_any([self._image.url])
                actual = await asyncio.to_thread(_like, part, expected)
        if actual != expected:
            got.forget()
            raise BrambleError(
                "it is not what it must be, and was thrown away",
                why=f"{self._image.url} has {actual}, and must have {expected}",
                hint="something on the way changes files, or its makers replaced it: try from another network",
            )
        sha256 = expected[7:] if expected.startswith("sha256:") else await asyncio.to_thread(digest, part, "sha256")
        return self._shelf.add(self._image, part, sha256=sha256, checked=bool(expected), mark=got.mark)

    def _manners(self, part: Path) -> Manners:
        return Manners(
            tell=self._say,
            moved=self._moved,
            need=lambda coming, have: self._need(part.parent, coming, have),
            offline="a file of yours (--image FILE), or what bramble cards images shows as here",
            gone="bramble cards images list --refresh looks for newer ones",
            full=f"make room by {_CLEAN}",
        )

    async def _beside(self, web: httpx.AsyncClient, part: Path, manners: Manners) -> str:
        """The hash that its makers publish beside it, or nothing where they do not."""
        url = f"{self._image.url}.sha256"
        try:
            text = await Fetch(web, part, manners).text(url, _LIST, "list of hashes")
        except Silent:
            raise
        except Absent:
            return ""
        try:
            return published(text, self._image.file)
        except BrambleError:
            if not self._image.extract_sha256:
                self._note(f"{url} does not say what its hash must be")
            return ""

    def _need(self, place: Path, coming: int, have: int) -> None:
        size = self._image.download_size
        # A hotspot sends its own page for whatever is asked; a hash would tell, so only its absence makes this count.
        if coming and size and not self._vouched and have + coming != size:
            raise BrambleError(
                "what the server sends is of another size than the list tells",
                why=f"{have + coming} bytes, and not {size}",
                hint="bramble cards images list --refresh; or does this network want you to sign in first?",
            )
        require_room(place, coming, _CLEAN)

    def _moved(self, have: int, total: int, place: str) -> None:
        now = time.monotonic()
        if not self._begun[0]:
            self._begun = (now, have)
        since, rate = now - self._begun[0], 0.0
        if since > 0:
            rate = (have - self._begun[1]) / since
        left = f", {(total - have) / rate:.0f} s left" if rate and total else ""
        of = f" of {total / 1e6:.0f}" if total else ""
        text = f"downloading {have / 1e6:.0f}{of} MB from {place}{f', {rate / 1e6:.1f} MB/s{left}' if rate else ''}"
        self._tell(ImageProgress(image=self._image.name, text=text, done=have, total=total))

    def _say(self, text: str) -> None:
        self._tell(ImageProgress(image=self._image.name, text=text))

    def _note(self, text: str) -> None:
        self._tell(Note(text=f"{self._image.name}: {text}"))


def _like(file: Path, expected: str) -> str:
    """The hash of a file, of the kind that is expected; nothing where none is."""
    kind = expected.partition(":")[0]
    return f"{kind}:{digest(file, kind)}" if kind else ""


def _checked_file(path: Path, sha256: str, tell: Tell) -> Path:
    """A file of the user's own, checked against what is known of it, or against the list of hashes beside it."""
    beside = path.with_name(f"{path.name}.sha256")
    try:
        if sha256:
            expected, by = f"sha256:{sha256}", "the list of images"
        elif beside.exists():
            expected, by = published(beside.read_text(errors="replace"), path.name), str(beside)
        else:
            tell(Note(text=f"{path.name}: no hash vouches for it; its SHA-256 is {digest(path, 'sha256')}"))
            return path
        actual = _like(path, expected)
    except OSError as error:
        raise BrambleError(f"{path} cannot be read", why=error.strerror or str(error)) from None
    if actual != expected:
        why = f"it has {actual}, and must have {expected} by {by}"
        raise BrambleError(f"{path} is not what it must be", why=why, hint="fetch or copy it anew")
    return path
