"""A file of 500 MB to one, three and nine virtual Pis; every link, the controller's too, carries 100 Mbit/s."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import subprocess
import threading
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.links import RATE, slow
from bench.measure import ROOT, Table, Timing, command
from bench.slurm import ssh_config
from bramble import lab

ROUNDS = 3

#: Bytes of the file, which no compression makes less.
SIZE = 500_000_000

#: Seconds that these bytes are on a link, if nothing else is.
WIRE = SIZE * 8 / RATE

#: What people do by hand: a copy to each host, all at once.
PEER = 'for host in "${@:3}"; do scp -q -F "$1" "$2" "$host:/var/tmp/peer" & done; wait'


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


def main() -> Table:
    """From the command to "checked, and in its place on every host"."""
    table = Table("a file of 500 MB onto hosts, links of 100 Mbit/s")
    bramble = str(ROOT / ".venv" / "bin" / "bramble")
    taken: dict[int, list[float]] = {1: [], 3: [], 9: []}
    peer: dict[int, list[float]] = {1: [], 3: []}
    with TemporaryDirectory() as folder:
        served = Path(folder, "served")
        served.mkdir()
        digest = _write(served / "large")
        handler = partial(_Quiet, directory=str(served))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        status = lab.up(size=max(taken), name="bench")
        names = [host.name for host in status.hosts]
        env = {
            "PYTHONPATH": str(ROOT / "bench" / "rooms"),
            "XDG_DATA_HOME": f"{folder}/data",
            "XDG_CACHE_HOME": f"{folder}/cache",
        }
        url = f"http://127.0.0.1:{server.server_address[1]}/large"
        options = ["--set", f"url={url}", "--set", f"digest=sha256:{digest}", "--cluster", status.cluster]
        config = ssh_config(Path(folder), status)
        try:
            command([bramble, "artifacts", "fetch", "large", *options[:4]], env)
            slow("bench", names, _bridge(status.subnet))
            for _ in range(ROUNDS):
                for count, times in taken.items():
                    hosts = ["--hosts", ",".join(names[:count])]
                    times.append(command([bramble, "deploy", "large", "--no-verify", *options, *hosts], env))
                    command([bramble, "remove", "large", "--yes", "--cluster", status.cluster], env)
                for count, times in peer.items():
                    copy = ["bash", "-c", PEER, "copy", str(config), str(served / "large"), *names[:count]]
                    times.append(command(copy))
        finally:
            server.shutdown()
            lab.down("bench")
    table.add(Timing(name="to 1 host", seconds=tuple(taken[1]), note=f"{WIRE:.0f} s of it on the wire"))
    for count, limit in ((3, 1.5), (9, 2.0)):
        table.add(Timing(name=f"to {count} hosts", seconds=tuple(taken[count]), against="to 1 host", limit=limit))
    for count, seconds in peer.items():
        name = f"scp to {count}, all at once"
        table.add(Timing(name=name, seconds=tuple(seconds), against="to 1 host"))
    return table


def _bridge(subnet: str) -> str:
    """The device by which this machine is in a network."""
    routes = subprocess.run(["ip", "-json", "route", "show", subnet], capture_output=True, text=True, check=True)
    (route,) = json.loads(routes.stdout)
    return str(route["dev"])


def _write(out: Path) -> str:
    """Noise; its SHA-256."""
    found = hashlib.sha256()
    with out.open("wb") as file:
        for _ in range(SIZE // 1_000_000):
            data = os.urandom(1_000_000)
            found.update(data)
            file.write(data)
    return found.hexdigest()


if __name__ == "__main__":
    main().save("artifacts")
