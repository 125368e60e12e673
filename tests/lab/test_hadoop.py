"""What is Hadoop's own, on real hosts: files outlive a later version, killed daemons, lost hosts, and the service."""

from __future__ import annotations

import pytest
from tests.lab.controller import Controller

from bramble import lab as labs
from bramble.lab.testing import Lab

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2700)]

#: A DataNode that dies in the version 3.5.0 alone.
BROKEN = """
mkdir -p /etc/systemd/system/hadoop-datanode.service.d
cat >/etc/systemd/system/hadoop-datanode.service.d/broken.conf <<'END'
[Service]
ExecStart=
ExecStart=/bin/sh -c 'sleep 1; if readlink /usr/local/lib/bramble/hadoop | grep 3.5.0; then exit 1; fi; \
exec /usr/local/lib/bramble/hadoop/bin/hdfs datanode'
END
systemctl daemon-reload
"""
MENDED = "rm -r /etc/systemd/system/hadoop-datanode.service.d; systemctl daemon-reload"

#: Kills the NameNode while somebody writes a file, of which DataNodes have some.
KILLED_MEANWHILE = """
runuser -u pi -- hdfs dfs -put - /half </dev/zero &
for _ in $(seq 60); do runuser -u pi -- hdfs dfs -test -e /half._COPYING_ && break; sleep 1; done
sleep 3
systemctl kill -s KILL hadoop-namenode
for _ in $(seq 30); do runuser -u hdfs -- hdfs dfsadmin -safemode wait && break; sleep 2; done
pkill -u pi java || true
runuser -u pi -- hdfs dfs -rm -skipTrash /half._COPYING_
"""

#: A program for Spark that writes lines and counts their words.
COUNT = """
from pyspark import SparkContext

sc = SparkContext(appName="count")
print("at work on", sc.master)
sc.parallelize(["to be or not to be"], 2).saveAsTextFile("counted")
print(sorted(sc.textFile("counted").flatMap(str.split).countByValue().items()))
"""


def content(lab: Lab, host: str, path: str) -> str:
    """The hash of a file as somebody without rights reads it on a host."""
    return lab.shell(host, f"runuser -u nobody -- hdfs dfs -cat {path} | sha256sum").split()[0]


def version(lab: Lab, host: str) -> str:
    """Which one a host uses."""
    return lab.shell(host, "readlink /usr/local/lib/bramble/hadoop").strip().rpartition("-")[2]


def test_files_outlive_what_happens_to_hosts(controller: Controller, fresh_lab: Lab) -> None:
    before = {host: fresh_lab.snapshot(host) for host in fresh_lab.hosts}
    options = ("--set", "version=3.4.2", "--set", "leave_deadline=120", "--no-verify")
    first = controller.json("deploy", "hadoop", "--hosts", "red,red[01-02]", *options, timeout=900)
    assert first.status == 0, first.said[-3000:]
    put = "head -c 3000000 /dev/urandom >/tmp/mine; runuser -u pi -- hdfs dfs -put /tmp/mine /; sha256sum /tmp/mine"
    mine = fresh_lab.shell("red", put).split()[0]

    # A host on which a later version does not work goes back, and says why; mended, the upgrade goes on.
    other = controller.run("deploy", "hadoop", "--set", "version=3.5.0")
    assert other.status == 2 and "bramble upgrade hadoop" in other.said
    fresh_lab.shell("red01", BROKEN)
    broken = controller.run("upgrade", "hadoop", timeout=900)
    assert broken.status == 1 and "went back to 3.4.2" in broken.about("red01"), broken.said[-3000:]
    assert [version(fresh_lab, host) for host in fresh_lab.hosts] == ["3.5.0", "3.4.2", "3.4.2"]
    assert content(fresh_lab, "red01", "/mine") == mine
    fresh_lab.shell("red01", MENDED)
    upgraded = controller.json("upgrade", "hadoop", "--no-verify", timeout=900)
    assert upgraded.status == 0, upgraded.said[-3000:]
    assert {version(fresh_lab, host) for host in fresh_lab.hosts} == {"3.5.0"}

    # Spark beside it: its proof works with these files, and so do people's programs, in the queues of YARN.
    spark = controller.json("deploy", "spark", timeout=900)
    assert spark.status == 0 and spark.report["verified"] is True, spark.said[-3000:]
    fresh_lab.shell("red01", f"cat >/tmp/count.py <<'END'\n{COUNT}END")
    submit = "spark-submit --master yarn --num-executors 1 /tmp/count.py"
    counted = fresh_lab.shell("red01", f"runuser -l pi -c '{submit}' 2>&1; rm /tmp/count.py")
    assert "at work on yarn" in counted and "('be', 2), ('not', 1)" in counted, counted
    listed = fresh_lab.shell("red", "runuser -l pi -c 'hdfs dfs -ls counted; hdfs dfs -rm -r -skipTrash counted'")
    assert "counted/_SUCCESS" in listed
    away = controller.run("remove", "spark", "--yes", timeout=300)
    assert away.status == 0, away.said[-3000:]

    # The NameNode is killed while somebody writes: what was there before stays, and the service goes on by itself.
    fresh_lab.shell("red", KILLED_MEANWHILE)
    assert content(fresh_lab, "red01", "/mine") == mine

    # Pi, a sort, and a host that is lost and comes back, as anybody may ask for.
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
