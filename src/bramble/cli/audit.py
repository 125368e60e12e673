"""`bramble audit`: who did what by the service, from where, and what came of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from . import options
from .lazy import Command, Option

if TYPE_CHECKING:
    from ..rest.access.audit import Audit, Entry

#: So many are shown to people.
_USUAL = 50


@click.command(
    cls=Command,
    examples="""
    bramble audit
    bramble audit --by maria --what deploy --since 7d
    bramble audit --csv > audit.csv
    bramble audit --check
    """,
)
@click.option("--by", metavar="USER", default="", cls=Option, help="Only what this user did.")
@click.option("--what", metavar="VERB", default="", cls=Option, help="Only this: deploy, session_begin, users_add.")
@click.option("--since", metavar="WHEN", default="", cls=Option, help="Only since then: 2026-11-01, or 7d for a week.")
@click.option(
    "--limit", type=click.IntRange(1), metavar="NUMBER", cls=Option,
    help=f"How many ({_USUAL}; with --json and --csv all).",
)  # fmt: skip
@click.option("--check", is_flag=True, cls=Option, help="Tell whether it is as it was written.")
@click.option("--csv", "as_csv", is_flag=True, cls=Option, section="Output", help="Write CSV to standard output.")
@options.json_option()
def audit(by: str, what: str, since: str, limit: int | None, check: bool, as_csv: bool, as_json: bool) -> int:
    """Show who did what by the service, and from where.

    Newest first. Nobody can change or delete an entry by bramble; each holds the hash of the one before, so --check
    finds one that was changed or taken out by hand.
    """
    from itertools import islice

    from .of_service import opened

    with opened() as database:
        from ..rest.access.audit import Audit, comma_separated, json_lines
        from ..rest.access.moments import moment

        kept = Audit(database)
        if check:
            return _check(kept, as_json)
        whole = as_csv or as_json
        found = islice(kept.whole(who=by, what=what, since=moment(since)), limit or (None if whole else _USUAL))
        if whole:
            for line in comma_separated(found) if as_csv else json_lines(found):
                sys.stdout.write(line)
        else:
            _show(list(found))
    return 0


def _check(kept: Audit, as_json: bool) -> int:
    import dataclasses

    from ..errors import BrambleError
    from . import tables
    from .jsonlines import write_json

    found = kept.check()
    if as_json:
        write_json(dataclasses.asdict(found))
    elif not found.broken:
        tables.say(f"{found.entries} entries, each as it was written; the last is {found.head}")
    if found.broken and not as_json:
        raise BrambleError(
            f"entry {found.broken} of the audit is not as it was written",
            why="it was changed, or one before it was taken out, by other means than bramble",
            hint="compare it with an export that is kept elsewhere",
        )
    return 1 if found.broken else 0


def _show(found: list[Entry]) -> None:
    from . import tables

    if not found:
        tables.say("nothing of that is in the audit")
        return
    tables.show(
        ("number", "when", "who", "via", "from", "what", "result", "about"),
        (
            (
                str(entry.number),
                tables.when(entry.time),
                entry.who or "?",
                entry.via,
                entry.address,
                entry.what,
                entry.result,
                entry.about,
            )
            for entry in found
        ),
        right=("number",),
    )
