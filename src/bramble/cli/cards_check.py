"""`bramble cards check`: what a card would boot as."""

from __future__ import annotations

import dataclasses

import click

from . import complete, options
from .lazy import Command, Option


@click.command(
    cls=Command,
    examples="""
    bramble cards check red01 --device /dev/sda
    # whose card is this?
    bramble cards check --device /dev/sda
    """,
)
@click.argument("host", default="", metavar="[HOST]", shell_complete=complete.hosts)
@click.option("--device", metavar="DEVICE", required=True, cls=Option, help="The card reader, or a file with an image.")
@click.option(
    "--cluster", metavar="NAME", default="", cls=Option, shell_complete=complete.clusters,
    help="The cluster that the host is in; else the one that knows it.",
)  # fmt: skip
@options.json_option()
def check(host: str, device: str, cluster: str, as_json: bool) -> int:
    """Read a card back, and tell what it would boot as.

    Nothing is written. The exit code is 1 where it would not boot as that host.
    """
    from . import tables
    from .complaint import complain
    from .door import api

    checked = api.run(api.cards_check(host, device=device, cluster=cluster))
    if as_json:
        from .jsonlines import write_json

        write_json(dataclasses.asdict(checked))
        return 0 if checked.ok else 1
    found = checked.found
    rows = {
        "system": f"{found.made or found.label} ({_WAYS.get(found.way, 'nothing that bramble knows')})",
        "host": found.hostname,
        "address": found.address or ("dhcp" if found.hostname else ""),
        "gateway": found.gateway,
        "wifi": found.wifi,
        "user": found.user,
        "lets in": "\n".join(found.keys),
        "host key": "\n".join(found.host_keys),
        "locale": found.locale,
        "keyboard": found.keyboard,
        "time zone": found.timezone,
        "kernel": found.kernel,
        "started": "yes: what only the first start needs is gone from it" if found.started else "not yet",
    }
    for name, value in rows.items():
        for line in value.splitlines():
            tables.say(f"{name:<10} {line}")
    for problem in checked.problems:
        complain(problem)
    return 0 if checked.ok else 1


_WAYS = {
    "systemd": "configured by firstrun.sh",
    "cloudinit-rpi": "Raspberry Pi OS, configured by cloud-init",
    "cloudinit": "configured by cloud-init",
}
