"""An image of 100 MB to one, three and nine virtual Pis whose links carry 100 Mbit/s each way."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.links import RATE, slow
from bench.measure import ROOT, Table, Timing, command
from bramble import lab
from bramble.runner.facts import architecture

ROUNDS = 3

#: Bytes of the image, which no compression makes less.
SIZE = 100_000_000

#: Seconds that these bytes are on a link, if nothing else is.
WIRE = SIZE * 8 / RATE


def main() -> Table:
    """From the command to "in every containerd's store"; without verification."""
    table = Table("an image of 100 MB onto hosts, links of 100 Mbit/s")
    bramble = str(ROOT / ".venv" / "bin" / "bramble")
    taken: dict[int, list[float]] = {1: [], 3: [], 9: []}
    with TemporaryDirectory() as folder:
        status = lab.up(size=max(taken), name="bench", containers=True)
        names = [host.name for host in status.hosts]
        env = {"XDG_DATA_HOME": f"{folder}/data", "XDG_CACHE_HOME": f"{folder}/cache"}
        on = ["--cluster", status.cluster]
        try:
            archive = Path(folder) / "large.tar"
            _write(archive)
            command([bramble, "deploy", "containerd", "--no-verify", *on], env)
            slow("bench", names)
            for _ in range(ROUNDS):
                for count, times in taken.items():
                    hosts = ["--hosts", ",".join(names[:count]), *on]
                    times.append(command([bramble, "images", "load", str(archive), "--no-verify", *hosts], env))
                    command([bramble, "images", "remove", "bench/large:1", "--yes", *on], env)
        finally:
            lab.down("bench")
    table.add(Timing(name="to 1 host", seconds=tuple(taken[1]), note=f"{WIRE:.0f} s of it on the wire"))
    for count, limit in ((3, 1.5), (9, 2.0)):
        table.add(Timing(name=f"to {count} hosts", seconds=tuple(taken[count]), against="to 1 host", limit=limit))
    return table


def _write(out: Path) -> None:
    """An image that holds one file of noise, as ``docker save`` writes it."""
    layer = _tar({"data": os.urandom(SIZE)})
    diff = f"sha256:{hashlib.sha256(layer).hexdigest()}"
    machine = {"arm64": "arm64", "armhf": "arm"}.get(architecture(), "amd64")
    about = {"architecture": machine, "os": "linux", "rootfs": {"type": "layers", "diff_ids": [diff]}}
    listed = [{"Config": "about.json", "RepoTags": ["bench/large:1"], "Layers": ["layer.tar"]}]
    files = {"about.json": about, "manifest.json": listed}
    out.write_bytes(_tar({**{name: json.dumps(text).encode() for name, text in files.items()}, "layer.tar": layer}))


def _tar(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return made.getvalue()


if __name__ == "__main__":
    main().save("images")
