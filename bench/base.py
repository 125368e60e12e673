"""Hosts prepared on three virtual Pis: bramble against a parallel ssh script that does the same."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from bench.deployment import rounds, tell
from bench.measure import Table, command
from bench.slurm import ssh_config
from bramble import lab

#: What is asked of the hosts, by both. A restart takes what it takes, so there is none.
OPTIONS = {
    "hostname": "on",
    "names": "on",
    "timezone": "Europe/Berlin",
    "locale": "de_DE.UTF-8",
    "packages": "figlet",
    "swap": "off",
    "radios": "off",
    "cgroups": "on",
    "reboot": "never",
}


def main() -> Table:
    """First preparation, the run that changes nothing, and the proof."""
    table = Table("Three virtual Pis prepared")
    with TemporaryDirectory() as folder:
        status = lab.up(size=3, name="bench")
        try:
            script = ["bash", "bench/base.sh", str(ssh_config(Path(folder), status))]
            script += [host.name for host in status.hosts]
            command(script)  # fills the hosts' apt cache
            on = ["--cluster", status.cluster, *(f"--set={name}={value}" for name, value in OPTIONS.items())]
            taken = rounds("base", script, on, {"XDG_DATA_HOME": f"{folder}/data"}, reach=on[:2])
        finally:
            lab.down("bench")
    tell(table, "base", taken, limit=1.3)
    return table


if __name__ == "__main__":
    main().save("base")
