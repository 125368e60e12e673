"""`bramble cards images`: what can be burned, and having it here."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import complete, options
from .lazy import Command, Entry, LazyGroup, Option

if TYPE_CHECKING:
    from ..api import CardImage

_LOOK, _HAVE = "Look", "Have and tidy"

images = LazyGroup(
    "images",
    help="List what can be burned, and have it here.\n\nWithout a command: the list.",
    entries={
        "list": Entry("cards_images:list_images", _LOOK, "List the images that can be burned by a name."),
        "fetch": Entry("cards_images:fetch", _HAVE, "Have images here, so that burning them needs no network."),
        "clean": Entry("cards_images:clean", _HAVE, "Take fetched images away."),
    },
    default="list",
)


@click.command(
    "list",
    cls=Command,
    examples="""
    bramble cards images
    bramble cards images --all
    bramble cards images list --json
    """,
)
@click.option(
    "--all", is_flag=True, cls=Option, help="Also images that bramble cannot customise or clusters rarely use."
)
@click.option("--refresh", is_flag=True, cls=Option, help="Ask for the list anew, even if that was done today.")
@options.json_option()
def list_images(all: bool, refresh: bool, as_json: bool) -> int:
    """List the images that can be burned by a name.

    It is the list of Raspberry Pi Imager, asked for once a day. BRAMBLE_IMAGE_LIST names another one: an address, or a
    file. A file, a folder with one image or an address can be burned as well.
    """
    from . import tables
    from .door import api
    from .telling import telling

    with telling("asks for the list of images") as tell:
        found = api.run(api.cards_images(all=all, refresh=refresh, on_event=tell))
    if as_json:
        _write(found)
        return 0
    listed, others = [one for one in found if one.listed], [one for one in found if not one.listed]
    tables.show(
        ("name", "released", "for", "download", "on the card", "by", "here", "title"),
        (
            (
                one.name,
                one.released,
                one.architecture,
                tables.size(one.download_size) if one.download_size else "",
                tables.size(one.extract_size) if one.extract_size else "",
                _way(one),
                "yes" if one.here else "in part" if one.size else "",
                one.title,
            )
            for one in listed
        ),
        right=("download", "on the card"),
    )
    if others:
        tables.say("\nNot of this list, or replaced by newer ones:")
        tables.show(
            ("name", "released", "size", "file"),
            ((one.name, one.released, tables.size(one.size), Path(one.here).name) for one in others),
            right=("size",),
        )
    size = sum(one.size for one in found)
    if size:
        tables.say(f"\n{tables.size(size)} are here; bramble cards images clean takes them away")
    return 0


@click.command(
    cls=Command,
    examples="""
    bramble cards images fetch raspios-lite
    bramble cards images fetch raspios-lite ubuntu-24.04
    bramble cards images fetch https://example.org/my.img.xz
    """,
)
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...", shell_complete=complete.card_images)
@options.json_option()
def fetch(images: tuple[str, ...], as_json: bool) -> int:
    """Have images here, so that burning them needs no network.

    A download that was cut off is gone on with. Each is checked by the hash that the list or its makers give for it;
    where there is none, that is said, and with it the hash it has.
    """
    from . import tables
    from .door import api
    from .telling import telling

    with telling("looks what is here") as tell:
        found = api.run(api.cards_images_fetch(images, on_event=tell))
    if as_json:
        _write(found)
    else:
        for one in found:
            tables.say(f"{one.name} is here, {tables.size(one.size)}: {one.here}")
    return 0


@click.command(
    cls=Command,
    examples="""
    bramble cards images clean --outdated
    bramble cards images clean raspios-full
    bramble cards images clean
    """,
)
@click.argument("images", nargs=-1, metavar="[IMAGE]...", shell_complete=complete.card_images)
@click.option("--outdated", is_flag=True, cls=Option, help="Only those whose name means a newer one by now.")
def clean(images: tuple[str, ...], outdated: bool) -> int:
    """Take fetched images away.

    All of them and what is left of downloads that were cut off, or those that are named. One that is burned again is
    fetched again. Files of your own stay where they are.
    """
    from . import tables
    from .door import api

    freed = api.run(api.cards_images_clean(images, outdated=outdated))
    tables.say(f"{tables.size(freed)} are free again")
    return 0


def _way(image: CardImage) -> str:
    """How it takes its customisation, in a person's words."""
    from ..cards.init_format import InitFormat

    words = {
        InitFormat.SYSTEMD: "firstrun",
        InitFormat.CLOUDINIT_RPI: "cloud-init",
        InitFormat.CLOUDINIT: "cloud-init",
        InitFormat.NONE: "as it is",
    }
    return words[image.init_format] if image.init_format is not None else ""


def _write(found: Iterable[CardImage]) -> None:
    from .jsonlines import write_json

    for one in found:
        write_json(dataclasses.asdict(one))
