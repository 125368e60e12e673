"""The Spark room's plan, as data, and what it refuses."""

from __future__ import annotations

import dataclasses
import json
import re
from importlib.resources import files
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from tests.unit.board import PI

from bramble import services
from bramble.errors import PlanError, UsageError
from bramble.model import Cluster, Host
from bramble.runner.facts import Facts
from bramble.runner.secret import Secret
from bramble.runner.steps import Command, File, Look, Probe, Unit
from bramble.services.spark import SERVICE

HOSTS = tuple(Host(name=name, user="pi") for name in ("red", "red01", "red02"))
CLUSTER = Cluster(name="red", hosts=HOSTS, manager="red")
ALONE = Cluster(name="red", hosts=HOSTS[:1], manager="red")
USUAL = {
    host.name: dataclasses.replace(PI, hostname=host.name, address=f"10.1.1.{number}", addresses=("127.0.1.1",))
    for number, host in enumerate(HOSTS, 1)
}

DEFAULTS = "/etc/spark/spark-defaults.conf"


def plan(cluster: Cluster = CLUSTER, facts: dict[str, Facts] | None = None, **options: object) -> Any:
    return SERVICE.plan(cluster, services.configure(SERVICE, options), facts or USUAL)


def with_facts(host: str, **changes: Any) -> dict[str, Facts]:
    return {**USUAL, host: dataclasses.replace(USUAL[host], **changes)}


def text_of(made: Any, host: str, path: str) -> str:
    """What a file of a plan holds, with the names of its secrets."""
    steps = [step for part in made.of(host) for step in part.steps[host]]
    (content,) = (step.content for step in steps if isinstance(step, File) and step.path == path)
    parts = content if isinstance(content, tuple) else (content,)
    return "".join(f"<{part.name}>" if isinstance(part, Secret) else part for part in parts)


@pytest.mark.parametrize(
    ("cluster", "options"),
    [(CLUSTER, {}), (ALONE, {}), (CLUSTER, {"manager_works": "yes", "users": "[ann, bob]", "worker_memory": "1500"})],
    ids=["three-pis", "one-pi", "options"],
)
def test_plan_is_as_it_was(cluster: Cluster, options: dict[str, Any], snapshot: SnapshotAssertion) -> None:
    made = plan(cluster, **options).to_json()
    for part in made["groups"]:
        for hosts in part["hosts"]:
            for step in hosts["steps"]:
                step.pop("content", None)  # texts have tests of their own, or the daemons read them
    assert json.dumps(made, indent=1, ensure_ascii=False) == snapshot


def test_the_manager_works_only_where_it_is_alone_or_shall() -> None:
    assert sorted(next(p for p in plan().groups if p.title == "Workers").steps) == ["red01", "red02"]
    assert sorted(next(p for p in plan(ALONE).groups if p.title == "Workers").steps) == ["red"]
    works = plan(manager_works="yes")
    assert sorted(next(p for p in works.groups if p.title == "Workers").steps) == ["red", "red01", "red02"]


@pytest.mark.parametrize(
    ("memory", "worker", "executor"), [(920, 512, 512), (1850, 925, 925), (3794, 1897, 1024), (7800, 3900, 1024)]
)
def test_memory_follows_the_host(memory: int, worker: int, executor: int) -> None:
    facts = {name: dataclasses.replace(one, memory=memory * 2**20) for name, one in USUAL.items()}
    made = plan(facts=facts)
    assert f"--memory {worker}m" in text_of(made, "red01", "/etc/systemd/system/spark-worker.service")
    assert re.search(rf"spark.executor.memory +{executor}m", text_of(made, "red", "/etc/spark/spark-defaults.conf"))


def test_daemons_and_programs_know_each_other_by_a_secret_that_only_the_group_reads() -> None:
    made = plan()
    text = text_of(made, "red01", "/etc/spark/spark-defaults.conf")
    assert re.search(r"^spark.authenticate +true$", text, re.MULTILINE)
    assert re.search(r"^spark.network.crypto.enabled +true$", text, re.MULTILINE)
    assert re.search(r"^spark.authenticate.secret +<spark/secret>$", text, re.MULTILINE)
    steps = [step for part in made.of("red01") for step in part.steps["red01"]]
    (conf,) = (step for step in steps if isinstance(step, File) and step.path == "/etc/spark/spark-defaults.conf")
    assert (conf.mode, conf.owner, conf.group) == (0o640, "root", "spark")
    daemons = text_of(made, "red", "/etc/spark/daemons.conf")
    assert "spark.authenticate.secret             <spark/secret>\n" in daemons
    assert re.search(r"^spark.master.rest.enabled +false$", daemons, re.MULTILINE)
    assert re.search(r"^spark.ui.killEnabled +false$", daemons, re.MULTILINE)


