"""Labels and taints of Kubernetes' nodes: what a cluster file may say, and what comes of it."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from tests.unit.test_kubernetes import CLUSTER, FACTS

from bramble import services
from bramble.errors import PlanError, UsageError
from bramble.model import Host
from bramble.plan import Plan
from bramble.runner.steps import Command
from bramble.services.kubernetes import SERVICE


def planned(labels: dict[str, dict[str, str]], **options: object) -> Plan:
    hosts = tuple(Host(name=host.name, labels=labels.get(host.name, {})) for host in CLUSTER.hosts)
    return SERVICE.plan(dataclasses.replace(CLUSTER, hosts=hosts), services.configure(SERVICE, options), FACTS)


def marks(plan: Plan) -> dict[str, Any]:
    (group,) = (part for part in plan.groups if part.title == "Labels")
    (step,) = group.steps["red"]
    assert isinstance(step, Command) and isinstance(step.input, str)
    return dict(json.loads(step.input))


def test_hosts_with_a_stick_are_labelled_and_keep_others_off() -> None:
    plan = planned({"red01": {"stick": "coral"}, "red02": {"stick": "usb"}}, taints="stick=coral:NoSchedule")
    taint = {"key": "stick", "value": "coral", "effect": "NoSchedule"}
    assert marks(plan) == {
        "red": {"labels": {}, "taints": []},
        "red01": {"labels": {"stick": "coral"}, "taints": [taint]},
        "red02": {"labels": {"stick": "usb"}, "taints": []},
    }
    every = marks(planned({"red01": {"stick": "coral"}, "red02": {"stick": "usb"}}, taints=["stick:NoExecute"]))
    assert [one["taints"][0]["value"] for one in every.values() if one["taints"]] == ["coral", "usb"]


def test_without_labels_there_is_nothing_to_do_and_what_was_set_is_put_back() -> None:
    assert all(part.title != "Labels" for part in planned({}).groups)


@pytest.mark.parametrize("name", ["kubernetes.io/os", "node-role.kubernetes.io/worker", "x.k8s.io/a"])
def test_names_that_kubernetes_keeps_for_itself_are_refused(name: str) -> None:
    with pytest.raises(PlanError, match=f"red01: the label {name} is Kubernetes' own"):
        planned({"red01": {name: "x"}})


@pytest.mark.parametrize("name", ["topology.kubernetes.io/zone", "example.org/rack", "node.kubernetes.io/speed"])
def test_other_names_are_taken(name: str) -> None:
    assert marks(planned({"red01": {name: "x"}}))["red01"]["labels"] == {name: "x"}


@pytest.mark.parametrize(
    ("label", "word"),
    [(("a b", "c"), "name 'a b'"), (("rack", "on the left"), "value 'on the left'"), (("A_/x", "1"), "name 'A_/x'")],
)
def test_labels_for_other_services_do_not_disturb(label: tuple[str, str], word: str) -> None:
    plan = planned({"red01": dict([label])})
    (note,) = plan.notes
    assert note.startswith("red01: not a label of the node") and word in note
    assert all(part.title != "Labels" for part in plan.groups)


def test_a_taint_for_nobody_is_told() -> None:
    (note,) = planned({"red01": {"stick": "coral"}}, taints="stik:NoSchedule").notes
    assert "no host has the label stik (did you mean 'stick'?)" in note


@pytest.mark.parametrize(
    ("taints", "words"),
    [
        ("stick", "LABEL:EFFECT"),
        ("stick:NoShedule", "did you mean NoSchedule"),
        ("a b:NoSchedule", "the name 'a b'"),
        ("stick=a b:NoSchedule", "the value 'a b'"),
    ],
)
def test_taints_that_cannot_be_are_refused(taints: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        services.configure(SERVICE, {"taints": taints})
