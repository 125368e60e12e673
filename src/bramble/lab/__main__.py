"""``python -m bramble.lab up|down|status``: the lab without the command line, for tests of the lab itself."""

from __future__ import annotations

import argparse
import json
import sys

from bramble import lab
from bramble.errors import BrambleError


def main() -> int:
    """Run one verb; the exit code is the error's own."""
    parser = argparse.ArgumentParser(prog="python -m bramble.lab")
    parser.add_argument(
        "verb", choices=["up", "down", "status", "kill", "start", "cut", "heal", "reset", "pause", "resume"]
    )
    parser.add_argument("hosts", nargs="*")
    parser.add_argument("--name", default="red")
    parser.add_argument("--size", type=int)
    parser.add_argument("--release")
    options = parser.parse_args()
    try:
        if options.verb == "up":
            lab.up(options.size, options.name, options.release, progress=lambda text: print(text, file=sys.stderr))
        elif options.verb in ("down", "reset"):
            getattr(lab, options.verb)(options.name, *options.hosts)
        elif options.verb != "status":
            for host in options.hosts:
                getattr(lab, options.verb)(options.name, host)
        if options.verb != "down":
            print(json.dumps(lab.status(options.name).to_json(), indent=1))
    except BrambleError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
