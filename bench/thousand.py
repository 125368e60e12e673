"""The controller with up to 1,000 hosts, which are servers in another process that speak the protocol."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import ROOT, Table, Timing

SIZES = (125, 250, 500, 1000)
ROUNDS = 3
MEMORY = 500  # MB


def main() -> Table:
    """Ten steps that change nothing on ever more hosts: time for each host, and memory of the controller."""
    table = Table("1,000 simulated hosts")
    with TemporaryDirectory() as name:
        folder = Path(name)
        argv = [sys.executable, "-m", "tests.sshfarm", "--hosts", str(max(SIZES)), "--folder", name]
        env = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'bench' / 'rooms'}", "HOME": name}
        env.update({f"XDG_{kind}_HOME": str(folder / kind.lower()) for kind in ("DATA", "CONFIG", "STATE", "CACHE")})
        server = subprocess.Popen(
            [*argv, "--program", "bench.played:runner"],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        try:
            assert server.stdout is not None
            if server.stdout.readline() != b"ready\n":
                raise SystemExit("the simulated hosts did not start")
            ways = json.loads((folder / "hosts.json").read_text())
            peaks = {size: _rounds(table, size, ways[:size], folder, env) for size in SIZES}
        finally:
            server.kill()
            server.wait()
    peak = peaks[max(SIZES)]
    # One row in megabytes: the limit is not a time.
    table.rows.append(Timing(name="controller's memory at 1,000 hosts (MB)", seconds=(peak,), limit=MEMORY))
    print(
        f"  controller's memory at 1,000 hosts: {peak:.0f} MB  [{'met' if peak <= MEMORY else 'NOT MET'}: ≤ {MEMORY}]"
    )
    return table


def _rounds(table: Table, size: int, ways: list[dict[str, str]], folder: Path, env: dict[str, str]) -> float:
    """Time ``size`` hosts; returns the largest resident memory, in MB."""
    name = f"c{size}"
    file = folder / "config" / "bramble" / "clusters" / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"hosts: [{', '.join(json.dumps(way['name']) for way in ways)}]", "user: pi"]
    lines += [f"key: {folder / 'id_ed25519'}", f"known_hosts: {folder / 'known_hosts'}", "addresses:"]
    lines += [f'  {way["name"]}: "{way["address"]}:{way["port"]}"' for way in ways]
    file.write_text("\n".join(lines) + "\n")
    argv = [str(ROOT / ".venv" / "bin" / "bramble"), "deploy", "ten", "--no-verify", "--cluster", name, "--json"]
    times, peak = [], 0.0
    for _ in range(ROUNDS):
        done = subprocess.run(
            [sys.executable, "-c", _MEASURE, *argv], env=env, cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(argv)} ended with {done.returncode}: {done.stderr[-2000:]}")
        seconds, memory = json.loads(done.stdout)
        times.append(seconds)
        peak = max(peak, memory)
    base = f"{SIZES[0]} hosts"
    linear = size / SIZES[0]
    limit, against = (linear * 1.25, base) if size != SIZES[0] else (0.0, "")
    note = f"{1000 * min(times) / size:.1f} ms a host"
    table.add(Timing(name=f"{size} hosts", seconds=tuple(times), against=against, limit=limit, note=note))
    return peak


#: Runs a command and prints its seconds and its largest resident memory in MB.
_MEASURE = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
seconds = time.perf_counter() - began
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024]))
sys.exit(done.returncode)
"""
