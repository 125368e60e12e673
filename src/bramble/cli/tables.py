"""Tables for people: plain columns, cut nowhere when they are piped."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from .terminal import console
from .terminal import show as print_on

#: What a word about a state looks like.
STYLES = {
    "in order": "green", "done": "green", "yes": "green", "ok": "green", "on": "green", "known": "green",
    "differs": "yellow", "left over": "yellow", "running": "cyan", "interrupted": "yellow", "paused": "yellow",
    "absent": "red", "not known": "red", "failed": "red", "cut off": "red", "broken": "red", "off": "red",
}  # fmt: skip


def show(columns: Sequence[str], rows: Iterable[Sequence[str | Text]], *, right: Iterable[str] = ()) -> None:
    """Print a table on standard output.

    Parameters
    ----------
    columns
        Their headings; the last one takes what room is left.
    rows
        A cell for each column.
    right
        Columns of numbers.
    """
    table = empty()
    for name in columns:
        justify = "right" if name in right else "left"
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell, style=STYLES.get(cell, "")) for cell in row))
    print_on(console(), table)


def empty() -> Table:
    """A table without columns, as all of ours look."""
    return Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")


def say(text: str | Text = "") -> None:
    """Print a line on standard output."""
    print_on(console(), text)


def when(moment: float) -> str:
    """A moment in this place's time: ``2024-05-01 12:13``; empty for 0."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment)) if moment else ""


def size(amount: float) -> str:
    """Bytes for people: ``3.7 GB``, ``512 MB``; by 1024, as the rest of Linux shows memory."""
    return f"{amount / 2**30:.1f} GB" if amount >= 2**30 else f"{amount / 2**20:.0f} MB"
