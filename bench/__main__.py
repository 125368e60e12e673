"""All comparisons, or those named: ``python -m bench startup slurm``."""

from __future__ import annotations

import compileall
import importlib
import sys

from bench.measure import ROOT

ALL = (
    "startup",
    "rest",
    "rest_deploy",
    "rest_watch",
    "page",
    "thousand",
    "slurm",
    "base",
    "ten",
    "artifacts",
    "images",
    "cards",
    "personalise",
    "kubernetes",
    "spark",
    "hadoop",
)


def main(names: list[str]) -> int:
    """Run them; 1 if a limit was not met."""
    unknown = set(names) - set(ALL)
    if unknown:
        print(f"there are: {', '.join(ALL)}; not {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    # As what is installed is. Where Python may not write, each command would compile what it loads anew.
    compileall.compile_dir(ROOT / "src", quiet=1)
    missed = 0
    for name in names or ALL:
        print(f"\n{name}:", flush=True)
        table = importlib.import_module(f"bench.{name}").main()
        table.save(name)
        missed += sum(table.met(row) is False for row in table.rows)
    print(f"\n{missed} limit(s) not met" if missed else "\nall limits met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
