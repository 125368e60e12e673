"""`bramble cards list`: which disks are cards."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from . import options
from .lazy import Command

if TYPE_CHECKING:
    from ..api import CardReader


@click.command(
    "list",
    cls=Command,
    examples="""
    bramble cards list
    bramble cards list --json
    """,
)
@options.json_option()
def list_cards(as_json: bool) -> int:
    """List card readers, and why a disk is not written.

    Nothing is changed. A disk that is in use, or that is not like a card, is refused, and the reason is given with what
    to do about it.
    """
    from . import tables
    from .door import api

    found = api.run(api.cards_list())
    if as_json:
        from .jsonlines import write_json

        for reader in found:
            write_json(dataclasses.asdict(reader))
        return 0
    if not found:
        tables.say("No disk is there. Put a card into a reader.")
        return 0
    tables.show(
        ("device", "model", "size", "serial", "what is on it", "a card"),
        (_row(reader) for reader in found),
        right=("size",),
    )
    for reader in found:
        for refusal in reader.refused if reader.disk.is_like_a_card else ():
            tables.say(f"{reader.disk.path}: {refusal.why}; {refusal.hint}")
    return 0


def _row(reader: CardReader) -> tuple[str, ...]:
    from ..cards.disks.refusals import size

    disk = reader.disk
    held = ", ".join(map(str, disk.parts))
    verdict = f"no: {reader.refused[0].why}" if reader.refused else "yes"
    return (disk.path, disk.model, size(disk.size) if disk.size else "", disk.serial, held, verdict)
