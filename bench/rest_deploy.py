"""A deployment through a service against the same by the command line, in turns on the same hosts."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import ROOT, Table, Timing, command
from bramble import lab

HOSTS = 3
ROUNDS = 9

BRAMBLE = str(ROOT / ".venv" / "bin" / "bramble")


def main() -> Table:
    """Ten steps of each kind on freshly written hosts, and the run that changes nothing."""
    table = Table(f"A deployment on {HOSTS} hosts through the REST service")
    with TemporaryDirectory() as folder:
        status = lab.up(size=HOSTS, name="bench")
        env = {"PYTHONPATH": str(ROOT / "bench" / "rooms"), "XDG_DATA_HOME": folder}
        try:
            with _service(Path(folder), env) as url:
                deploy = ["deploy", "ten", "--no-verify", "--cluster", status.cluster]
                ways = {"by the command line": [BRAMBLE, *deploy], "through REST": [BRAMBLE, "--server", url, *deploy]}
                firsts: dict[str, list[float]] = {name: [] for name in ways}
                seconds: dict[str, list[float]] = {name: [] for name in ways}
                for number in range(ROUNDS):
                    # Who comes second finds warm caches, so they take turns.
                    for name in sorted(ways, reverse=bool(number % 2)):
                        if number < ROUNDS // 3:
                            lab.reset("bench")
                            firsts[name].append(command(ways[name], env))
                        seconds[name].append(command(ways[name], env))
                for title, taken in (("first run", firsts), ("no-change run", seconds)):
                    base = f"{title}, by the command line"
                    table.add(Timing(name=base, seconds=tuple(taken["by the command line"])))
                    ours = tuple(taken["through REST"])
                    table.add(Timing(name=f"{title}, through REST", seconds=ours, against=base, limit=1.05))
        finally:
            lab.down("bench")
    return table


@contextmanager
def _service(folder: Path, env: Mapping[str, str]) -> Iterator[str]:
    """A service of the same user, who is logged in there; its address."""
    password = folder / "password"
    password.write_text("four words in a row")
    password.chmod(0o600)
    secret = ["--password-file", str(password)]
    serve = [BRAMBLE, "serve", "--port", "0", "--admin", "bench", *secret]
    serving = subprocess.Popen(serve, env={**os.environ, **env}, stdout=subprocess.PIPE, text=True)
    assert serving.stdout
    try:
        said = "".join(serving.stdout.readline() for _ in range(3))
        (port,), (fingerprint,) = re.findall(r":(\d+)/$", said, re.MULTILINE), re.findall(r"SHA-256 (\S+)", said)
        url = f"https://127.0.0.1:{port}"
        command([BRAMBLE, "login", url, "--user", "bench", *secret, "--fingerprint", fingerprint], env)
        yield url
    finally:
        serving.send_signal(signal.SIGTERM)
        serving.wait()
        serving.stdout.close()
