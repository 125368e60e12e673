"""Slurm on three virtual Pis: bramble against a parallel ssh script that does the same, packages already at hand."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import ROOT, Table, Timing, command
from bramble import lab

ROUNDS = 3


def main() -> Table:
    """First deployment, then the run that changes nothing against one that only opens the connections."""
    table = Table("Slurm on three virtual Pis")
    bramble = str(ROOT / ".venv" / "bin" / "bramble")
    with TemporaryDirectory() as folder:
        status = lab.up(size=3, name="bench")
        try:
            on = ["--cluster", status.cluster]
            env = {"XDG_DATA_HOME": folder}
            script = ["bash", "bench/slurm.sh", str(ssh_config(Path(folder), status))]
            script += [host.name for host in status.hosts]
            command(script)  # fills the hosts' apt cache
            taken: dict[str, list[float]] = {"script": [], "bramble": [], "again": [], "proved": [], "connections": []}
            for _ in range(ROUNDS):
                lab.reset("bench")
                taken["script"].append(command(script))
                lab.reset("bench")
                taken["bramble"].append(command([bramble, "deploy", "slurm", *on], env))
                for _ in range(2):
                    taken["again"].append(command([bramble, "deploy", "slurm", "--no-verify", *on], env))
                    taken["proved"].append(command([bramble, "deploy", "slurm", *on], env))
                    taken["connections"].append(command([bramble, "run", *on, "--", "true"], env))
        finally:
            lab.down("bench")
    script_row = Timing(name="parallel ssh script", seconds=tuple(taken["script"]))
    table.add(script_row)
    ours = tuple(taken["bramble"])
    note = "with bramble's own verification, which is more than the script's"
    table.add(Timing(name="bramble deploy slurm", seconds=ours, against=script_row.name, limit=1.3, note=note))
    open_row = Timing(name="opening the connections (bramble run -- true)", seconds=tuple(taken["connections"]))
    table.add(open_row)
    more = tuple(again - open_row.median for again in taken["again"])
    table.add(Timing(name="second run, beyond opening them", seconds=more, limit=1.0))
    proof = tuple(proved - open_row.median for proved in taken["proved"])
    table.add(Timing(name="second run and its verification, beyond them", seconds=proof, note="jobs that really run"))
    return table


def ssh_config(folder: Path, status: lab.LabStatus) -> Path:
    """A configuration by which ssh finds the hosts of a lab."""
    path = folder / "ssh_config"
    blocks = [f"Host {host.name}\n  HostName {host.address}\n" for host in status.hosts]
    common = f"Host *\n  User pi\n  IdentityFile {status.key}\n  UserKnownHostsFile {status.known_hosts}\n"
    path.write_text("".join(blocks) + common)
    return path
