"""A thousand simulated hosts in one process, each with an address and a host key of its own, for benchmarks::

    python -m tests.sshfarm --hosts 1000 --folder DIR --program MODULE:FUNCTION

It writes ``DIR/hosts.json`` (name, address, port, user), ``DIR/known_hosts`` and ``DIR/id_ed25519`` (the key that all
of them accept), then prints ``ready`` and serves until its standard input ends. The program answers commands as in
``tests/sshserver.py``; without one a shell does.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import ipaddress
import json
import resource
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.sshserver import Program, SimulatedHost, shell, write_key


def addresses(count: int, network: str = "127.10.0.0/16") -> Iterator[str]:
    """So many addresses of this machine's loopback network: Linux answers on all of 127.0.0.0/8."""
    hosts = ipaddress.ip_network(network).hosts()
    return (str(next(hosts)) for _ in range(count))


async def serve(hosts: Sequence[SimulatedHost], folder: Path) -> None:
    """Start hosts, write how to reach them, and serve until standard input ends."""
    for host in hosts:
        await host.start()
    (folder / "known_hosts").write_text("".join(f"{line}\n" for host in hosts for line in host.lines))
    ways = [{"name": h.name, "address": h.address, "port": h.port, "user": h.user} for h in hosts]
    (folder / "hosts.json").write_text(json.dumps(ways))
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Simulated hosts on loopback addresses.")
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--program", default="", metavar="MODULE:FUNCTION", help="what they do; a shell without")
    parser.add_argument("--port", type=int, default=0, help="the same for all; any that is free without")
    parser.add_argument("--name", default="red")
    given = parser.parse_args()
    program: Program = shell
    if given.program:
        module, _, function = given.program.partition(":")
        program = getattr(importlib.import_module(module), function)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    given.folder.mkdir(parents=True, exist_ok=True)
    key = write_key(given.folder / "id_ed25519")
    hosts = [
        SimulatedHost(f"{given.name}{number:04}", program, address=address, port=given.port, authorized=key)
        for number, address in enumerate(addresses(given.hosts), 1)
    ]
    asyncio.run(serve(hosts, given.folder))


if __name__ == "__main__":
    main()