def test_everything_goes_by_address_and_the_manager_s_own_name_works_there_too() -> None:
    made = plan()
    assert "--host 10.1.1.1 " in text_of(made, "red", "/etc/systemd/system/spark-master.service")
    assert "spark://10.1.1.1:7077" in text_of(made, "red02", "/etc/systemd/system/spark-worker.service")
    assert "ListenStream=127.0.1.1:7077" in text_of(made, "red", "/etc/systemd/system/spark-master-name.socket")
    known = {name: dataclasses.replace(one, addresses=(one.address,)) for name, one in USUAL.items()}
    assert "Name" not in [part.title for part in plan(facts=known).groups]


@pytest.mark.parametrize(
    ("facts", "host", "what"),
    [
        (with_facts("red01", memory=450 * 2**20), "red01", "it has 450 MiB of memory, and Spark needs 800"),
        (with_facts("red", ports={"7077": "python3 (pid 8, web.service)"}), "red", "port 7077.*web.service"),
        (with_facts("red01", ports={"8081": "python3 (pid 8)"}), "red01", "port 8081"),
        (with_facts("red02", address="", addresses=()), "red02", "no address"),
    ],
    ids=["memory", "master's port", "worker's port", "address"],
)
def test_what_cannot_be_is_refused_by_name(facts: dict[str, Facts], host: str, what: str) -> None:
    with pytest.raises(PlanError, match=what) as caught:
        plan(facts=facts)
    assert caught.value.host == host and caught.value.hint


def test_hosts_of_different_pythons_are_refused_by_name() -> None:
    with pytest.raises(PlanError, match=r"red, red01: Python 3\.11; red02: Python 3\.13"):
        plan(facts=with_facts("red02", python="3.13.5"))


def test_a_lone_small_pi_is_refused_and_more_than_there_is_too() -> None:
    facts = {name: dataclasses.replace(one, memory=920 * 2**20) for name, one in USUAL.items()}
    with pytest.raises(PlanError, match="1750 there and the master beside it"):
        plan(ALONE, facts)
    with pytest.raises(PlanError, match="worker_memory is 4000"):
        plan(facts=facts, worker_memory="4000")
    with pytest.raises(UsageError, match="worker_memory"):
        plan(worker_memory="400")


def test_its_own_daemons_do_not_stand_in_its_way() -> None:
    ours = {"7077": "java (pid 8, spark-master.service)", "8080": "java (pid 8, spark-master.service)"}
    assert plan(facts=with_facts("red", ports=ours))
    by_name = {"7077": "systemd (pid 1)"}
    assert plan(facts=with_facts("red", ports=by_name, paths=("/etc/systemd/system/spark-master-name.socket",)))
    with pytest.raises(PlanError, match="port 7077"):
        plan(facts=with_facts("red", ports=by_name))


def test_every_worker_must_take_part() -> None:
    proof = SERVICE.verify(CLUSTER, services.configure(SERVICE, {}), USUAL)
    alive, work = proof.groups[0].steps["red"]
    assert isinstance(alive, Probe) and alive.expect_lines == ("red01", "red02")
    assert alive.argv[-2:] == ("red01=10.1.1.2", "red02=10.1.1.3")
    assert isinstance(work, Probe) and work.expect_lines
    assert {"pi is 3.14159", "words are as counted apart", "red01 took part"} <= set(work.expect_lines)
    assert "the history server tells of it" not in work.expect_lines
    assert "red02 read what other hosts wrote" in work.expect_lines
    lone = SERVICE.verify(ALONE, services.configure(SERVICE, {}), USUAL).groups[0].steps["red"][1]
    assert isinstance(lone, Probe) and not any("other hosts" in line for line in lone.expect_lines or ())


def test_what_programs_ask_for_by_default_is_nothing_that_daemons_start_anew_for() -> None:
    """Or a host that joins, or leaves, would end everybody's programs."""

    def daemons(made: Any, host: str) -> tuple[Any, ...]:
        steps = [step for part in made.of(host) for step in part.steps[host]]
        units = [step for step in steps if isinstance(step, Unit) and step.name in ("spark-master", "spark-worker")]
        paths = {path for unit in units for path in unit.restart_on}
        mine = [step for step in steps if isinstance(step, File)]
        return tuple(step for step in mine if step.path in paths or step.path.endswith((".service", ".socket")))

    small = with_facts("red02", memory=920 * 2**20)
    for host in ("red", "red01"):
        assert daemons(plan(facts=small), host) == daemons(plan(), host) != ()
    assert text_of(plan(facts=small), "red", DEFAULTS) != text_of(plan(), "red", DEFAULTS)


