"""Kubernetes on three virtual Pis: bramble against a parallel ssh script by kubeadm, and what memory it takes."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.deployment import BRAMBLE, rounds, tell
from bench.measure import Table, command
from bench.slurm import ssh_config
from bramble import lab

#: Seconds until a cluster that was just deployed has nothing to do.
SETTLE = 60.0

#: Packs what the script finds at hand: all that is made beforehand, images in one archive, nothing that kubeadm makes.
PACK = r"""
images=/var/tmp/images.tar etc=/etc/kubernetes keys=
ctr --namespace k8s.io images list --quiet | grep -v ^sha256 | xargs ctr --namespace k8s.io images export $images
[ ! -e $etc/manifests/etcd.yaml ] || keys=$(ls $etc/pki/ca.* $etc/pki/front-proxy-ca.* $etc/pki/sa.* $etc/pki/etcd/ca.*)
tar --create --absolute-names --ignore-failed-read $images $keys /usr/local/lib/bramble /usr/local/bin \
    /etc/containerd/config.toml /etc/systemd/system/kubelet.service /etc/systemd/system/kubelet.service.d \
    $(ls $etc/bramble/*.yaml $etc/bramble/*.conf $etc/bramble/*.crt $etc/bramble/*.key 2>/dev/null)
"""

#: Proportional set size of all processes of a host, in bytes: what they share is counted once.
MEMORY = "cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk '/^Pss:/ {sum += $2} END {print sum * 1024}'"


def main() -> Table:
    """First deployment, the run that changes nothing, and the memory of an idle cluster."""
    table = Table("Kubernetes on three virtual Pis")
    with TemporaryDirectory() as folder:
        status = lab.up(size=3, name="bench", containers=True)
        hosts = [host.name for host in status.hosts]
        on = ["--cluster", status.cluster]
        env = {"XDG_DATA_HOME": f"{folder}/data", "KUBECONFIG": f"{folder}/kubeconfig"}
        config = ssh_config(Path(folder), status)
        script = ["bash", "bench/kubernetes.sh", str(config), folder, *hosts]
        deploy = [BRAMBLE, "deploy", "kubernetes", *on]
        try:
            before = _memory(hosts)
            command(deploy, env)  # fills the hosts' apt cache, and the controller's of programs
            time.sleep(SETTLE)
            memory = {host: used - before[host] for host, used in _memory(hosts).items()}
            for host in hosts:
                _at_hand(config, host, Path(folder, f"{host}.tar"))
            taken = rounds("kubernetes", script, on, env)
        finally:
            lab.down("bench")
    tell(table, "kubernetes", taken, 1.2)
    for host, size in memory.items():
        print(f"  memory of {host}, idle: {size / 1e6:.0f} MB")
    return table


def _memory(hosts: Sequence[str]) -> dict[str, float]:
    return {host: float(lab.execute("bench", host, ["sh", "-c", MEMORY]).stdout) for host in hosts}


def _at_hand(config: Path, host: str, out: Path) -> None:
    """All that the script needs of a host that bramble deployed to."""
    with out.open("wb") as file:
        ssh = ["ssh", "-F", str(config), host, "sudo", "sh", "-s"]
        subprocess.run(ssh, input=PACK.encode(), stdout=file, check=True)


if __name__ == "__main__":
    main().save("kubernetes")
