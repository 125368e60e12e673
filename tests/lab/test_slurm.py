"""What is Slurm's own, on real hosts: jobs that outlive changes, keys and limits, and all options together."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.lab.controller import Controller

from bramble import lab as labs
from bramble.lab.testing import Lab

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def submitted(lab: Lab, host: str, command: str) -> str:
    """Let user pi send off a batch job on a host; returns its number once it runs."""
    number = lab.shell(
        lab.hosts[0], f"runuser -u pi -- sbatch --parsable -D / -o /dev/null -w {host} --wrap '{command}'"
    )
    deadline = time.monotonic() + 30
    while state_of(lab, number.strip()) != "RUNNING":
        assert time.monotonic() < deadline, lab.shell(lab.hosts[0], "squeue; sinfo -N -l")
        time.sleep(0.2)
    return number.strip()


def state_of(lab: Lab, number: str) -> str:
    """What the controller says of a job."""
    told = lab.shell(lab.hosts[0], f"scontrol -o show job {number}")
    return told.partition("JobState=")[2].split()[0]


def nodes_of(lab: Lab) -> list[str]:
    """Every node and its state."""
    return lab.shell(lab.hosts[0], "sinfo --noheader --Node --format='%N %T'").splitlines()


def test_running_jobs_outlive_growth_hold_up_a_leave_and_go_with_the_service(
    controller: Controller, fresh_lab: Lab
) -> None:
    before = {host: fresh_lab.snapshot(host) for host in fresh_lab.hosts}
    first = controller.json("deploy", "slurm", "--hosts", "red,red01", "--set", "leave_deadline=3", timeout=300)
    assert first.status == 0, first.said[-3000:]

    # A job that runs while the cluster grows ends as if nothing had happened, with all that it wrote.
    script = "for i in 1 2 3 4 5 6 7 8; do sleep 2; echo $i; done > /tmp/counted"
    job = submitted(fresh_lab, "red01", script)
    slurmd = fresh_lab.shell("red01", "systemctl show --property MainPID slurmd")
    grown = controller.json("scale", "slurm", "--add", "red02", timeout=300)
    assert grown.status == 0, grown.said[-3000:]
    assert fresh_lab.shell("red01", "systemctl show --property MainPID slurmd") != slurmd, "slurmd was not restarted"
    assert nodes_of(fresh_lab) != [] and "red02 idle" in nodes_of(fresh_lab)
    while state_of(fresh_lab, job) == "RUNNING":
        time.sleep(0.5)
    assert state_of(fresh_lab, job) == "COMPLETED"
    assert fresh_lab.shell("red01", "cat /tmp/counted").split() == list("12345678")
    fresh_lab.shell("red01", "rm /tmp/counted")

    # A host does not leave under a running job: it is drained, and the job is named.
    job = submitted(fresh_lab, "red02", "sleep 600")
    held = controller.run("scale", "slurm", "--drop", "red02", "--yes", timeout=120)
    assert held.status == 1
    assert f"job {job}" in held.said and "red02" in held.said and "stay drained" in held.said
    assert state_of(fresh_lab, job) == "RUNNING"
    assert "red02 draining" in nodes_of(fresh_lab)
    fresh_lab.shell("red", f"scancel {job}")
    gone = controller.json("scale", "slurm", "--drop", "red02", "--yes", timeout=300)
    assert gone.status == 0, gone.said[-3000:]
    assert [line.split()[0] for line in nodes_of(fresh_lab)] == ["red", "red01"]

    # With the service, its jobs go, and nothing is left of either.
    submitted(fresh_lab, "red01", "sleep 601")
    removed = controller.run("remove", "slurm", "--yes", timeout=300)
    assert removed.status == 0, removed.said[-3000:]
    assert fresh_lab.shell("red01", "pgrep --full '^sleep 601' || true") == ""
    assert fresh_lab.shell("red01", "find /sys/fs/cgroup -name 'slurm*'") == ""
    left = {host: labs.diff_snapshots(before[host], fresh_lab.snapshot(host)) for host in before}
    assert left == {host: [] for host in before}


def test_verification_fails_for_the_host_that_is_broken(controller: Controller, fresh_lab: Lab) -> None:
    # Without the controllers, slurmd must look after jobs' memory itself: the other half of what is proved elsewhere.
    controllers = "cpu cpuacct cpuset memory freezer devices blkio pids"
    for host in fresh_lab.hosts:
        fresh_lab.shell(host, f"cd /sys/fs/cgroup; for c in {controllers}; do mount -o remount,bind,ro $c; done")
    done = controller.json("deploy", "slurm", timeout=300)
    assert done.status == 0, done.said[-3000:]
    assert "proctrack/linuxproc" in fresh_lab.shell("red", "cat /etc/slurm/slurm.conf")

    # Another key: the host talks to nobody, and is named.
    fresh_lab.shell("red02", "runuser -u munge -- mungekey --force && systemctl restart munge")
    broken = controller.run("verify", "slurm", timeout=300)
    assert broken.status == 3
    assert "red02 ran no job" in broken.said
    assert "red01 ran no job" not in broken.said
    assert controller.run("deploy", "slurm", "--no-verify").status == 0
    # Slurm asks a host only every few minutes whether a job has ended that it could not talk to it about.
    for state in ("DOWN Reason=mended", "RESUME"):
        fresh_lab.shell("red", f"scontrol update NodeName=red02 State={state}")
    mended = controller.run("verify", "slurm", timeout=300)
    assert mended.status == 0, fresh_lab.shell("red", "sinfo -N -l; squeue") + mended.said[-3000:]

    # A limit that nobody keeps.
    for host in fresh_lab.hosts:
        fresh_lab.shell(host, "sed -i '/OverMemoryKill/d' /etc/slurm/slurm.conf; systemctl restart slurmd")
    fresh_lab.shell("red", "systemctl restart slurmctld")
    broken = controller.run("verify", "slurm", timeout=300)
    assert broken.status == 3
    assert "got away with it" in broken.said
    # What somebody changed by hand is put right by the next deployment.
    mended = controller.json("deploy", "slurm", timeout=300)
    assert mended.status == 0, mended.said[-3000:]

    # A dead host: named, with the others still at work.
    fresh_lab.kill("red02")
    broken = controller.run("verify", "slurm", "--connect-timeout", "3", timeout=300)
    assert broken.status in (1, 3)
    assert "red02" in broken.said
    assert "red01 ran no job" not in broken.said
    fresh_lab.start("red02")


def test_all_options_together(make_lab: Callable[..., Lab], tmp_path: Path) -> None:
    lab = make_lab("gold", 2, "trixie")
    try:
        controller = Controller.of(lab, tmp_path / "controller")
        options = {
            "mpi": "pmix",
            "accounting": "yes",
            "gres": "[{name: coral, hosts: gold01, count: 2}]",
            "partitions": "[{name: long}, {name: quick, hosts: gold01, max_time: 10}]",
        }
        words = [word for name, value in options.items() for word in ("--set", f"{name}={value}")]
        done = controller.json("deploy", "slurm", *words, timeout=800)
        assert done.status == 0, done.said[-3000:]
        proved = {event["step"] for event in done.events if event.get("outcome") == "passed"}
        assert {
            "an MPI allreduce over PMIx",
            "what a job used is kept",
            "a job that asks gold01 for coral",
            "a job in the partition quick",
        } <= proved

        # Other resources: no node is drained for reporting what the controller does not know yet, or no longer.
        changed = controller.json(
            "deploy", "slurm", "--set", "gres=[{name: coral, hosts: gold, count: 1}]", timeout=300
        )
        assert changed.status == 0, changed.said[-3000:]
        assert {line.split()[1] for line in nodes_of(lab)} == {"idle"}
        again = controller.json("deploy", "slurm", timeout=300)
        assert (again.report["changed"], again.report["verified"]) == (0, True)

        # Job accounting is data: it stays when the service goes, unless it is to be purged.
        kept = controller.run("remove", "slurm", "--yes", timeout=400)
        assert kept.status == 0, kept.said[-3000:]
        assert "/var/lib/mysql" in kept.said
        assert lab.shell("gold", "ls /var/lib/mysql/slurm_acct_db | head -1") != ""
    finally:
        labs.down("gold")


def test_hosts_that_cannot_talk_to_each_other_are_refused(make_lab: Callable[..., Lab], tmp_path: Path) -> None:
    lab = make_lab("mixed", 2, "trixie,bookworm")
    try:
        controller = Controller.of(lab, tmp_path / "controller")
        before = {host: lab.snapshot(host) for host in lab.hosts}
        refused = controller.run("deploy", "slurm")
        assert refused.status == 2
        assert "mixed01 has Slurm 22.05 (bookworm)" in refused.said
        assert "hint:" in refused.said
        assert {host: labs.diff_snapshots(before[host], lab.snapshot(host)) for host in lab.hosts} == {
            host: [] for host in lab.hosts
        }
    finally:
        labs.down("mixed")