def test_history_and_connect_are_on_the_manager_and_have_their_memory() -> None:
    options: dict[str, Any] = {"history": "yes", "connect": "yes", "manager_works": "yes"}
    made = plan(**options)
    titles = {part.title: sorted(part.steps) for part in made.groups}
    assert titles["History"] == titles["Connect"] == ["red"]
    memory = USUAL["red"].memory // 2**20
    worker = text_of(made, "red", "/etc/systemd/system/spark-worker.service")
    assert f"--memory {(memory - 250 - 600) // 2}m" in worker
    connect = text_of(made, "red", "/etc/spark/connect.conf")
    assert re.search(r"^spark.connect.grpc.binding.address +127.0.0.1$", connect, re.MULTILINE)
    assert re.search(r"^spark.connect.authenticate.token +<spark/connect-token>$", connect, re.MULTILINE)
    steps = [step for part in made.of("red") for step in part.steps["red"]]
    modes = {step.path: step.mode for step in steps if isinstance(step, File)}
    assert modes["/etc/spark/connect.conf"] == modes["/etc/spark/connect.token"] == 0o640
    proof = SERVICE.verify(CLUSTER, services.configure(SERVICE, options), USUAL).groups[0].steps["red"]
    assert isinstance(proof[1], Probe) and "the history server tells of it" in (proof[1].expect_lines or ())
    assert [step.title for step in proof[2:]] == ["Spark Connect answers who has the token, and nobody else"]
    small = with_facts("red", memory=1600 * 2**20)
    with pytest.raises(PlanError, match="Spark needs 1650 there") as caught:
        plan(facts=small, history="yes", connect="yes")
    assert "--set history=no --set connect=no" in caught.value.hint


def test_records_go_where_the_option_says() -> None:
    made = plan(events="hdfs://red:8020/events", history="yes")
    for path in (DEFAULTS, "/etc/spark/history.conf"):
        assert "hdfs://red:8020/events\n" in text_of(made, "red", path)
    with pytest.raises(UsageError, match="is not a URL"):
        plan(events="/srv/events")


def test_hosts_that_leave_are_let_go_by_the_master_first() -> None:
    assert SERVICE.leave
    config = services.configure(SERVICE, {"leave_deadline": "30"})
    (part,) = SERVICE.leave(CLUSTER, config, USUAL, ("red02",)).groups
    (step,) = part.steps["red"]
    assert isinstance(step, Command) and step.unless
    assert step.argv[-4:] == ("leave", "http://10.1.1.1:8080", "30", "red02=10.1.1.3:8081")
    assert step.unless[-4:] == ("gone", *step.argv[-3:]) and (step.timeout or 0) > 30
    # A host that does not answer has nothing to hand on.
    known = {name: one for name, one in USUAL.items() if name != "red02"}
    assert SERVICE.leave(CLUSTER.without(("red02",)), config, known, ("red02",)).groups == ()


def test_an_upgrade_stops_nothing_before_every_host_has_and_tried_the_new_version() -> None:
    assert SERVICE.upgrade
    config = services.configure(SERVICE, {"version": "4.2.1"})
    made = SERVICE.upgrade(CLUSTER, config, USUAL, "4.1.4")
    assert [(part.title, part.after, part.requires, sorted(part.steps)) for part in made.groups] == [
        ("Spark", (), (), ["red", "red01", "red02"]),
        ("Programs", ("Spark",), ("red", "red01", "red02"), ["red"]),
        ("Master", ("Programs",), (), ["red"]),
        ("Workers", ("Master",), ("red",), ["red01", "red02"]),
    ]
    assert [one.version for one in made.artifacts] == ["4.2.1"]
    # Units and commands are the same in each version, so nothing is started anew after it.
    paths = ["/etc/systemd/system/spark-worker.service", "/usr/local/lib/bramble/spark-command"]
    for path in paths:
        assert text_of(plan(version="4.1.4"), "red01", path) == text_of(plan(), "red01", path)


def test_a_look_asks_the_master_for_every_worker() -> None:
    assert SERVICE.look
    (part,) = SERVICE.look(CLUSTER, services.configure(SERVICE, {}), USUAL).groups
    (step,) = part.steps["red"]
    assert isinstance(step, Look)
    assert step.argv[-3:] == ("http://10.1.1.1:8080", "red01=10.1.1.2", "red02=10.1.1.3")


def test_every_file_of_the_room_is_used() -> None:
    texts = "".join(
        path.read_text() for path in (files("bramble.services.spark") / "").iterdir() if path.name.endswith(".py")
    )
    for file in (files("bramble.services.spark") / "files").iterdir():
        if file.name == "__pycache__":
            continue
        # A daemon's unit is made by its name.
        assert f'"{file.name}"' in texts or f'"{file.name.removesuffix(".service")}"' in texts, file.name


def test_beside_hadoop_programs_work_with_its_files_and_leave_its_tasks_their_memory() -> None:
    beside = {
        name: dataclasses.replace(one, memory=4096 * 2**20, paths=("/etc/hadoop/core-site.xml",))
        for name, one in USUAL.items()
    }
    assert "--memory 1024m" in text_of(plan(facts=beside), "red01", "/etc/systemd/system/spark-worker.service")
    proof = SERVICE.verify(CLUSTER, services.configure(SERVICE, {}), beside).groups[0].steps["red"][1]
    assert isinstance(proof, Probe) and "lines came back from Hadoop's files" in (proof.expect_lines or ())
    usual = SERVICE.verify(CLUSTER, services.configure(SERVICE, {}), USUAL).groups[0].steps["red"][1]
    assert isinstance(usual, Probe) and not any("Hadoop" in line for line in usual.expect_lines or ())
