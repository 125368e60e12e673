"""What is Hadoop's own, on real hosts: files that outlive lost hosts, killed daemons, and the service itself."""

from __future__ import annotations

import pytest
from tests.lab.controller import Controller

from bramble import lab as labs
from bramble.lab.testing import Lab

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def content(lab: Lab, host: str, path: str) -> str:
    """The hash of a file as somebody without rights reads it on a host."""
    return lab.shell(host, f"runuser -u nobody -- hdfs dfs -cat {path} | sha256sum").split()[0]


def test_files_outlive_what_happens_to_hosts(controller: Controller, fresh_lab: Lab) -> None:
    before = {host: fresh_lab.snapshot(host) for host in fresh_lab.hosts}
    first = controller.json("deploy", "hadoop", "--hosts", "red,red[01-02]", "--set", "leave_deadline=120", timeout=900)
    assert first.status == 0, first.said[-3000:]
    put = "head -c 3000000 /dev/urandom >/tmp/mine; runuser -u pi -- hdfs dfs -put /tmp/mine /; sha256sum /tmp/mine"
    mine = fresh_lab.shell("red", put).split()[0]

    # The NameNode is killed while somebody writes: what was there before stays, and what is written afterwards, too.
    fresh_lab.shell(
        "red", "runuser -u pi -- hdfs dfs -put - /half </dev/zero & sleep 8; systemctl kill -s KILL hadoop-namenode"
    )
    back = "for _ in $(seq 20); do runuser -u hdfs -- hdfs dfsadmin -safemode wait && break; sleep 2; done"
    fresh_lab.shell("red", f"{back}; pkill -u pi java || true")
    assert content(fresh_lab, "red01", "/mine") == mine
    fresh_lab.shell("red", "runuser -u pi -- hdfs dfs -rm -skipTrash /half")

    # Rows are sorted, and a host is lost and comes back, as anybody may ask for.
    deep = controller.json("verify", "hadoop", "--deep", timeout=900)
    assert deep.status == 0, deep.said[-3000:]

    # A host does not leave while a file wants more copies than would be left; with fewer it does, and is as it was.
    held = controller.run("scale", "hadoop", "--drop", "red02", "--yes", timeout=300)
    assert held.status == 1 and "/mine must lie on more hosts" in held.said and "setrep" in held.said
    fresh_lab.shell("red", "runuser -u hdfs -- hdfs dfs -setrep -w 1 /mine")
    gone = controller.json("scale", "hadoop", "--drop", "red02", "--yes", timeout=600)
    assert gone.status == 0, gone.said[-3000:]
    assert labs.diff_snapshots(before["red02"], fresh_lab.snapshot("red02")) == []
    assert content(fresh_lab, "red", "/mine") == mine

    # The service goes, and its files are there when it comes back; they go only when that is asked for.
    removed = controller.run("remove", "hadoop", "--yes", timeout=300)
    assert removed.status == 0 and "holds data, so it stays" in removed.said, removed.said[-3000:]
    assert "127.0.1.1" in fresh_lab.shell("red", "cat /etc/hosts")
    again = controller.json("deploy", "hadoop", "--hosts", "red,red01", "--no-verify", timeout=600)
    assert again.status == 0, again.said[-3000:]
    assert content(fresh_lab, "red01", "/mine") == mine
    fresh_lab.shell("red", "rm /tmp/mine")
    purged = controller.run("remove", "hadoop", "--purge", "--yes", timeout=300)
    assert purged.status == 0, purged.said[-3000:]
    assert {host: labs.diff_snapshots(before[host], fresh_lab.snapshot(host)) for host in before} == {
        host: [] for host in before
    }
