"""``scripts/faults 1-200``: campaigns for many seeds on a lab of its own; prints the seeds that failed."""

from __future__ import annotations

import os
import re
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import NoReturn

from bramble import lab as labs
from bramble.lab.testing import Lab

from .campaign import carry_out
from .schedule import schedule

NAME = "gale"


def seeds(text: str) -> list[int]:
    """``1-200``, ``7`` or ``1-3,9``."""
    found: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", part)
        if not match:
            raise SystemExit(f"scripts/faults: {part!r} is no seed and no range of seeds, such as 1-200")
        found += range(int(match[1]), int(match[2] or match[1]) + 1)
    return found


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def main(arguments: list[str]) -> int:
    """Carry all seeds out; 1 where any of them failed."""
    chosen = seeds(arguments[0] if arguments else "1-200")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)  # whoever ends a night's campaign must not be left with its lab
    failed = []
    with tempfile.TemporaryDirectory(prefix="bramble-faults-") as folder:
        for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
            os.environ[variable] = f"{folder}/{variable}"
        try:
            labs.up(3, NAME, "bookworm")
            lab = Lab(NAME)
            for seed in chosen:
                began = time.monotonic()
                plan = schedule(seed, lab.hosts)
                print(plan, flush=True)
                try:
                    carry_out(plan, lab, Path(folder) / f"seed{seed}", say=lambda text: print(f"  {text}", flush=True))
                except AssertionError as violation:
                    failed.append(seed)
                    print(f"seed {seed} FAILED: {violation}", flush=True)
                else:
                    print(f"seed {seed} passed in {time.monotonic() - began:.0f} s", flush=True)
        finally:
            labs.down(NAME)
    if failed:
        print(f"failed: {','.join(map(str, failed))}; again: scripts/faults {','.join(map(str, failed))}")
    else:
        print(f"all {len(chosen)} seeds passed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
