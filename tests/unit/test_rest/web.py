"""A cluster with a past, to look at: some of it is hostile."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Sequence
from typing import Any

from bramble import api, inventory
from bramble.engine.history import History
from bramble.engine.report import Failure, HostResult, Report
from bramble.rest.app import Service
from bramble.runner import events
from bramble.runner.facts import Facts

#: What must never be markup, wherever it comes from.
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"

FACTS = Facts(
    hostname="red", os="debian", release="12", codename="bookworm", model="Raspberry Pi 4 Model B Rev 1.4",
    architecture="arm64", cpus=4, memory=4_000_000_000, memory_total=4_000_000_000, disk_free=21_000_000_000,
    disk_total=31_000_000_000, read_only=False, python="3.11.2", kernel="6.6.31+rpt-rpi-v8", cgroup=2,
    controllers=("cpu", "memory"), swap=0, clock=0.0, skew=0.0, boot_id="b", uptime=86400.0, systemd=True,
)  # fmt: skip

HOSTS = ("red", "red01", "red02")


def with_a_past(service: Service) -> None:
    """Make the cluster red with Slurm on it, of which red02 once failed; all texts of its last run are hostile."""
    api.hosts_add("red,red[01-02]", cluster="red")
    inventory.save_service(inventory.resolve(cluster="red"), "slurm", {"max_time": "2:00:00"})
    good = {name: HostResult(host=name, outcome="done", changed=9, unchanged=2, seconds=14.2) for name in HOSTS}
    steps = [
        events.StepDone(
            host=name, group="Slurm", step=f"Step {number} of it", outcome="changed", seconds=number / 2 + place / 3
        )
        for place, name in enumerate(HOSTS)
        for number in range(1, 6)
    ]
    facts = [
        events.FactsGathered(host=name, facts=dataclasses.asdict(dataclasses.replace(FACTS, hostname=name)))
        for name in HOSTS
    ]
    _run("20260101-100000-aaaa", "deploy", good, [*facts, *steps], verified=True)
    bad = good | {
        "red02": HostResult(
            host="red02", outcome="failed", seconds=3.0,
            failure=Failure(
                error="StepFailed", what=f"apt was held {HOSTILE}", why=HOSTILE, hint=f"javascript:{HOSTILE}",
                log=(HOSTILE,),
            ),
        )
    }  # fmt: skip
    failed = [events.StepFailed(host="red02", group=HOSTILE, step=HOSTILE, what=HOSTILE, seconds=1.0)]
    _run("20260102-100000-bbbb", "verify", bad, failed, verified=False, notes=(HOSTILE,))
    _job(service, "20260102-100000-0000000b", "verify", "20260102-100000-bbbb", {}, failed)
    _job(service, "20260103-100000-0000000c", "deploy", "", {"dry_run": True, "options": {"max_time": HOSTILE}}, _dry())


def _dry() -> list[events.Event]:
    diff = f"--- slurm.conf\n+++ slurm.conf\n-MaxTime=60\n+MaxTime={HOSTILE}\n SlurmctldHost=red"
    return [
        events.Note(text=HOSTILE),
        *(
            events.StepDone(
                host=name, group="Slurm", step="File /etc/slurm/slurm.conf", outcome="would-change",
                summary=f"other content {HOSTILE}", diff=diff,
            )
            for name in HOSTS
        ),
    ]  # fmt: skip


def _run(
    id: str,
    verb: str,
    hosts: dict[str, HostResult],
    happened: list[Any],
    *,
    verified: bool,
    notes: tuple[str, ...] = (),
) -> None:
    history = History(inventory.folders.history())
    history.begin(id, verb, "slurm", "red", f"bramble {verb} slurm --cluster red")
    report = Report(
        run=id, verb=verb, service="slurm", cluster="red", hosts=hosts, started=time.time(), seconds=15.0,
        verified=verified, notes=notes,
    )  # fmt: skip
    history.end(report, happened)


def _job(
    service: Service, id: str, verb: str, run: str, arguments: dict[str, Any], happened: Sequence[events.Event]
) -> None:
    hosts = [{"host": name, "outcome": "done", "changed": 1, "unchanged": 3, "seconds": 2.0} for name in HOSTS]
    dry = "dry_run" in arguments
    result = {
        "exit_code": 0,
        "dry": dry,
        "changed": 3,
        "hosts": hosts,
        "notes": [HOSTILE],
        "data": {},
        "verified": None,
    }
    now = time.time()
    with service.database.change() as change:
        change.execute(
            "INSERT INTO jobs (id, verb, cluster, service, arguments, secrets, who, state, hosts, created, started,"
            " ended, run, result, problem) VALUES (?,?,?,?,?,'[]',?,?,?,?,?,?,?,?,?)",
            (id, verb, "red", "slurm", json.dumps({"cluster": "red", "service": "slurm", **arguments}), "maria",
             "done", json.dumps(HOSTS), now - 70, now - 70, now - 50, run, json.dumps(result), "null"),
        )  # fmt: skip
        change.executemany(
            "INSERT INTO job_events VALUES (?,?,?,?)",
            [(id, number, one.kind, json.dumps(events.to_json(one))) for number, one in enumerate(happened, 1)],
        )
