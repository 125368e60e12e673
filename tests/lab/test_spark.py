"""What is Spark's own, on one cluster of real hosts: what people do, hosts that leave, upgrades, and the wrong way."""

from __future__ import annotations

import json
import subprocess
import time

import pytest
from tests.lab.controller import Controller

from bramble import lab as labs
from bramble.lab.testing import Lab

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2700)]

#: As in the manual.
WORD_COUNT = """
from operator import add

from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("wordcount").getOrCreate()
lines = spark.sparkContext.parallelize(["to be or not to be", "that is the question"])
for word, count in lines.flatMap(str.split).map(lambda word: (word, 1)).reduceByKey(add).collect():
    print(word, count)
"""

#: Tasks of a second each, whose results cross hosts, for long enough that a host can leave meanwhile.
SLOW = """
import time

from pyspark import SparkContext

sc = SparkContext(appName="slow")


def work(number):
    time.sleep(1)
    return number % 4, number


print("sum is", sum(value for _, value in sc.parallelize(range(100), 100).map(work).reduceByKey(int.__add__).collect()))
"""

HELD = """
import time

from pyspark import SparkContext

SparkContext(appName="held").parallelize(range(8), 8).foreach(lambda _: time.sleep(600))
"""

#: A unit that does not start in the new version, as with a fault of the version's own.
FAULT = """[Service]
ExecStartPre=/bin/sh -c '! readlink /usr/local/lib/bramble/spark | grep -q 4.2.1'
"""


def ssh(lab: Lab, host: str, command: str, *, text: str = "", terminal: bool = False) -> subprocess.Popen[str]:
    """Start a command as user pi, by OpenSSH's own client, with a text on its standard input."""
    status = lab.status
    words = ["ssh", "-F", "none", "-o", "BatchMode=yes", "-i", str(status.key)]
    words += ["-o", f"UserKnownHostsFile={status.known_hosts}", "-o", "StrictHostKeyChecking=yes"]
    words += ["-tt"] if terminal else []
    pipe = subprocess.PIPE
    begun = subprocess.Popen(
        [*words, f"pi@{lab.address(host)}", command], stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True
    )
    assert begun.stdin
    begun.stdin.write(text)
    begun.stdin.close()
    begun.stdin = None
    return begun


def said(begun: subprocess.Popen[str], timeout: float = 240) -> str:
    """All that a command said to its end."""
    return begun.communicate(timeout=timeout)[0]


def asked(lab: Lab, host: str, url: str) -> str:
    """What a page says to a host."""
    return lab.execute(
        host,
        "python3",
        "-c",
        f"import urllib.request; print(urllib.request.urlopen('{url}', timeout=10).read().decode())",
    )


def until_it_works_on(lab: Lab, host: str, program: str) -> None:
    """Wait until a program in Python has a part on a host that does its work."""
    deadline = time.monotonic() + 120
    page = f"http://{lab.address(host)}:8081/json/"
    while (
        program not in {one["appdesc"]["name"] for one in json.loads(asked(lab, host, page))["executors"]}
        # Spark lets none go that has not come up yet.
        or not lab.shell(host, "pgrep -u spark -f [p]yspark.daemon || true")
    ):
        assert time.monotonic() < deadline, lab.shell("red", "journalctl -u spark-master -o cat | tail -20")
        time.sleep(0.5)
    time.sleep(2)  # until its tasks are there, too


