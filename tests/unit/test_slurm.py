"""The Slurm room's plans, as data: each file in ``slurm/`` is a case, and ``snapshots/slurm/`` holds what came of it.

To add a case, add a file (see the others for its keys), run ``make snapshots``, and read what was written before
committing it.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from tests.unit.board import PI

from bramble import services
from bramble.errors import BrambleError, PlanError, UsageError
from bramble.model import Cluster, Host
from bramble.runner.facts import Facts
from bramble.services.slurm import SERVICE
from bramble.services.slurm.config import Config, Gres, Partition
from bramble.services.slurm.plan import plan
from bramble.services.slurm.releases import VERSIONS, understands

HERE = Path(__file__).parent
CASES = {file.stem: json.loads(file.read_text()) for file in sorted((HERE / "slurm").glob("*.json"))}
REFUSED = [name for name, case in CASES.items() if "refused" in case]
PLANNED = [name for name in CASES if name not in REFUSED]


def _inputs(case: dict[str, Any]) -> tuple[Cluster, BaseModel, dict[str, Facts]]:
    names = list(case["hosts"])
    addresses = case.get("addresses", {})
    cluster = Cluster(
        name="red",
        hosts=tuple(Host(name=name, address=addresses.get(name, "")) for name in names),
        manager=case.get("manager", names[0]),
    )
    facts = {
        name: Facts.from_json({**asdict(PI), "hostname": name, "address": f"10.1.1.{number}", **different})
        for number, (name, different) in enumerate(case["hosts"].items(), 1)
    }
    return cluster, services.configure(SERVICE, case.get("options", {})), facts


def _made(case: dict[str, Any]) -> dict[str, Any]:
    cluster, config, facts = _inputs(case)
    if "leaving" in case:
        assert SERVICE.leave is not None
        return {"leave": SERVICE.leave(cluster, config, facts, tuple(case["leaving"])).to_json()}
    return {
        "plan": SERVICE.plan(cluster, config, facts).to_json(),
        "verify": SERVICE.verify(cluster, config, facts).to_json(),
    }


@pytest.mark.parametrize("name", PLANNED)
def test_plan_is_as_it_was(name: str, request: pytest.FixtureRequest) -> None:
    made = json.loads(json.dumps(_made(CASES[name])))
    file = HERE / "snapshots" / "slurm" / f"{name}.json"
    if request.config.getoption("update_snapshots"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n")
    assert made == json.loads(file.read_text())


def test_no_snapshot_is_left_over() -> None:
    assert sorted(file.stem for file in (HERE / "snapshots" / "slurm").glob("*.json")) == PLANNED


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_hosts_and_reason(name: str) -> None:
    with pytest.raises(BrambleError) as refused:
        _made(CASES[name])
    assert refused.value.exit_code == 2
    for words in CASES[name]["refused"]:
        assert words in str(refused.value)


@pytest.mark.parametrize("verb", ["plan", "verify", "leave"])
def test_whatever_is_asked_of_it_hosts_that_cannot_have_it_are_refused(verb: str) -> None:
    inputs = _inputs(CASES["refused-clock"])
    besides = {"leaving": inputs[0].hostset.names[-1:]} if verb == "leave" else {}
    with pytest.raises(PlanError, match="clocks differ"):
        getattr(SERVICE, verb)(*inputs, **besides)


@pytest.mark.parametrize("name", PLANNED)
def test_plan_depends_on_nothing_but_its_values(name: str) -> None:
    case = CASES[name]
    if "leaving" in case:
        return
    cluster, config, facts = _inputs(case)
    backwards = dict(reversed(list(facts.items())))
    assert SERVICE.plan(cluster, config, backwards).to_json() == SERVICE.plan(cluster, config, facts).to_json()


def test_no_host_hears_of_a_new_one_before_that_is_ready() -> None:
    made = plan(*_inputs(CASES["three-pis"]))  # type: ignore[arg-type]
    order = [part.title for part in made.groups]
    configuration = next(part for part in made.groups if part.title == "Configuration")
    assert "Packages" in configuration.after
    assert order.index("Key") < order.index("Packages") < order.index("Configuration")


def test_the_key_travels_by_name_only() -> None:
    made = plan(*_inputs(CASES["three-pis"]))  # type: ignore[arg-type]
    assert list(made.secrets()) == ["slurm/munge.key"]
    assert '"$secret": "slurm/munge.key"' in json.dumps(made.to_json())


@pytest.mark.parametrize(
    ("controller", "node", "expected"),
    [
        ("22.05", "22.05", True),
        ("22.05", "21.08", True),
        ("22.05", "20.11", True),
        ("23.11", "22.05", True),
        ("23.11", "21.08", False),
        ("24.11", "23.02", True),
        ("24.11", "22.05", False),
        ("22.05", "23.11", False),
        ("plucky", "plucky", True),
        ("plucky", "22.05", False),
        ("22.05", "plucky", False),
    ],
)
def test_versions_that_understand_each_other(controller: str, node: str, expected: bool) -> None:
    assert understands(controller, node) is expected


def test_no_version_commands_a_newer_one() -> None:
    pairs = [(old, new) for i, old in enumerate(VERSIONS) for new in VERSIONS[i + 1 :]]
    assert not [pair for pair in pairs if understands(*pair)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_time": "soon"}, "max_time: not a time"),
        ({"max_time": True}, "max_time"),
        ({"mpi": "openmpi"}, "mpi"),
        ({"manager_work": "yes"}, "did you mean 'manager_works'?"),
        ({"partitions": "[{name: quick, host: red01}]"}, "partitions.0.host"),
        ({"partitions": "[{name: 'two words'}]"}, "partitions.0.name: not a name"),
        ({"partitions": [{"name": "a"}, {"name": "A"}]}, "a is there twice"),
        ({"partitions": "["}, "not a list as YAML writes it"),
        ({"gres": [{"name": "coral", "hosts": "red01", "count": 0}]}, "gres.0.count"),
        ({"gres": [{"name": "camera", "hosts": "red01", "files": "video0"}]}, "is not a device"),
        ({"extra": ["NodeName=red09"]}, "NodeName is bramble's own to set"),
        ({"extra": ["clustername = blue"]}, "clustername is bramble's own to set"),
        ({"extra": ["nonsense"]}, "is not one line of the form Key=value"),
        ({"extra": ["Key=1\nNodeName=x"]}, "is not one line of the form Key=value"),
        ({"leave_deadline": -1}, "leave_deadline"),
    ],
)
def test_option_that_does_not_fit_is_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as refused:
        services.configure(SERVICE, options)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [(30, "30"), ("1:00:00", "1:00:00"), ("2-12", "2-12"), ("unlimited", "UNLIMITED"), ("INFINITE", "UNLIMITED")],
)
def test_forms_of_a_time(given: object, expected: str) -> None:
    assert Config(max_time=given).max_time == expected


def test_lists_come_from_a_command_line_as_from_a_file() -> None:
    text = {"partitions": "[{name: quick, hosts: 'red[01-02]', max_time: 30}]", "extra": "['KillWait=10']"}
    data = {"partitions": [{"name": "quick", "hosts": "red[01-02]", "max_time": 30}], "extra": ["KillWait=10"]}
    assert services.configure(SERVICE, text) == services.configure(SERVICE, data)


@pytest.mark.parametrize(
    ("files", "expected"), [("", 3), ("/dev/video0", 1), ("/dev/video[0-3]", 4), ("/dev/apex_0,/dev/apex_1", 2)]
)
def test_resources_are_counted(files: str, expected: int) -> None:
    assert Gres(name="thing", hosts="red01", count=3, files=files).number == expected


@pytest.mark.parametrize("model", [Config, Partition, Gres])
def test_every_option_is_described(model: type[BaseModel]) -> None:
    assert not [name for name, field in model.model_fields.items() if not field.description]
