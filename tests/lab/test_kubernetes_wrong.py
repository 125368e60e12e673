"""Kubernetes the wrong way: refused by name before anything is changed, or told and mended by the same command."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.lab.controller import Controller, Done

from bramble import lab as labs
from bramble.api.kept import kept
from bramble.lab.testing import Lab
from bramble.services.kubernetes import programs

MANAGER, WORKER = "wrong", "wrong01"

#: Seconds for the first deployment: on a new machine, the programs have to be built.
FIRST = 1800

KUBECTL = "kubectl --cache-dir /run/kubectl --kubeconfig /etc/kubernetes/admin.conf"
HOME = programs.home(programs.VERSIONS[-1])

#: The clock that Python sees on one host is an hour behind. The machine's own is that of all hosts, and stays.
LATE = """rm /usr/bin/python3
cat >/usr/bin/python3 <<'END'
#!/bin/sh
export LD_PRELOAD=$(ls /usr/lib/*/faketime/libfaketime.so.1) FAKETIME=-1h FAKETIME_DONT_FAKE_MONOTONIC=1
exec /usr/bin/python3.11 "$@"
END
chmod 755 /usr/bin/python3"""

#: A file of the kernel's, with one line as it would be elsewhere: how the host itself reads it.
PRETEND = """sed 's/^{line}:.*/{line}: {kilobytes} kB/' /proc/meminfo >/run/meminfo
mount --bind /run/meminfo /proc/meminfo"""

OTHER = "systemd-run --quiet --unit=other python3 -m http.server 10250; sleep 1"

K3S = "/etc/systemd/system/k3s-agent.service"

#: What a host has of others, how it comes and goes, and what is said then.
REFUSED: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    (
        MANAGER,
        "mount -o remount,bind,ro /sys/fs/cgroup/memory; mv /boot/firmware/cmdline.txt /run",
        "mount -o remount,bind,rw /sys/fs/cgroup/memory; mv /run/cmdline.txt /boot/firmware",
        ("the kernel does not limit memory", "no cmdline.txt", "cgroup_enable=memory"),
    ),
    (
        MANAGER,
        PRETEND.format(line="MemTotal", kilobytes=948_000),
        "umount /proc/meminfo",
        ("(971 of 1700 MB)", f"--manager {WORKER}"),
    ),
    (
        MANAGER,
        "systemd-run --quiet --unit=web python3 -m http.server 6443; sleep 1",
        "systemctl stop web",
        ("TCP port 6443", "python3 (pid ", "web.service)", f"ssh {MANAGER} sudo systemctl disable --now web.service"),
    ),
    (
        MANAGER,
        "systemd-run --quiet --unit=store python3 -m http.server --bind 127.0.0.1 2379; sleep 1",
        "systemctl stop store",
        ("TCP port 2379", "store.service)"),
    ),
    (
        WORKER,
        OTHER,
        "systemctl stop other",
        ("TCP port 10250", "other.service)"),
    ),
    (
        MANAGER,
        "mkdir /etc/kubernetes; echo theirs >/etc/kubernetes/admin.conf",
        "grep -qx theirs /etc/kubernetes/admin.conf && rm -r /etc/kubernetes",
        ("(/etc/kubernetes/admin.conf)", "which bramble did not make", "kubeadm reset"),
    ),
    (
        WORKER,
        f"printf '[Service]\\nExecStart=/bin/sleep inf\\n' >{K3S}; systemctl start k3s-agent",
        f"systemctl is-active k3s-agent && systemctl stop k3s-agent && rm {K3S}",
        (f"({K3S})", "which bramble did not make", "k3s-agent-uninstall.sh"),
    ),
    (WORKER, LATE, "ln -sf python3.11 /usr/bin/python3", ("(-3600 s)", "clock", "timedatectl")),
)


@pytest.fixture(scope="module")
def pis(make_lab: Callable[..., Lab]) -> Iterator[Lab]:
    """A manager and a worker."""
    yield make_lab(MANAGER, 2, "bookworm", containers=True)
    labs.down(MANAGER)


@contextmanager
def so(pis: Lab, host: str, begins: str, ends: str) -> Iterator[None]:
    """Something on a host that is so for a while; its end tells whether it was left alone."""
    pis.shell(host, begins)
    yield
    pis.shell(host, ends)


def deploy(controller: Controller, *options: str) -> Done:
    return controller.run("deploy", "kubernetes", "--no-verify", *options)


@pytest.mark.timeout(300)
def test_refused_before_anything_is_changed(pis: Lab, tmp_path: Path) -> None:
    controller = Controller.of(pis, tmp_path / "controller")
    pis.shell(WORKER, "apt-get install -y libfaketime")
    before, file = {host: pis.snapshot(host) for host in pis.hosts}, controller.cluster_file.read_text()

    for host, begins, ends, words in REFUSED:
        with so(pis, host, begins, ends):
            done = deploy(controller)
            assert done.status == 2 and host in done.stderr and "hint:" in done.stderr, done.said
            assert all(word in done.stderr for word in words), done.said
    asked: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
        (("--set", "pod_network=10.76.0.0/14"), ("10.76.0.0/14 overlaps", pis.address(WORKER), "pod_network=10.200")),
        (("--set", "service_network=10.76.0.0/14"), ("10.76.0.0/14 overlaps", MANAGER, "service_network=10.200")),
        (("--manager", f"{MANAGER},{WORKER}"), ("2 managers are named", f"--manager {MANAGER}")),
        (("--set", "control_plane=3"), ("needs as many hosts, and there are 2", "control_plane=1")),
        (("--set", "control_plane=2"), ("1, 3 or 5",)),
    )
    for options, words in asked:
        done = deploy(controller, *options)
        assert done.status == 2 and all(word in done.stderr for word in words), done.said

    # Nothing is left of all that, neither on hosts nor in the cluster's file.
    assert {host: labs.diff_snapshots(before[host], pis.snapshot(host)) for host in pis.hosts} == {
        host: [] for host in pis.hosts
    }
    assert controller.cluster_file.read_text() == file


FULL = """for folder in ingest blobs/sha256; do mkdir -p /run/full/$folder; done
mount -t tmpfs -o size=60m full /var/lib/containerd/io.containerd.content.v1.content
cp -a /run/full/. /var/lib/containerd/io.containerd.content.v1.content/"""
ROOM = "umount /var/lib/containerd/io.containerd.content.v1.content"

WALL = """nft add table inet wall
nft 'add chain inet wall out { type filter hook output priority 0; }'
nft add rule inet wall out tcp dport 6443 drop"""

#: One byte of a file is another one; its times are what they were.
FLIP = """cp -p {file} {file}.new; printf '\\125' | dd of={file}.new bs=1 seek=200000 conv=notrunc status=none
touch -r {file} {file}.new; mv {file}.new {file}; sha256sum <{file}"""


def failed(done: Done) -> dict[str, Any]:
    """Why the worker is not there, while the manager stands."""
    assert done.status == 1 and done.outcomes() == {MANAGER: "done", WORKER: "failed"}, done.said[-3000:]
    return done.failure(WORKER)


@pytest.mark.timeout(FIRST + 900)
def test_told_and_mended_by_the_same_command(pis: Lab, tmp_path: Path) -> None:
    controller = Controller.of(pis, tmp_path / "controller")
    before = {host: pis.snapshot(host) for host in pis.hosts}
    server = f"https://{pis.address(MANAGER)}:6443"

    # Its disk is full while images come in.
    run = controller.start("deploy", "kubernetes", "--no-verify")
    run.until("step-done", host=WORKER, step="Unit containerd")
    pis.shell(WORKER, FULL)
    why = failed(run.finish(FIRST))
    assert "/var/lib/containerd" in why["why"] and "no space left on device" in why["why"] and "df -h" in why["hint"]
    pis.shell(WORKER, ROOM)

    # Half a node is no node yet: a port that is taken is refused, and status tells it of this service.
    with so(pis, WORKER, OTHER, "systemctl stop other"):
        done = deploy(controller)
        assert done.status == 2 and f"{WORKER}: Kubernetes needs the TCP port 10250" in done.stderr, done.said
        assert f"not compared: {WORKER}: Kubernetes needs the TCP port 10250" in controller.run("status").stdout

    # It cannot reach the manager. And of what the run before had brought, a byte is another one by now.
    brought = f"/var/lib/bramble/artifacts/{sha256('kube-proxy')}"
    tampered = pis.shell(WORKER, FLIP.format(file=brought)).split()[0]
    pis.shell(WORKER, WALL)
    done = controller.json("deploy", "kubernetes", "--no-verify")
    why = failed(done)
    assert f"cannot be reached from this host at {server}: no answer within" in why["why"], why
    assert "firewall" in why["hint"] and "nft list ruleset" in why["hint"]
    assert "kubelet" in pis.shell(MANAGER, f"{KUBECTL} get --raw /healthz >/dev/null; pgrep -l kubelet")
    notes = " ".join(event["text"] for event in done.events if event["kind"] == "note")
    assert brought in notes and tampered in notes and f"must be {sha256('kube-proxy')}" in notes, notes

    # The token by which it joins is no longer there when it can.
    run = controller.start("deploy", "kubernetes", "--no-verify")
    run.until("step-started", host=WORKER, step="joins the cluster")
    bootstrap = "--field-selector type=bootstrap.kubernetes.io/token"
    pis.shell(MANAGER, f"{KUBECTL} --namespace kube-system delete secret {bootstrap}")
    pis.shell(WORKER, "nft delete table inet wall")
    why = failed(run.finish())
    assert "does not take the token" in why["why"] and "run the same again" in why["hint"], why

    # The same command again: a new token, and it works. Swap is no hindrance, and told.
    swap = "printf 'Filename\\tType\\tSize\\tUsed\\tPriority\\n/swap file 1024 0 -2\\n' >/run/swaps"
    pis.shell(WORKER, PRETEND.format(line="SwapTotal", kilobytes=1024))
    pis.shell(WORKER, f"{swap}; mount --bind /run/swaps /proc/swaps")
    done = controller.json("deploy", "kubernetes")
    assert done.status == 0 and done.report["verified"] is True, done.said[-3000:]
    assert f"{WORKER}: pods do not use the swap there" in done.report["notes"]
    pis.shell(WORKER, "umount /proc/meminfo /proc/swaps")

    # A program that somebody changed there is told by status, and put right; the kubelet does not go on with theirs.
    kubelet = f"{HOME}/kubelet"
    tampered = pis.shell(WORKER, FLIP.format(file=kubelet)).split()[0]
    told = f"{kubelet}: its SHA-256 is {tampered}, and must be {sha256('kubelet')}"
    assert told in controller.run("status").stdout
    done = deploy(controller)
    assert done.status == 0 and told in done.stdout and "Unit kubelet.service: restart" in done.stdout, done.said
    assert pis.shell(WORKER, f"sha256sum <{kubelet}").split()[0] == sha256("kubelet")

    # One that was changed on the controller goes nowhere.
    other = changed_here(controller, tmp_path / "cache", sha256("kubectl"))
    file = tmp_path / "cache" / "bramble" / "artifacts" / "blobs" / sha256("kubectl")
    done = deploy(other)
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    assert done.status == 1 and f"of {file} is {found}, and must be {sha256('kubectl')}" in done.stderr, done.said
    assert "no host was touched" in done.stderr and f"rm {file}" in done.stderr

    # After all this, the hosts are as they were found.
    done = controller.run("remove", "kubernetes", "--yes", timeout=300)
    assert done.status == 0, done.said[-3000:]
    for host, found_before in before.items():
        assert labs.diff_snapshots(found_before, pis.snapshot(host)) == []


def sha256(name: str) -> str:
    """Of a program that is kept for these hosts."""
    wanted = next(
        one for one in programs.artifacts(["amd64"], programs.VERSIONS[-1]) if one.name == f"kubernetes/{name}"
    )
    found = kept().find(wanted)
    assert found is not None, f"{name} is not kept"
    return found.sha256


def changed_here(controller: Controller, cache: Path, sha: str) -> Controller:
    """The same controller where a byte of one kept file is another one; what all tests share stays as it is."""
    mine, shared = cache / "bramble" / "artifacts", kept().folder
    shutil.copytree(shared / "index", mine / "index")
    (mine / "blobs").mkdir()
    for file in (shared / "blobs").iterdir():
        (mine / "blobs" / file.name).symlink_to(file)
    file = mine / "blobs" / sha
    file.unlink()
    content = bytearray((shared / "blobs" / sha).read_bytes())
    content[200_000] ^= 1
    file.write_bytes(content)
    return dataclasses.replace(controller, env={**controller.env, "XDG_CACHE_HOME": str(cache)})
