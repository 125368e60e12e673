"""Ten idempotent steps on 20 hosts: bramble's command line against pyinfra's, first and no-change run."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import ROOT, Table, Timing, command, processor_time, repeat
from bramble import lab

HOSTS = 20
ROUNDS = 3


def main() -> Table:
    """Both tools, side by side on the same hosts, freshly written before each first run."""
    table = Table(f"Ten idempotent steps on {HOSTS} hosts")
    with TemporaryDirectory() as folder:
        status = lab.up(size=HOSTS, name="bench")
        try:
            inventory = _inventory(Path(folder), status)
            rooms = {"PYTHONPATH": str(ROOT / "bench" / "rooms"), "XDG_DATA_HOME": folder}
            bramble = [str(ROOT / ".venv" / "bin" / "bramble"), "deploy", "ten", "--no-verify"]
            bramble += ["--cluster", status.cluster]
            pyinfra = [
                str(ROOT / ".venv-bench" / "bin" / "pyinfra"),
                "-y",
                "--parallel",
                str(HOSTS),
                "--fail-percent",
                "0",
            ]
            pyinfra += [str(inventory), "bench/pyinfra_ten.py"]
            connect = [bramble[0], "run", "--cluster", status.cluster, "--", "true"]
            firsts: dict[str, list[float]] = {"pyinfra": [], "bramble": []}
            seconds: dict[str, list[float]] = {"pyinfra": [], "bramble": [], "connections": []}
            own: dict[str, list[float]] = {"pyinfra": [], "bramble": []}
            for _ in range(ROUNDS):
                for name, argv, env in (("pyinfra", pyinfra, {}), ("bramble", bramble, rooms)):
                    lab.reset("bench")
                    firsts[name].append(command(argv, env))
                    for _ in range(2):
                        before = processor_time()
                        seconds[name].append(command(argv, env))
                        own[name].append(processor_time() - before)
                seconds["connections"] += repeat(2, lambda: command(connect, rooms))
            for title, taken in (("first run", firsts), ("no-change run", seconds)):
                base = f"pyinfra, {title}"
                table.add(Timing(name=base, seconds=tuple(taken["pyinfra"])))
                ours = tuple(taken["bramble"])
                table.add(Timing(name=f"bramble, {title}", seconds=ours, against=base, limit=5, at_least=True))
            # The hosts share this machine's processors. What they would take from us on boards of their own, and what
            # both tools wait for in any case, stand apart.
            note = "the floor under both: bramble run -- true"
            table.add(Timing(name="connections alone", seconds=tuple(seconds["connections"]), note=note))
            base = "pyinfra, no-change run, controller's processor"
            table.add(Timing(name=base, seconds=tuple(own["pyinfra"])))
            table.add(
                Timing(
                    name="bramble, no-change run, controller's processor",
                    seconds=tuple(own["bramble"]),
                    against=base,
                    at_least=True,
                )
            )
        finally:
            lab.down("bench")
    return table


def _inventory(folder: Path, status: lab.LabStatus) -> Path:
    """Pyinfra's own kind of inventory; it reads keys known beforehand from the user's file only."""
    config = folder / "ssh_config"
    lines = [f"Host *\n  User pi\n  IdentityFile {status.key}\n  UserKnownHostsFile {status.known_hosts}\n"]
    config.write_text("".join(lines))
    path = folder / "inventory.py"
    hosts = [(host.address, {"ssh_user": "pi", "ssh_key": status.key}) for host in status.hosts]
    data = {"ssh_config_file": str(config), "ssh_known_hosts_file": status.known_hosts}
    path.write_text(f"hosts = ({hosts!r}, {data!r})\n")
    os.chmod(path, 0o600)
    return path
