"""Hosts, clusters, and the rule that chooses the manager."""

from __future__ import annotations

import pytest

from bramble.errors import HostExpressionError, UsageError
from bramble.model import Cluster, Deployment, Host, HostSet, choose_manager


def cluster(expression: str = "red,red[01-02]", **fields: object) -> Cluster:
    hosts = tuple(Host.parse(entry) for entry in HostSet.parse(expression))
    given = {"name": "red", "hosts": hosts, "manager": "red", **fields}
    return Cluster(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("names", "asked", "in_file", "manager", "rule"),
    [
        ("red,red[01-02]", "", "", "red", "the only name without a digit"),
        ("red[01-02],red", "", "", "red", "the only name without a digit"),
        ("red,red[01-02]", "red02", "", "red02", "--manager"),
        ("red,red[01-02]", "red02", "red01", "red02", "--manager"),
        ("red,red[01-02]", "", "red01", "red01", "the cluster file says so"),
        ("red[01-02]", "", "", "red01", "the first host"),
        ("red02,red01", "", "", "red02", "the first host"),
        ("red,blue,red01", "", "", "red", "the first host"),
        ("10.1.1.[1-2]", "", "", "10.1.1.1", "the first host"),
        ("fe80::a,red01", "", "", "fe80::a", "the first host"),
        ("red01,::a,::b", "", "", "red01", "the first host"),
        ("red01", "", "", "red01", "the only host"),
    ],
)
def test_manager(names: str, asked: str, in_file: str, manager: str, rule: str) -> None:
    assert choose_manager(HostSet.parse(names).names, asked, in_file) == (manager, rule)


def test_a_manager_has_to_be_one_of_the_hosts() -> None:
    with pytest.raises(UsageError, match="the manager blue is not one of the hosts") as caught:
        choose_manager(["red", "red01"], "blue")
    assert "red,red01" in caught.value.hint
    with pytest.raises(UsageError, match="at least one host"):
        choose_manager([])


def test_one_manager_is_named_and_not_two() -> None:
    with pytest.raises(UsageError, match="2 managers are named, red,red01") as refused:
        choose_manager(["red", "red01"], asked="red,red01")
    assert refused.value.hint == "name one of them: --manager red"


def test_a_host_from_an_entry() -> None:
    assert Host.parse("pi@red01:2222") == Host(name="red01", user="pi", port=2222)
    assert Host.parse("[2001:db8::1]:22") == Host(name="2001:db8::1", port=22)
    with pytest.raises(ValueError, match="not a host name"):
        Host.parse("red_1")


def test_hosts_can_stand_in_sets() -> None:
    assert {Host(name="red", labels={"a": "b"}), Host(name="red", labels={"a": "b"})} == {
        Host(name="red", labels={"a": "b"})
    }


def test_who_is_in_it() -> None:
    red = cluster()
    assert red.hostset.names == ("red", "red01", "red02")
    assert red.workers.names == ("red01", "red02")
    assert red.host("red01").name == "red01"
    with pytest.raises(KeyError):
        red.host("red09")
    with pytest.raises(ValueError, match="two hosts"):
        cluster("red,pi@red")


def test_groups_and_those_that_every_cluster_has() -> None:
    red = cluster(groups={"gpu": HostSet(["red02"])})
    assert red.parse("@all") == red.hostset
    assert red.parse("@workers!@gpu").names == ("red01",)
    assert red.parse("@manager").names == ("red",)
    with pytest.raises(HostExpressionError, match="no group @gpus") as caught:
        red.parse("@gpus")
    assert caught.value.hint == "did you mean @gpu?"


def test_more_and_fewer_hosts() -> None:
    red = cluster()
    more = red.with_hosts([Host(name="red03"), Host(name="red01", user="pi")])
    assert more.hostset.names == ("red", "red01", "red02", "red03")
    assert more.host("red01").user == "pi"
    assert red.without(["red01"]).hostset.names == ("red", "red02")
    assert red.only(["red02", "red"]).hostset.names == ("red", "red02"), "in the cluster's order"


def test_no_other_host_takes_over_from_a_manager_that_is_left_out() -> None:
    assert cluster().without(["red"]).manager == "red"
    assert cluster().only(["red01"]).manager == "red"


def test_members_of_a_service() -> None:
    red = cluster(services={"slurm": Deployment(), "spark": Deployment(hosts=HostSet(["red01", "red02"]))})
    assert red.members_of("slurm") == red.hostset
    assert red.members_of("spark").names == ("red01", "red02")
    assert red.without(["red02"]).members_of("spark").names == ("red01",)
    assert red.members_of("unknown") == red.hostset
