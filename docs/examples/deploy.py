"""Deploy a service and tell what happens: ``python deploy.py slurm "red,red[01-02]"``."""

from __future__ import annotations

import sys

from bramble import api
from bramble.errors import BrambleError
from bramble.runner.events import Event, StepDone


def show(event: Event) -> None:
    """Tell what changes, while it happens."""
    if isinstance(event, StepDone) and event.outcome == "changed":
        print(f"{event.host}: {event.step}: {event.summary}")


def main(service: str, hosts: str) -> int:
    """Deploy, then tell how it stands on each host."""
    try:
        report = api.run(api.deploy(service, hosts=hosts, on_event=show))
    except BrambleError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    for result in report.hosts.values():
        why = f": {result.failure.what}" if result.failure else ""
        print(f"{result.host}: {result.outcome}, {result.changed} changes{why}")
    print(f"{service} works: {report.verified}")
    return int(report.exit_code)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
