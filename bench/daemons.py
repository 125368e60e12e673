"""Java daemons on three virtual Pis: bramble against a parallel ssh script, and the memory that each daemon takes."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.deployment import BRAMBLE, rounds, tell
from bench.measure import Table, command
from bench.slurm import ssh_config
from bramble import lab

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
    with TemporaryDirectory() as folder:
        status = lab.up(size=3, name="bench")
        hosts = [host.name for host in status.hosts]
        on = ["--cluster", status.cluster]
        env = {"XDG_DATA_HOME": f"{folder}/data"}
        config = ssh_config(Path(folder), status)
        script = ["bash", "bench/daemons.sh", str(config), folder, service, *hosts]
        deploy = [BRAMBLE, "deploy", service, *on]
        try:
            command([*deploy, "--no-verify"], env)  # fills the hosts' apt cache, and the controller's of programs
            time.sleep(SETTLE)
            memory = {host: _memory(service, host) for host in hosts}
            _fetch(config, hosts[0], TREE, service, Path(folder, "tree.tar"))
            for host in hosts:
                _fetch(config, host, PACK, service, Path(folder, f"{host}.tar"))
            taken = rounds(service, script, on, env)
        finally:
            lab.down("bench")
    tell(table, service, taken, 1.3)
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
