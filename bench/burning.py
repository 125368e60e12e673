"""One image onto some cards, as a program of its own: ``python -m bench.burning IMAGE DEVICE...``.

Its last line is the most memory that it and its unpacker took, in MB.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path

from bramble.cards.disks import disk_at
from bramble.cards.unpack import image_at
from bramble.cards.writing import Card, write


def main(image: str, devices: list[str]) -> int:
    """0 if all cards are in order."""
    disks = [disk_at(device) for device in devices]
    cards = [Card(host=f"red{n:02}", disk=disk, force=(disk.identity,)) for n, disk in enumerate(disks, 1)]
    outcomes = asyncio.run(write(image_at(Path(image)), cards))
    for outcome in outcomes:
        if outcome.error is not None:
            print(outcome.error, file=sys.stderr)
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    print((own.ru_maxrss + children.ru_maxrss) * 1024 // 10**6)
    return 1 if any(outcome.error for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
