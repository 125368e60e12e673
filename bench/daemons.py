"""Java daemons on three virtual Pis: bramble against a parallel ssh script, and the memory that each daemon takes."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import ROOT, Table, Timing, command
from bench.slurm import ssh_config
from bramble import lab

ROUNDS = 3

#: Seconds until a cluster that was just deployed has nothing to do.
SETTLE = 60.0

_LIBRARY = "/usr/local/lib/bramble"

#: Packs what the script finds at hand: programs apart from the rest; of what daemons write, the empty folders alone.
TREE = f"tar --create --absolute-names $(find {_LIBRARY} -mindepth 1 -maxdepth 1 -type d -name $0-*)"
PACK = f"""
tar --create --absolute-names --exclude '/var/lib/*/*/*' --exclude '/var/log/*/*' --exclude /var/lib/hadoop/formatted \\
    --exclude /var/lib/hadoop/laid-out /etc/hosts $(find {_LIBRARY} -maxdepth 1 -not -type d) \\
    $(find /usr/local/bin -lname '{_LIBRARY}/*') \\
    $(ls -d /etc/$0 /var/lib/$0* /var/log/$0* /etc/systemd/system/$0-* 2>/dev/null)
"""

#: Resident bytes of the main process of each unit of a service.
MEMORY = """
for unit in $(systemctl list-units --plain --no-legend --state running "$0-*.service" | cut -d' ' -f1); do
    pid=$(systemctl show --property MainPID --value $unit)
    awk -v unit=${unit%.service} '/^VmRSS:/ {print unit, $2 * 1024}' /proc/$pid/status
done
"""


def compare(service: str) -> Table:
    """First deployment, the run that changes nothing, the proof, and memory on an otherwise idle cluster."""
    table = Table(f"{service} on three virtual Pis")
    bramble = str(ROOT / ".venv" / "bin" / "bramble")
    with TemporaryDirectory() as folder:
        status = lab.up(size=3, name="bench")
        hosts = [host.name for host in status.hosts]
        on = ["--cluster", status.cluster]
        env = {"XDG_DATA_HOME": f"{folder}/data"}
        config = ssh_config(Path(folder), status)
        script = ["bash", "bench/daemons.sh", str(config), folder, service, *hosts]
        deploy = [bramble, "deploy", service, *on]
        taken: dict[str, list[float]] = {"script": [], "bramble": [], "again": [], "proof": [], "connections": []}
        try:
            command([*deploy, "--no-verify"], env)  # fills the hosts' apt cache, and the controller's of programs
            time.sleep(SETTLE)
            memory = {host: _memory(service, host) for host in hosts}
            _fetch(config, hosts[0], TREE, service, Path(folder, "tree.tar"))
            for host in hosts:
                _fetch(config, host, PACK, service, Path(folder, f"{host}.tar"))
            for _ in range(ROUNDS):
                lab.reset("bench")
                taken["script"].append(command(script))
                lab.reset("bench")
                taken["bramble"].append(command([*deploy, "--no-verify"], env))
                taken["proof"].append(command([bramble, "verify", service, *on], env))
                for _ in range(2):
                    taken["again"].append(command([*deploy, "--no-verify"], env))
                    taken["connections"].append(command([bramble, "run", *on, "--", "true"], env))
        finally:
            lab.down("bench")
    table.add(Timing(name="parallel ssh script", seconds=tuple(taken["script"])))
    ours = tuple(taken["bramble"])
    table.add(Timing(name=f"bramble deploy {service}", seconds=ours, against="parallel ssh script", limit=1.3))
    table.add(Timing(name="its verification", seconds=tuple(taken["proof"])))
    opened = Timing(name="opening the connections (bramble run -- true)", seconds=tuple(taken["connections"]))
    table.add(opened)
    more = tuple(again - opened.median for again in taken["again"])
    table.add(Timing(name="second run, beyond opening them", seconds=more, limit=1.0))
    for host, daemons in memory.items():
        for daemon, size in daemons.items():
            print(f"  memory of {daemon} on {host}, idle: {size / 1e6:.0f} MB")
    return table


def _memory(service: str, host: str) -> Mapping[str, float]:
    said = lab.execute("bench", host, ["sh", "-c", MEMORY, service]).stdout
    return {line.split()[0]: float(line.split()[1]) for line in said.splitlines()}


def _fetch(config: Path, host: str, script: str, service: str, out: Path) -> None:
    """What a command on a host writes."""
    with out.open("wb") as file:
        ssh = ["ssh", "-F", str(config), host, "sudo", "sh", "-c", f"'. /dev/stdin' {service}"]
        subprocess.run(ssh, input=script.encode(), stdout=file, check=True)
