"""Cluster files: what may stand in them, and what a mistake gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from bramble import inventory
from bramble.errors import ClusterFileError, UsageError
from bramble.inventory.schema import ClusterFile, ServiceEntry

FULL = """\
# The red cluster
hosts: "red,red[01-04]"      # four workers
user: pi
port: 2222
key: keys/id_ed25519
jump: pi@gate:22
known_hosts: ~/red_known_hosts
addresses:
  red: 10.1.1.1
  red[01-02]: 10.1.1.[11-12]
  red03: admin@10.1.1.13:22
groups:
  gpu: red[01-02]
  rack: ["red03", "red04"]
  both: "@gpu,@rack"
manager: red01
labels:
  red[01-02]: {rack: a, cores: 4}
  red02:
    ssd: true
services:
  slurm:
    hosts: red,red[01-03]
    accounting: true
  spark:
"""


def write(text: str | bytes, name: str = "red") -> Path:
    path = inventory.folders.cluster_file(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_full_file(home: Path) -> None:
    path = write(FULL)
    red = inventory.load("red")
    assert red.name == "red"
    assert red.file == str(path)
    assert red.hostset.names == ("red", "red01", "red02", "red03", "red04")
    assert (red.manager, red.manager_rule) == ("red01", "the cluster file says so")
    one, three, four = red.host("red01"), red.host("red03"), red.host("red04")
    assert (one.address, one.user, one.port) == ("10.1.1.11", "pi", 2222)
    assert (three.address, three.user, three.port) == ("10.1.1.13", "admin", 22)
    assert (four.address, four.user, four.port) == ("", "pi", 2222)
    assert one.key == str(path.parent / "keys/id_ed25519")
    assert one.known_hosts == str(home / "red_known_hosts")
    assert one.jump == "pi@gate:22"
    assert one.labels == {"rack": "a", "cores": "4"}
    assert red.host("red02").labels == {"rack": "a", "cores": "4", "ssd": "true"}
    assert red.parse("@both").names == ("red01", "red02", "red03", "red04")
    assert red.services["slurm"].options == {"accounting": True}
    assert red.members_of("slurm").names == ("red", "red01", "red02", "red03")
    assert red.services["spark"].options == {}
    assert red.members_of("spark") == red.hostset


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("hosts: red", "red"),
        ("hosts: red[01-02]\r\nuser: pi\r\n", "red01 red02"),
        ('hosts: ["red", "red[01-02]"]', "red red01 red02"),
        ("hosts:\n- red\n- red[01-02]\n", "red red01 red02"),
        ('{"hosts": "red"}', "red"),
        ("\ufeffhosts: red\n", "red"),
    ],
)
def test_hosts_in_every_way_of_writing(text: str, names: str) -> None:
    write(text)
    assert inventory.load("red").hostset.names == tuple(names.split())


def test_users_in_the_list_of_hosts() -> None:
    write("hosts: red,admin@red01:22\nuser: pi\n")
    assert inventory.load("red").host("red01").user == "admin"
    assert inventory.load("red").host("red").user == "pi"


#: Text; line; key; words of the message; words of the hint.
MISTAKES = [
    ("", None, "", "the file is empty", "hosts:"),
    ("# nothing\n", None, "", "the file is empty", "hosts:"),
    ("hosts: red\nusr: pi\n", 2, "usr", "there is no such key", "did you mean 'user'?"),
    ("hosts: red\nxyzzy: pi\n", 2, "xyzzy", "there is no such key", "there are: hosts, user"),
    ("user: pi\n", None, "hosts", "this key is missing", 'hosts: "red'),
    ("hosts:\n", 1, "hosts", "a host expression is wanted", ""),
    ("hosts: []\n", 1, "hosts", "a host expression is wanted", "quotes"),
    ("hosts: 10.1\n", 1, "hosts", "a host expression is wanted", 'put it in quotes: "10.1"'),
    ("hosts: red[01-\n", 1, "hosts", "never closed: 'red[01-', at character 4", ""),
    ("hosts:\n- red\n- red[2-1]\n", 3, "hosts", "runs backwards", "did you mean 1-2?"),
    ("hosts: red!red\n", 1, "hosts", "no hosts at all", ""),
    ("hosts: red,pi@red\n", 1, "hosts", "one host under two ways", ""),
    ("hosts: red,@workers\n", 1, "hosts", "no group @workers", ""),
    ("hosts: @red\n", 1, "", "this is no YAML", "in quotes"),
    ("hosts: [red, red[01-02]]\n", 1, "", "this is no YAML", "in quotes"),
    ("hosts: red\nport: ssh\n", 2, "port", "integer is wanted, not 'ssh'", ""),
    ("hosts: red\nport: '22'\n", 2, "port", "integer is wanted, not '22'", ""),
    ("hosts: red\nport: 70000\n", 2, "port", "less than or equal to 65535 is wanted, not 70000", ""),
    ("hosts: red\nuser: 7\n", 2, "user", "string is wanted, not 7", 'put it in quotes: "7"'),
    ("hosts: red\nkey: a\nagent: true\n", 3, "agent", "only one of them", ""),
    ("hosts: red\nuser: pi\nuser: admin\n", 3, "", "user stands there twice", "keep one"),
    ("hosts: red\naddresses:\n  red: 10.1.1.1\n  red: 10.1.1.2\n", 4, "", "red stands there twice", ""),
    ("hosts: red\naddresses:\n  red: 10.1.1.1\n  red01: 10.1.1.2\n", 4, "addresses.red01", "not among the hosts", ""),
    ("hosts: red[01-02]\naddresses:\n  red[01-02]: 10.1.1.[1-3]\n", 3, "addresses.red[01-02]", "make pairs", ""),
    ("hosts: red\naddresses:\n  red: 10.1.1.300\n", 3, "addresses.red", "not an IPv4 address", ""),
    ("hosts: red\naddresses: 10.1.1.1\n", 2, "addresses", "keys and values are wanted", ""),
    ("hosts: red\nmanager: blue\n", 2, "manager", "not one of the hosts", "add blue"),
    ("hosts: red\ngroups:\n  workers: red\n", 3, "groups.workers", "every cluster has this group", ""),
    ("hosts: red\ngroups:\n  a: '@b'\n  b: red\n", 3, "groups.a", "no group @b", ""),
    ("hosts: red\ngroups:\n  a: red01\n", 3, "groups.a", "red01 is not among the hosts", "the hosts are red"),
    ("hosts: red\nlabels:\n  red: rack1\n", 3, "labels.red", "keys and values are wanted", ""),
    ("hosts: red\nlabels:\n  red:\n    rack: [a]\n", 4, "labels.red.rack", "string is wanted", ""),
    ("hosts: red\nservices: slurm\n", 2, "services", "keys and values are wanted", ""),
    ("hosts: red\nservices:\n  slurm: true\n", 3, "services.slurm", "are wanted, not True", ""),
    ("hosts: red\nservices:\n  slurm:\n    hosts: red01\n", 4, "services.slurm.hosts", "not among the hosts", ""),
    ("hosts: red\nservices:\n  slurm:\n    manager: red01\n", 4, "services.slurm.manager", "not one of", ""),
    ("- red\n", 1, "", "keys and values are wanted", ""),
    ("red,red01\n", 1, "", "keys and values are wanted", ""),
    ("hosts: red\n---\nhosts: blue\n", 2, "", "this is no YAML", ""),
    ("hosts: red\nservices:\n\tslurm:\n", 3, "", "a tab stands there", "blanks"),
    ('hosts: "red,red[01-02\n', 2, "", "this is no YAML", ""),
    ("hosts: red\nservices: {slurm: {accounting: tr", 2, "", "this is no YAML", ""),
    ("hosts: red\x00\n", None, "", "this is no YAML", ""),
    (b"hosts: red\nuser: p\xff\n", 2, "", "this is no UTF-8 text", ""),
    ("hosts: !!python/object:os.system red\n", 1, "", "this is no YAML", ""),
]


@pytest.mark.parametrize(("text", "line", "key", "what", "hint"), MISTAKES)
def test_a_mistake_names_file_line_and_key(text: str | bytes, line: int | None, key: str, what: str, hint: str) -> None:
    path = write(text)
    with pytest.raises(ClusterFileError) as caught:
        inventory.load("red")
    error = caught.value
    assert (error.file, error.line, error.key) == (str(path), line, key)
    assert what in error.what
    assert hint in error.hint
    assert error.exit_code == 2


def test_the_first_of_several_mistakes() -> None:
    write("hosts: red\nport: x\nusr: pi\n")
    with pytest.raises(ClusterFileError) as caught:
        inventory.load("red")
    assert caught.value.line == 2


def test_an_unreadable_file() -> None:
    path = write("hosts: red\n")
    path.unlink()
    path.mkdir()
    with pytest.raises(ClusterFileError, match="cannot be read: Is a directory"):
        inventory.load("red")


def test_names_of_clusters() -> None:
    assert inventory.names() == ()
    for name in ("red", "blue", ".hidden"):
        write("hosts: red\n", name)
    inventory.folders.cluster_file("red").with_suffix(".yaml.bak").write_text("hosts: x\n")
    assert inventory.names() == ("blue", "red")


def test_an_unknown_cluster_gets_a_near_miss_or_the_list() -> None:
    with pytest.raises(UsageError, match="there is no cluster 'red'") as caught:
        inventory.load("red")
    assert caught.value.hint == "there are none yet"
    write("hosts: red\n", "red")
    with pytest.raises(UsageError) as caught:
        inventory.load("rde")
    assert caught.value.hint == "did you mean 'red'?"
    with pytest.raises(UsageError, match="there is no cluster"):
        inventory.load("../clusters/red")


def test_every_key_is_described_for_the_manual() -> None:
    for model in (ClusterFile, ServiceEntry):
        for name, field in model.model_fields.items():
            assert field.description, name


def test_folders_follow_the_environment(home: Path) -> None:
    assert inventory.folders.cluster_file("red") == home / ".config/bramble/clusters/red.yaml"
    assert inventory.folders.known_hosts() == home / ".local/share/bramble/known_hosts"
    assert inventory.folders.secrets("red") == home / ".local/share/bramble/secrets/red"
    assert inventory.folders.history() == home / ".local/share/bramble/history.sqlite"
    assert inventory.folders.cache() == home / ".cache/bramble"
