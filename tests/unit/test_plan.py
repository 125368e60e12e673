"""Plans: pure data with barriers."""

from __future__ import annotations

import pytest

from bramble.plan import Plan, group
from bramble.runner.steps import File

A = File(path="/etc/a", content="a")


def test_a_function_makes_the_steps_of_one_host() -> None:
    part = group("Files", ["red", "red01"], A, lambda host: File(path="/etc/name", content=host))
    assert part.steps["red01"] == (A, File(path="/etc/name", content="red01"))


def test_hosts_with_equal_steps_share_an_entry() -> None:
    plan = Plan(service="x", groups=(group("Files", ["red", "red01"], A),))
    assert [entry["hosts"] for entry in plan.to_json()["groups"][0]["hosts"]] == [["red", "red01"]]


def test_a_barrier_must_name_an_earlier_group() -> None:
    with pytest.raises(ValueError, match="no earlier group"):
        Plan(service="x", groups=(group("One", ["red"], A, after=["Two"]), group("Two", ["red"], A)))


def test_titles_are_unique() -> None:
    with pytest.raises(ValueError, match="two groups"):
        Plan(service="x", groups=(group("One", ["red"], A), group("One", ["red01"], A)))
