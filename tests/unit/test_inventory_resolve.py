"""Which cluster is meant, by what was said and what files there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from bramble import inventory
from bramble.errors import ClusterFileError, HostExpressionError, UsageError
from bramble.model import Host, HostSet


def write(name: str, text: str) -> Path:
    path = inventory.folders.cluster_file(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def red() -> Path:
    return write(
        "red", 'hosts: "red,red[01-02]"\nuser: pi\naddresses:\n  red01: 10.1.1.11\n  red02: admin@10.1.1.12:22\n'
    )


@pytest.fixture
def blue() -> Path:
    return write("blue", "hosts: blue[01-02]\nmanager: blue02\ngroups:\n  gpu: blue01\n")


def test_hosts_alone_make_a_cluster_without_a_file() -> None:
    cluster = inventory.resolve(hosts="red,red[01-02]")
    assert cluster.hostset.names == ("red", "red01", "red02")
    assert (cluster.name, cluster.manager, cluster.file) == ("red", "red", "")
    assert not inventory.folders.clusters().exists(), "looking writes nothing"


def test_what_is_told_holds_for_all_hosts(red: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    for cluster in (inventory.resolve(hosts="x[1-2]", user="admin", port=2222, key="k", jump="gate"),
                    inventory.resolve(user="admin", port=2222, key="~/k", jump="gate")):  # fmt: skip
        assert {(h.user, h.port, h.key, h.jump) for h in cluster.hosts} == {("admin", 2222, str(home / "k"), "gate")}


def test_users_and_ports_in_the_expression() -> None:
    cluster = inventory.resolve(hosts="pi@red01:2222,red02")
    assert cluster.hosts == (Host(name="red01", user="pi", port=2222), Host(name="red02"))


@pytest.mark.parametrize(
    ("said", "manager", "rule", "name"),
    [
        ({"hosts": "red[01-02]"}, "red01", "the first host", "red01"),
        ({"hosts": "red[01-02]", "manager": "red02"}, "red02", "--manager", "red02"),
        ({"hosts": "red,red01", "manager": "red01"}, "red01", "--manager", "red01"),
        ({"hosts": "fe80::1%eth0"}, "fe80::1%eth0", "the only host", "fe80--1-eth0"),
        ({"hosts": "::1"}, "::1", "the only host", "1"),
    ],
)
def test_a_new_cluster_is_named_after_its_manager(said: dict[str, str], manager: str, rule: str, name: str) -> None:
    cluster = inventory.resolve(**said)  # type: ignore[arg-type]
    assert (cluster.manager, cluster.manager_rule, cluster.name) == (manager, rule, name)


def test_nothing_said_means_the_only_cluster(red: Path) -> None:
    assert inventory.resolve().name == "red"
    assert inventory.resolve().file == str(red)


def test_nothing_said_and_nothing_there() -> None:
    with pytest.raises(UsageError, match="no hosts are named, and there is no cluster yet") as caught:
        inventory.resolve()
    assert "--hosts" in caught.value.hint


def test_nothing_said_and_several_there(red: Path, blue: Path) -> None:
    with pytest.raises(UsageError, match="several clusters, and none is named: blue, red") as caught:
        inventory.resolve()
    assert caught.value.hint == "--cluster blue"


def test_by_name(red: Path, blue: Path) -> None:
    cluster = inventory.resolve(cluster="blue")
    assert (cluster.manager, cluster.manager_rule) == ("blue02", "the cluster file says so")
    assert inventory.resolve(cluster="blue", manager="blue01").manager_rule == "--manager"
    with pytest.raises(UsageError, match="there is no cluster 'bleu'"):
        inventory.resolve(cluster="bleu")


def test_only_the_named_file_is_read(red: Path) -> None:
    write("broken", "hosts: [\n")
    assert inventory.resolve(cluster="red").name == "red"
    with pytest.raises(ClusterFileError, match="broken"):
        inventory.resolve(hosts="red01")


def test_several_by_name(red: Path, blue: Path) -> None:
    assert [cluster.name for cluster in inventory.resolve_all(cluster="red, blue,red")] == ["red", "blue"]
    with pytest.raises(UsageError, match="red, blue: several clusters where one is wanted"):
        inventory.resolve(cluster="red,blue")


def test_hosts_of_a_file_go_the_way_it_tells(red: Path, blue: Path) -> None:
    cluster = inventory.resolve(hosts="red,red02")
    assert (cluster.name, cluster.file, cluster.manager) == ("red", str(red), "red")
    assert cluster.manager_rule == "the only name without a digit"
    assert cluster.hosts == (
        Host(name="red", user="pi"), Host(name="red02", address="10.1.1.12", user="admin", port=22)
    )  # fmt: skip
    assert inventory.resolve(hosts="root@red01").hosts == (Host(name="red01", address="10.1.1.11", user="root"),)


def test_hosts_without_the_files_manager_choose_anew(blue: Path) -> None:
    cluster = inventory.resolve(hosts="blue01")
    assert (cluster.manager, cluster.manager_rule) == ("blue01", "the only host")


def test_hosts_new_to_a_file_go_the_way_of_the_others(red: Path) -> None:
    cluster = inventory.resolve(hosts="red,red[01-03]")
    assert cluster.name == "red"
    assert cluster.host("red03") == Host(name="red03", user="pi")
    assert cluster.host("red02").user == "admin"


def test_a_named_cluster_takes_no_strangers(red: Path) -> None:
    with pytest.raises(UsageError, match="red03 is not in the cluster red") as caught:
        inventory.resolve(cluster="red", hosts="red[02-03]")
    assert "bramble hosts add red03 --cluster red" in caught.value.hint


def test_hosts_of_several_files(red: Path, blue: Path) -> None:
    with pytest.raises(UsageError, match=r"red,blue01 is in several clusters: blue, red") as caught:
        inventory.resolve(hosts="red,blue01")
    assert caught.value.hint == "--cluster blue"
    write("both", "hosts: red,blue01\n")
    assert inventory.resolve(hosts="red,blue01").name == "both", "the one that has them all"


def test_groups(red: Path) -> None:
    assert inventory.resolve(hosts="@workers").hostset.names == ("red01", "red02")
    write("blue", "hosts: blue[01-02]\nmanager: blue02\ngroups:\n  gpu: blue01\n")
    assert inventory.resolve(cluster="blue", hosts="@gpu").hostset.names == ("blue01",)
    with pytest.raises(HostExpressionError, match="no group @gpu") as caught:
        inventory.resolve(hosts="@gpu")
    assert "--cluster" in caught.value.hint


def test_no_hosts_at_all(red: Path) -> None:
    for said in ({"hosts": "red!red"}, {"hosts": "red!red", "cluster": "red"}):
        with pytest.raises(UsageError, match="no hosts"):
            inventory.resolve(**said)  # type: ignore[arg-type]


def test_one_host_in_two_ways(red: Path) -> None:
    for expression in ("x,pi@x", "red,pi@red"):
        with pytest.raises(UsageError, match="named with two users or ports"):
            inventory.resolve(hosts=expression)


def test_more_hosts_as_the_file_knows_them(red: Path) -> None:
    part = inventory.resolve(hosts="red")
    more = inventory.with_hosts(part, HostSet(["red02", "red03", "root@red04:99"]))
    assert more.host("red02") == Host(name="red02", address="10.1.1.12", user="admin", port=22)
    assert more.host("red03") == Host(name="red03", user="pi")
    assert (more.host("red04").user, more.host("red04").port) == ("root", 99)
    assert inventory.with_hosts(part, HostSet(["red"])).hosts == part.hosts


def test_more_hosts_of_a_run_that_was_told_another_way(red: Path) -> None:
    part = inventory.resolve(hosts="red", user="root", key="/k")
    more = inventory.with_hosts(part, HostSet(["red01", "red02", "red03"]))
    assert [(h.name, h.user, h.key) for h in more.hosts[1:]] == [
        ("red01", "root", "/k"), ("red02", "root", "/k"), ("red03", "root", "/k")
    ]  # fmt: skip


def test_more_hosts_without_a_file() -> None:
    more = inventory.with_hosts(inventory.resolve(hosts="pi@red01"), HostSet(["red02"]))
    assert more.host("red02") == Host(name="red02", user="pi")