def test_people_use_it_hosts_leave_versions_change_and_what_is_wrong_is_told(
    controller: Controller, fresh_lab: Lab
) -> None:
    lab = fresh_lab
    before = {host: lab.snapshot(host) for host in lab.hosts}
    page = f"http://{lab.address('red')}"

    # A port that is taken: Spark itself would take the next one, and nobody would find it.
    lab.shell("red01", "systemd-run --quiet --unit web python3 -m http.server 8081")
    taken = controller.run("deploy", "spark")
    assert taken.status == 2 and "port 8081" in taken.said and "web.service" in taken.said, taken.said
    lab.shell("red01", "systemctl stop web")

    options = {"version": "4.1.4", "history": "yes", "connect": "yes", "leave_deadline": "30"}
    words = [word for name, value in options.items() for word in ("--set", f"{name}={value}")]
    first = controller.json("deploy", "spark", *words, "--no-verify", timeout=900)
    assert first.status == 0, first.said[-3000:]

    # Another version is no matter of a deployment.
    other = controller.run("deploy", "spark", "--set", "version=4.2.1")
    assert other.status == 2 and "bramble upgrade spark --to 4.2.1" in other.said, other.said

    # A master that does not start in the new version: its host goes back, and the workers have not noticed.
    folder = "/etc/systemd/system/spark-master.service.d"
    lab.shell("red", f"mkdir {folder}; cat >{folder}/fault.conf <<'END'\n{FAULT}END\nsystemctl daemon-reload")
    held = controller.run("upgrade", "spark", timeout=600)
    assert held.status == 1 and "went back to the one before" in held.about("red"), held.said[-3000:]
    assert "Job for spark-master.service failed" in held.about("red")
    for host in lab.hosts:
        assert lab.execute(host, "readlink", "/usr/local/lib/bramble/spark").strip().endswith("spark-4.1.4")
    lab.shell("red", f"rm -r {folder}; systemctl daemon-reload")

    # The same command goes on from there; what was the earlier version's goes.
    upgraded = controller.json("upgrade", "spark", timeout=900)
    assert upgraded.status == 0 and upgraded.report["verified"] is True, upgraded.said[-3000:]
    proved = {event["step"] for event in upgraded.events if event.get("outcome") == "passed"}
    assert "Spark Connect answers who has the token, and nobody else" in proved
    assert lab.shell("red01", "ls -d /usr/local/lib/bramble/spark-*").split() == [
        "/usr/local/lib/bramble/spark-4.2.1",
        "/usr/local/lib/bramble/spark-command",
    ]

    # Who does not know the secret gets nothing, and who may not read it is told what to do.
    wrong = ssh(lab, "red02", "cat >job.py; spark-submit --conf spark.authenticate.secret=no job.py", text=WORD_COUNT)
    nobody = lab.shell("red01", "runuser -u nobody -- spark-submit x.py 2>&1 || true")
    assert "--set users=nobody" in nobody

    # What people do, on the manager and elsewhere.
    counted = said(ssh(lab, "red", "cat >job.py; spark-submit --master spark://red:7077 job.py", text=WORD_COUNT))
    assert "be 2\n" in counted and "question 1\n" in counted, counted
    typed = "print('sum', sc.parallelize(range(100)).sum())\nexit()\n"
    python = said(ssh(lab, "red01", "pyspark", text=typed, terminal=True))
    assert "sum 4950" in python, python
    scala = said(ssh(lab, "red01", "spark-shell", text='println(s"sum ${sc.parallelize(1 to 99).sum}")\n'))
    assert "sum 4950.0" in scala, scala
    sql = said(ssh(lab, "red01", "spark-sql -e 'select sum(id) from range(100)'"))
    assert "4950\n" in sql, sql
    assert "be 2" not in said(wrong) and wrong.returncode != 0
    assert '"wordcount"' in asked(lab, "red", f"{page}:18080/api/v1/applications")

    # A host does not leave under a task that does not end; it can be kept.
    program = ssh(lab, "red", "cat >held.py; echo $$ >held; exec spark-submit held.py", text=HELD)
    until_it_works_on(lab, "red02", "held")
    stays = controller.run("scale", "spark", "--drop", "red02", "--yes", timeout=300)
    assert stays.status == 1 and "red02 still works for held of pi" in stays.about("red"), stays.said[-3000:]
    lab.shell("red", "kill $(cat /home/pi/held)")
    said(program, 60)
    lab.shell("red02", "systemctl restart spark-worker")

    # With the manager, all that runs there comes back.
    lab.kill("red")
    lab.start("red")
    proven = controller.run("verify", "spark", timeout=600)
    assert proven.status == 0, proven.said[-3000:]
    status = controller.json("status", "spark").report["data"]
    assert "alive" in json.dumps(status), status

    # A program that runs while a host leaves ends right, in its own time.
    assert controller.run("deploy", "spark", "--set", "leave_deadline=300", "--no-verify").status == 0
    program = ssh(lab, "red", "cat >slow.py; spark-submit slow.py", text=SLOW)
    until_it_works_on(lab, "red02", "slow")
    gone = controller.json("scale", "spark", "--drop", "red02", "--yes", "--no-verify", timeout=500)
    assert gone.status == 0, gone.said[-3000:]
    result = said(program)
    assert f"sum is {sum(range(100))}\n" in result and program.returncode == 0, result
    removed = controller.run("remove", "spark", "--yes", timeout=300)
    assert removed.status == 0, removed.said[-3000:]
    for host in lab.hosts:
        left = labs.diff_snapshots(before[host], lab.snapshot(host))
        assert [line for line in left if "/home/pi" not in line] == []
