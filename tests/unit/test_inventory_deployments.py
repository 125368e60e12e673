"""What is recorded of services, and hosts added to and taken out of files."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from bramble import inventory
from bramble.errors import ClusterFileError, UsageError
from bramble.model import Cluster, HostSet

HEAD = "# Ours\n"


def write(text: str, name: str = "red") -> Path:
    path = inventory.folders.cluster_file(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def text(name: str = "red") -> str:
    return inventory.folders.cluster_file(name).read_text()


def slurm(**said: str) -> Cluster:
    return inventory.of_service(inventory.resolve(**said), "slurm", given="hosts" in said)  # type: ignore[arg-type]


def test_from_hosts_alone_to_a_bare_verb() -> None:
    inventory.save_service(slurm(hosts="red,red[01-02]"), "slurm", {"accounting": True, "partition": "day"})
    assert text() == 'hosts: "red,red[01-02]"\nservices:\n  slurm:\n    accounting: true\n    partition: day\n'
    later = slurm()
    assert later.hostset.names == ("red", "red01", "red02")
    assert (later.manager, later.manager_rule) == ("red", "the only name without a digit")
    assert inventory.options_of(later, "slurm") == {"accounting": True, "partition": "day"}
    assert inventory.options_of(later, "spark") == {}
    assert slurm(hosts="red,red[01-02]") == later, "named again: the same cluster"


def test_saved_again_nothing_is_written() -> None:
    inventory.save_service(slurm(hosts="red,red01"), "slurm", {})
    path = inventory.folders.cluster_file("red")
    before = path.stat().st_mtime_ns, path.stat().st_ino
    inventory.save_service(slurm(), "slurm", {})
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before


def test_the_way_to_the_hosts_is_recorded() -> None:
    cluster = inventory.resolve(hosts="red01,admin@red02:2222,[fe80::1]:2222", user="", port=0, key="/k", jump="gate")
    inventory.save_service(cluster, "slurm", {})
    again = inventory.resolve()
    assert again.hosts == cluster.hosts
    assert again.manager == "red01"
    one = inventory.resolve(hosts="pi@blue[01-02]:2222")
    inventory.save_service(one, "slurm", {})
    assert text("blue01") == 'hosts: "blue[01-02]"\nuser: pi\nport: 2222\nservices:\n  slurm: {}\n'


def test_a_manager_that_was_asked_for_is_recorded() -> None:
    inventory.save_service(slurm(hosts="red,red01", manager="red01"), "slurm", {})
    assert "manager: red01\n" in text("red01")
    assert slurm().manager == "red01"
    assert slurm(hosts="red,red01").manager == "red01"


def test_a_manager_of_one_service() -> None:
    write(HEAD + "hosts: red,red[01-02]\n")
    inventory.save_service(slurm(manager="red02"), "slurm", {})
    assert text() == HEAD + "hosts: red,red[01-02]\nservices:\n  slurm:\n    manager: red02\n"
    assert (slurm().manager, slurm().manager_rule) == ("red02", "the cluster file says so")
    assert inventory.resolve().manager == "red"
    with pytest.raises(UsageError, match="slurm is managed by red02, which is not among red,red01") as caught:
        slurm(hosts="red,red01")
    assert "name red02, too" in caught.value.hint


def test_a_service_on_some_hosts() -> None:
    write(HEAD + "hosts: red,red[01-03]\n")
    inventory.save_service(slurm(hosts="red[01-02]"), "slurm", {})
    assert text() == HEAD + 'hosts: red,red[01-03]\nservices:\n  slurm:\n    hosts: "red[01-02]"\n'
    assert slurm().hostset.names == ("red01", "red02")
    assert (slurm().manager, slurm().manager_rule) == ("red01", "the first host")
    with pytest.raises(UsageError, match="the manager red is not one of the hosts"):
        slurm(manager="red")


def test_scaling_up_and_down() -> None:
    inventory.save_service(slurm(hosts="red,red01"), "slurm", {"a": 1})
    more = inventory.with_hosts(slurm(), HostSet(["red02"]))
    inventory.save_service(more, "slurm", {"a": 1})
    assert text() == 'hosts: "red,red[01-02]"\nservices:\n  slurm:\n    a: 1\n'
    fewer = slurm().without(["red01"])
    inventory.save_service(fewer, "slurm", {"a": 1}, dropped=["red01"])
    assert text() == 'hosts: "red,red[01-02]"\nservices:\n  slurm:\n    a: 1\n    hosts: "red,red02"\n'
    assert slurm().hostset.names == ("red", "red02")


def test_a_new_host_takes_nothing_over() -> None:
    inventory.save_service(slurm(hosts="red[01-02]"), "slurm", {})
    inventory.save_service(inventory.with_hosts(slurm(), HostSet(["blue"])), "slurm", {})
    assert slurm().manager == "red01"
    assert slurm().hostset.names == ("red01", "red02", "blue")


def test_fewer_hosts_than_recorded_are_no_way_to_drop_one() -> None:
    inventory.save_service(slurm(hosts="red,red[01-02]"), "slurm", {})
    before = text()
    with pytest.raises(UsageError, match=r"slurm is on red,red\[01-02\], and red02 is not among") as caught:
        inventory.save_service(slurm(hosts="red,red01"), "slurm", {})
    assert "bramble scale slurm --drop red02" in caught.value.hint
    assert text() == before


def test_more_hosts_than_recorded_are_added() -> None:
    inventory.save_service(slurm(hosts="red,red01"), "slurm", {})
    inventory.save_service(slurm(hosts="red,red[01-02]"), "slurm", {})
    assert slurm().hostset.names == ("red", "red01", "red02")


def test_another_clusters_name_is_not_taken() -> None:
    path = write("hosts: blue\n", "red")
    with pytest.raises(UsageError, match="there is a cluster red already, of other hosts"):
        inventory.save_service(slurm(hosts="red,red01"), "slurm", {})
    assert path.read_text() == "hosts: blue\n"


def test_options_replace_recorded_ones() -> None:
    write(HEAD + "hosts: red\nservices:\n  slurm:\n    a: 1   # why\n    b: 2   # because\n    d: 5\n")
    inventory.save_service(slurm(), "slurm", {"a": 1, "b": 3, "c": "x y"})
    assert text() == HEAD + ('hosts: red\nservices:\n  slurm:\n    a: 1   # why\n    b: 3   # because\n    c: "x y"\n')


def test_a_service_is_forgotten_host_by_host() -> None:
    write(HEAD + "hosts: red,red[01-02]\nservices:\n  slurm:\n    manager: red\n    a: 1\n  spark: {}\n")
    inventory.forget_service(inventory.resolve(hosts="red,red01"), "slurm")
    assert text() == HEAD + ("hosts: red,red[01-02]\nservices:\n  slurm:\n    a: 1\n    hosts: red02\n  spark: {}\n")
    inventory.forget_service(slurm(), "slurm")
    assert text() == HEAD + "hosts: red,red[01-02]\nservices:\n  spark: {}\n"
    inventory.forget_service(inventory.resolve(), "slurm")
    inventory.forget_service(inventory.resolve(), "spark")
    assert text() == HEAD + "hosts: red,red[01-02]\n"
    inventory.forget_service(inventory.resolve(hosts="blue"), "slurm")
    assert inventory.names() == ("red",)


def test_a_file_broken_by_hand_is_not_touched() -> None:
    cluster = slurm(hosts="red,red01")
    inventory.save_service(cluster, "slurm", {})
    path = write("hosts: [red,\n")
    with pytest.raises(ClusterFileError):
        inventory.save_service(cluster, "slurm", {"a": 1})
    assert path.read_text() == "hosts: [red,\n"


def test_files_are_for_people() -> None:
    inventory.save_service(slurm(hosts="red"), "slurm", {})
    assert stat.S_IMODE(inventory.folders.cluster_file("red").stat().st_mode) == 0o644


def test_hosts_are_added() -> None:
    made = inventory.add_hosts(HostSet.parse("red,red01"))
    assert (made.name, text()) == ("red", 'hosts: "red,red01"\n')
    inventory.add_hosts(HostSet.parse("red[01-02],admin@red03:22"))
    assert text() == 'hosts: "red,red[01-03]"\naddresses:\n  red03: "admin@red03:22"\n'
    assert inventory.resolve().host("red03").user == "admin"
    other = inventory.add_hosts(HostSet.parse("blue"), "garden")
    assert (other.name, inventory.names()) == ("garden", ("garden", "red"))
    with pytest.raises(UsageError, match="several clusters"):
        inventory.add_hosts(HostSet.parse("x"))
    with pytest.raises(UsageError, match="cannot be a cluster's name"):
        inventory.add_hosts(HostSet.parse("x"), "../x")
    with pytest.raises(UsageError, match="no hosts to add"):
        inventory.add_hosts(HostSet())


@pytest.mark.parametrize(
    ("before", "added"),
    [
        ('hosts: "red,red[01-02]"  # c\n', 'hosts: "red,red[01-03],blue"  # c\n'),
        ("hosts: red[01-09]!red05\n", 'hosts: "red[01-09]!red05,red03,blue"\n'),
        ("hosts: [red, red01]\n", 'hosts: [red, red01, "red03,blue"]\n'),
        (
            "hosts:\n  - red   # one\n  - red01\nuser: pi\n",
            'hosts:\n  - red   # one\n  - red01\n  - "red03,blue"\nuser: pi\n',
        ),
    ],
)
def test_hosts_are_added_in_the_way_the_list_is_written(before: str, added: str) -> None:
    write(before)
    inventory.add_hosts(HostSet.parse("red03,blue") - inventory.resolve().hostset)
    if "red05" in before:  # red03 is there already
        added = 'hosts: "red[01-09]!red05,blue"\n'
    assert text() == added


def test_hosts_that_are_added_get_no_service_and_no_rule() -> None:
    write("hosts: red[01-02]\nservices:\n  slurm: {}\n")
    inventory.add_hosts(HostSet.parse("blue"))
    assert slurm().hostset.names == ("red01", "red02")
    assert slurm().manager == inventory.resolve().manager == "red01"


def test_hosts_are_taken_out_with_all_that_is_said_of_them() -> None:
    write(
        HEAD + "hosts: red,red[01-04]!red03   # not three\nmanager: red02\n"
        "addresses:\n  red: 10.1.1.1\n  red[01-02]: 10.1.1.[11-12]   # pairs\n"
        "groups:\n  gpu: red02\n  rack: red[01-02]   # top\n  both: '@gpu,@rack'\n  same: '@rack'\n"
        "labels:\n  red[01-02]: {a: b}\n  red02: {c: d}\n"
        "services:\n  slurm: {hosts: 'red,red01'}\n"
    )
    left = inventory.remove_hosts(HostSet.parse("red02"))
    assert left.hostset.names == ("red", "red01", "red04")
    assert left.host("red01").address == "10.1.1.11"
    assert left.host("red01").labels == {"a": "b"}
    assert left.manager == "red"
    assert text() == (
        HEAD + 'hosts: "red,red[01-04]!red03!red02"   # not three\n'
        "addresses:\n  red: 10.1.1.1\n  red01: 10.1.1.11\n"
        "groups:\n  rack: red01   # top\n  both: 'red01'\n  same: '@rack'\n"
        "labels:\n  red01:\n    a: b\n"
        "services:\n  slurm: {hosts: 'red,red01'}\n"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('hosts: "red,red[01-03]"\n', 'hosts: "red,red[02-03]"\n'),
        ("hosts: [red, red01, 'red[02-03]']\n", "hosts: [red, 'red[02-03]']\n"),
        ("hosts:\n- red\n# one\n- red01\n- pi@red[01-02]\n", ""),
        ("hosts:\n- red   # r\n- red01   # 1\n- red02\n", "hosts:\n- red   # r\n- red02\n"),
    ],
)
def test_hosts_are_taken_out_in_the_way_the_list_is_written(before: str, after: str) -> None:
    write(before)
    if not after:  # red01 twice in two ways was never a valid file
        with pytest.raises(ClusterFileError):
            inventory.remove_hosts(HostSet.parse("red01"))
        return
    inventory.remove_hosts(HostSet.parse("red01"))
    assert text() == after


def test_hosts_that_cannot_be_taken_out() -> None:
    write("hosts: red,red[01-02]\nservices:\n  slurm:\n    hosts: red,red01\n")
    with pytest.raises(UsageError, match="red01 has slurm") as caught:
        inventory.remove_hosts(HostSet.parse("red[01-02]"))
    assert "bramble scale slurm --drop red01 --cluster red" in caught.value.hint
    with pytest.raises(UsageError, match="red09 is not in the cluster red"):
        inventory.remove_hosts(HostSet.parse("red09"))
    write("hosts: red,red01\n")
    with pytest.raises(UsageError, match="no host would be left"):
        inventory.remove_hosts(HostSet.parse("red,red01"))
