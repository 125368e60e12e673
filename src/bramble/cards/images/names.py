"""Short names for images, derived from what their makers call the files: a new release needs no new bramble.

Every image offers the names it would like, the best first; those that are most wanted choose first. So the newest
Raspberry Pi OS is ``raspios``, the one before it ``raspios-bookworm``, and each has one name that never means another:
``raspios-bookworm-2025-11-24``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..init_format import InitFormat
from .image import Image

#: 2025-11-24-raspios-trixie-arm64-lite.img.xz
_RASPIOS = re.compile(r"(?:[\d-]+-)?raspios-(?P<release>[a-z]+)-(?:arm64|armhf)(?P<edition>-lite|-full)?\.")

#: ubuntu-24.04.3-preinstalled-server-arm64+raspi.img.xz
_UBUNTU = re.compile(
    r"ubuntu-(?P<release>\d+\.\d+)(?P<point>\.\d+)?-preinstalled-(?P<flavour>server|desktop)-(?:arm64|armhf)\+raspi"
)

#: How titles and addresses tell that there is a newer Raspberry Pi OS.
_OLDER = re.compile(r"legacy|oldstable", re.IGNORECASE)


@dataclass(frozen=True)
class _Wish:
    names: tuple[str, ...]
    rank: tuple[object, ...]
    usual: bool = False


def named(images: Iterable[Image]) -> tuple[Image, ...]:
    """The same images, each with a name and aliases that no other has, by their names."""
    taken: set[str] = set()
    found = []
    # Stable: what ranks alike chooses in the order of the list.
    for image, wish in sorted(((one, _wish(one)) for one in images), key=lambda pair: pair[1].rank, reverse=True):
        free = [name for name in dict.fromkeys(wish.names) if name not in taken]
        free = free or [next(name for n in range(2, 9999) if (name := f"{wish.names[0]}-{n}") not in taken)]
        taken.update(free)
        usual = wish.usual and image.init_format not in (None, InitFormat.NONE)
        found.append(replace(image, name=free[0], aliases=tuple(free[1:]), usual=usual))
    return tuple(sorted(found, key=lambda one: _natural(one.name)))


def _wish(image: Image) -> _Wish:
    bits = "-32" if image.architecture == "armhf" else ""
    if (match := _RASPIOS.match(image.file)) and image.title.startswith("Raspberry Pi OS"):
        stem = f"raspios{match['edition'] or ''}"
        newest, release = f"{stem}{bits}", f"{stem}-{match['release']}{bits}"
        dated = f"{stem}-{match['release']}-{image.released}{bits}" if image.released else release
        if _OLDER.search(image.title) or _OLDER.search(image.url):
            return _Wish((release, f"{stem}-legacy{bits}", dated, newest), (2, False, image.released), usual=True)
        return _Wish((newest, release, dated), (2, True, image.released), usual=True)
    if match := _UBUNTU.match(image.file):
        stem = "ubuntu" if match["flavour"] == "server" else f"ubuntu-{match['flavour']}"
        release, point = f"{stem}-{match['release']}", match["point"] or ""
        version = tuple(int(number) for number in f"{match['release']}{point}".split("."))
        names = (f"{release}{bits}", f"{release}{point}{bits}", f"{stem}{bits}")
        return _Wish(names, (1, "LTS" in image.title, version), usual=match["flavour"] == "server")
    title, file = _slug(image.title), _slug(image.file.partition(".img")[0])
    return _Wish((f"{title}{bits}", file), (0,))


def _slug(text: str) -> str:
    """What can be typed: small letters, digits, dots and dashes; how many bits it has is told at the end of a name."""
    text = re.sub(r"\(?\b(32|64)[- ]?bit\b\)?", "", text.lower())
    return re.sub(r"[^a-z0-9.]+", "-", text).strip("-.") or "image"


def _natural(name: str) -> list[tuple[int, str]]:
    """Numbers by their size."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
