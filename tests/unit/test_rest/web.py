"""A cluster with a past, to look at: in tests with texts of somebody who means ill, in pictures with usual ones."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import time
from collections.abc import Sequence
from typing import Any

from bramble import api, inventory
from bramble.engine.history import History
from bramble.engine.report import Failure, HostResult, Report
from bramble.rest.service import Service
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

#: What was run in the days before, and how long that took.
_EARLIER = (
    ("deploy", 95.0), ("verify", 21.0), ("deploy", 40.0), ("verify", 18.0), ("deploy", 31.0), ("deploy", 17.0),
    ("verify", 19.0), ("deploy", 14.0),
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Words:
    """Texts that come from hosts and people."""

    option: str = HOSTILE
    what: str = f"apt was held {HOSTILE}"
    why: str = HOSTILE
    hint: str = f"javascript:{HOSTILE}"
    log: tuple[str, ...] = (HOSTILE,)
    group: str = HOSTILE
    step: str = HOSTILE
    summary: str = f"other content {HOSTILE}"
    note: str = HOSTILE


def with_a_past(service: Service, words: Words = Words()) -> None:
    """Make the cluster red with Slurm on it, of which red02 once failed; and what somebody would change next."""
    api.hosts_add("red,red[01-02]", cluster="red")
    inventory.save_service(inventory.resolve(cluster="red"), "slurm", {"max_time": "2:00:00"})
    good = {name: HostResult(host=name, outcome="done", changed=9, unchanged=2, seconds=14.2) for name in HOSTS}
    steps = [
        events.StepDone(
            host=name, group="Slurm", step=step, outcome="changed", seconds=seconds + place / 3
        )
        for place, name in enumerate(HOSTS)
        for step, seconds in (
            ("Packages munge, slurmd", 6.1), ("File /etc/munge/munge.key", 0.3), ("File /etc/slurm/slurm.conf", 0.4),
            ("Service munge", 1.2), ("Service slurmd", 2.4),
        )
    ]  # fmt: skip
    facts = [
        events.FactsGathered(host=name, facts=dataclasses.asdict(dataclasses.replace(FACTS, hostname=name)))
        for name in HOSTS
    ]
    for day, (verb, seconds) in enumerate(_EARLIER, 1):
        _run(f"202512{day:02}-100000-eeee", verb, good, [], verified=True, ago=20 - day, seconds=seconds)
    _run("20260101-100000-aaaa", "deploy", good, [*facts, *steps], verified=True)
    failure = Failure(error="StepFailed", what=words.what, why=words.why, hint=words.hint, log=words.log)
    bad = good | {"red02": HostResult(host="red02", outcome="failed", seconds=3.0, failure=failure)}
    failed = [events.StepFailed(host="red02", group=words.group, step=words.step, what=words.what, seconds=1.0)]
    told = _run("20260102-100000-bbbb", "verify", bad, failed, verified=False, notes=(words.note,))
    _job(service, "20260102-100000-0000000b", "verify", "20260102-100000-bbbb", {}, failed, told)
    some = {name: HostResult(host=name, outcome="done", changed=1, unchanged=3, seconds=2.0) for name in HOSTS}
    dry = Report(run="", verb="deploy", service="slurm", cluster="red", dry=True, hosts=some, notes=(words.note,))
    asked = {"dry_run": True, "options": {"max_time": words.option}}
    _job(service, "20260103-100000-0000000c", "deploy", "", asked, _dry(words), dry.to_json())

    (service.files.folder / "red-kubernetes.backup").write_bytes(b"x" * 2_400_000)
    kept = {"file": "red-kubernetes.backup", "size": 2_400_000}
    backup = Report(
        run="", verb="backup", service="kubernetes", cluster="red", hosts={"red": good["red"]}, data=kept,
        notes=(words.note,),
    )  # fmt: skip
    _job(service, "20260104-100000-0000000d", "backup", "", {"service": "kubernetes"}, [], backup.to_json())


def _dry(words: Words) -> list[events.Event]:
    diff = f"--- slurm.conf\n+++ slurm.conf\n-MaxTime=60\n+MaxTime={words.option}\n SlurmctldHost=red"
    return [
        events.Note(text=words.note),
        *(
            events.StepDone(
                host=name, group="Slurm", step="File /etc/slurm/slurm.conf", outcome="would-change",
                summary=words.summary, diff=diff,
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
    ago: float = 0,
    seconds: float = 15.0,
) -> dict[str, Any]:
    history = History(inventory.folders.history())
    history.begin(id, verb, "slurm", "red", f"bramble {verb} slurm --cluster red")
    report = Report(
        run=id, verb=verb, service="slurm", cluster="red", hosts=hosts, started=time.time(), seconds=seconds,
        verified=verified, notes=notes,
    )  # fmt: skip
    history.end(report, happened)
    with sqlite3.connect(inventory.folders.history()) as database:
        database.execute("UPDATE runs SET started = started - ? WHERE id = ?", (86400 * ago, id))
    return report.to_json()


def _job(
    service: Service,
    id: str,
    verb: str,
    run: str,
    arguments: dict[str, Any],
    happened: Sequence[events.Event],
    result: dict[str, Any],
) -> None:
    now, state = time.time(), "failed" if result["exit_code"] else "done"
    asked = {"cluster": "red", "service": "slurm", **arguments}
    with service.database.change() as change:
        change.execute(
            "INSERT INTO jobs (id, verb, cluster, service, arguments, secrets, who, state, hosts, created, started,"
            " ended, run, result, problem) VALUES (?,?,?,?,?,'[]','maria',?,?,?,?,?,?,?,'null')",
            (id, verb, "red", asked["service"], json.dumps(asked), state, json.dumps(HOSTS), now - 70, now - 70,
             now - 50, run, json.dumps(result)),
        )  # fmt: skip
        change.executemany(
            "INSERT INTO job_events VALUES (?,?,?,?)",
            [(id, number, one.kind, json.dumps(events.to_json(one))) for number, one in enumerate(happened, 1)],
        )
