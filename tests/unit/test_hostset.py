"""Host expressions by example: every form that is promised, and what a typing error gets."""

from __future__ import annotations

import copy
import pickle
import time

import pytest

from bramble.errors import HostExpressionError
from bramble.model import LIMIT, HostSet

FORMS = {
    # what the predecessors understood
    "red[01-03]": "red01 red02 red03",
    "red,red[01-03]": "red red01 red02 red03",
    "red[01,03-05]": "red01 red03 red04 red05",
    "red[8-11]": "red8 red9 red10 red11",
    "red[08-11]": "red08 red09 red10 red11",
    "red[098-101]": "red098 red099 red100 red101",
    "red[1-3][1-2]": "red11 red12 red21 red22 red31 red32",
    "rack[1-2]-node[1-2]": "rack1-node1 rack1-node2 rack2-node1 rack2-node2",
    "rack[1-2]-shelf[1-2]-node[7-8]": (
        "rack1-shelf1-node7 rack1-shelf1-node8 rack1-shelf2-node7 rack1-shelf2-node8 "
        "rack2-shelf1-node7 rack2-shelf1-node8 rack2-shelf2-node7 rack2-shelf2-node8"
    ),
    "10.1.1.[1-3]": "10.1.1.1 10.1.1.2 10.1.1.3",
    "10.1.[1-2].[1-2]": "10.1.1.1 10.1.1.2 10.1.2.1 10.1.2.2",
    "pi@red[01-02]": "pi@red01 pi@red02",
    "red[01-03]-x": "red01-x red02-x red03-x",
    "red[01-02].local": "red01.local red02.local",
    # what the mission writes
    "red,red[01-red02]": "red red01 red02",
    "pi@red[01-red03]:22": "pi@red01:22 pi@red02:22 pi@red03:22",
    "red[red01,red03]": "red01 red03",
    "10.1.1.[1-10.1.1.2]": "10.1.1.1 10.1.1.2",
    "rack[1-2]node[1-node2]": "rack1node1 rack1node2 rack2node1 rack2node2",
    # blanks
    "": "",
    "  \t ": "",
    " red , red01 ": "red red01",
    "red red01\nred02": "red red01 red02",
    "red[ 01 - 02 , 04 ]": "red01 red02 red04",
    "red !red": "",
    # order of first appearance, each once
    "red02,red01,red02,red[01-03]": "red02 red01 red03",
    "red[03,01-02]": "red03 red01 red02",
    # operators, from left to right
    "red[1-5]!red3": "red1 red2 red4 red5",
    "red[1-5] ! red[2-3]": "red1 red4 red5",
    "red[1-5]&red[4-9]": "red4 red5",
    "red[1-3]^red[2-4]": "red1 red4",
    "red[1-3]!red2,red2": "red1 red3 red2",
    "red[1-3],red9&red[2-9]": "red2 red3 red9",
    "red[0-10/5]": "red0 red5 red10",
    # ports
    "red01:2222": "red01:2222",
    "pi@10.1.1.[1-2]:2222": "pi@10.1.1.1:2222 pi@10.1.1.2:2222",
    "127.0.0.1:[2201-2203]": "127.0.0.1:2201 127.0.0.1:2202 127.0.0.1:2203",
    # IPv6
    "fe80::1": "fe80::1",
    "[fe80::1]": "fe80::1",
    "FE80:0:0::1": "fe80::1",
    "fe80::1%eth0": "fe80::1%eth0",
    "::1": "::1",
    "2001:db8::[1-3]": "2001:db8::1 2001:db8::2 2001:db8::3",
    "2001:db8:[1-2]::5": "2001:db8:1::5 2001:db8:2::5",
    "[1-2]::5": "1::5 2::5",
    "[2001:db8::1]:2222": "[2001:db8::1]:2222",
    "pi@[2001:db8::1]": "pi@2001:db8::1",
    "pi@[2001:db8::[1-2]]:2222": "pi@[2001:db8::1]:2222 pi@[2001:db8::2]:2222",
    "[2001:db8::1],red": "2001:db8::1 red",
}


@pytest.mark.parametrize(("expression", "names"), FORMS.items())
def test_every_form(expression: str, names: str) -> None:
    hosts = HostSet.parse(expression)
    assert hosts.names == tuple(names.split())
    assert HostSet.parse(str(hosts)).names == hosts.names, "folded and read again, order and all"


GROUPS = {"workers": HostSet.parse("red[01-03]"), "gpu": ["red02"], "rack1": ["red01"], "rack2": ["red02", "red03"]}


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("@workers", "red01 red02 red03"),
        ("red,@workers!@gpu", "red red01 red03"),
        ("@rack[1-2]", "red01 red02 red03"),
        ("@rack2&@gpu", "red02"),
    ],
)
def test_groups(expression: str, names: str) -> None:
    assert HostSet.parse(expression, GROUPS).names == tuple(names.split())


#: Expression, with ^ before the faulty place; words of the message; words of the hint.
MISTAKES = [
    ("red^[01-03", "never closed", ""),
    ("red,blue^[1", "never closed", ""),
    ("red[^]", "a number is missing", ""),
    ("red[01,^]", "a number is missing", ""),
    ("red[01-^]", "a number is missing", ""),
    ("red[^a]", "a number is missing", ""),
    ("red[01-^blue02]", "a number is missing", ""),
    ("red[^[1]]", "a number is missing", ""),
    ("red[1^:3]", "expected ',' or ']'", ""),
    ("red[1-2^-3]", "expected ',' or ']'", ""),
    ("red[^3-1]", "3-1 runs backwards", "did you mean 1-3?"),
    ("red[1-9/^0]", "step of 0", ""),
    ("red^]", "no bracket is open", ""),
    ("red,^,blue", "a host name is missing", ""),
    ("red,^", "a host name is missing", ""),
    ("^!red", "a host name is missing", ""),
    ("red!^", "a host name is missing", ""),
    ("r^éd", "'é' cannot stand", ""),
    ("red^;reboot", "';' cannot stand", ""),
    ("red^$(id)", "cannot stand", ""),
    ("^red_1", "not a host name: '_'", ""),
    ("^-red", "begins or ends with '-'", ""),
    ("red,^red-", "begins or ends with '-'", ""),
    ("red,^-", "standard input", "bramble hosts expand -"),
    ("^red..local", "a dot too many", ""),
    ("^" + "r" * 64, "at most 63", ""),
    ("^" + ".".join(["red"] * 64), "at most 253", ""),
    ("red[^" + "1" * 64 + "]", "too long", ""),
    ("^10.1.1.300", "not an IPv4 address", ""),
    ("^10.1.1", "not an IPv4 address", ""),
    ("^1", "not an IPv4 address", ""),
    ("^10.1.1.[01-02]", "no leading zeros", ""),
    ("^fe80::z", "not an IPv6 address", ""),
    ("^[fe80::1", "never closed", ""),
    ("^[fe80::1]x", "not an IPv6 address", ""),
    ("^[fe80::1]:22:33", "not a port", ""),
    ("^red:0", "'0' is not a port", ""),
    ("^red:65536", "not a port", ""),
    ("^red:", "'' is not a port", ""),
    ("^red:ssh", "'ssh' is not a port", ""),
    ("^pi@", "a host name is missing", ""),
    ("^@red01@red02", "no group", "--cluster"),
    ("^2pi@red", "'2pi' is not a user name", ""),
    ("red,^@workers", "no group @workers", "--cluster NAME"),
    ("^red[1-999999999]", "more than 100,000", "a digit too many"),
    ("^a[1-9999][1-9999]", "more than 100,000", "a digit too many"),
    ("red[1-60000],^blue[1-60000]", "more than 100,000", ""),
    ("red01!^red[1-99999999999999999999999]", "more than 100,000", ""),
]


@pytest.mark.parametrize(("marked", "what", "hint"), MISTAKES)
def test_a_mistake_is_marked_and_explained(marked: str, what: str, hint: str) -> None:
    position = marked.index("^")
    expression = marked.replace("^", "", 1)
    begin = time.monotonic()
    with pytest.raises(HostExpressionError) as caught:
        HostSet.parse(expression)
    assert what in caught.value.what
    assert hint in caught.value.hint
    assert caught.value.position == position
    assert str(caught.value).splitlines()[1:3] == [f"  {expression}", f"  {' ' * position}^"]
    assert caught.value.exit_code == 2
    assert time.monotonic() - begin < 10, "counted, not made"


def test_symmetric_difference_is_no_marker() -> None:
    with pytest.raises(HostExpressionError, match="a host name is missing"):
        HostSet.parse("red^")


def test_an_unknown_group_gets_a_near_miss_or_the_list() -> None:
    with pytest.raises(HostExpressionError) as caught:
        HostSet.parse("@wrokers", GROUPS)
    assert caught.value.hint == "did you mean @workers?"
    with pytest.raises(HostExpressionError) as caught:
        HostSet.parse("@xyz", GROUPS)
    assert "@workers, @gpu" in caught.value.hint


def test_as_many_names_as_the_limit_are_made() -> None:
    assert len(HostSet.parse(f"red[1-{LIMIT}]")) == LIMIT
    with pytest.raises(HostExpressionError):
        HostSet.parse(f"red[0-{LIMIT}]")


def test_lines_of_standard_input() -> None:
    lines = ["# the rack\n", "red\n", "\n", "red[01-02]  # two\n", "red\n"]
    assert HostSet.from_lines(lines).names == ("red", "red01", "red02")
    with pytest.raises(HostExpressionError, match="never closed") as caught:
        HostSet.from_lines(["red\n", "red[01\n"])
    assert caught.value.expression == "red[01"


def test_lines_have_a_limit_together() -> None:
    with pytest.raises(HostExpressionError, match="line 2"):
        HostSet.from_lines(["red[1-60000]", "blue[1-60000]"])


def test_folding_keeps_the_order_and_merges_neighbours_only() -> None:
    assert str(HostSet.parse("red03 red01 red02")) == "red[03,01-02]"
    assert str(HostSet.parse("red01 blue red02")) == "red01,blue,red02"
    assert str(HostSet.parse("red[9-11]")) == "red[9-11]"
    assert str(HostSet(["red9", "red010"])) == "red[9,010]"
    assert str(HostSet.parse("rack[1-2]-node[1-3]")) == "rack[1-2]-node[1-3]"
    assert str(HostSet()) == ""


def test_operators() -> None:
    left, right = HostSet.parse("red[01-03]"), HostSet.parse("red[03-04]")
    assert (left | right).names == ("red01", "red02", "red03", "red04")
    assert (right & left).names == ("red03",)
    assert (left - right).names == ("red01", "red02")
    assert (left ^ right).names == ("red01", "red02", "red04")
    assert left - ["red01"] == HostSet.parse("red[02-03]")
    assert left >= HostSet(["red02"])
    assert left.isdisjoint(HostSet(["red"]))


def test_a_set_whatever_the_order() -> None:
    assert HostSet.parse("red01,red02") == HostSet.parse("red02,red01")
    assert set(HostSet.parse("red01,red02")) == {"red01", "red02"}
    assert hash(HostSet.parse("red01,red02")) == hash(HostSet.parse("red02,red01"))
    assert HostSet.parse("red01") != HostSet.parse("pi@red01")


def test_elements_and_slices() -> None:
    hosts = HostSet.parse("red[01-04]")
    assert hosts[0] == "red01"
    assert hosts[-2:] == HostSet.parse("red[03-04]")
    assert "red02" in hosts
    assert "red" not in hosts
    assert list(reversed(hosts)) == ["red04", "red03", "red02", "red01"]
    assert not HostSet()
    assert repr(hosts) == "HostSet.parse('red[01-04]')"


def test_entries_are_put_into_their_one_form() -> None:
    assert HostSet(["[FE80::1]", "fe80::1"]).names == ("fe80::1",)


def test_expressions_and_entries_are_told_apart() -> None:
    with pytest.raises(TypeError, match=r"HostSet\.parse"):
        HostSet("red01")
    with pytest.raises(TypeError):
        HostSet() | "red01"
    with pytest.raises(HostExpressionError, match=r"HostSet\.parse"):
        HostSet(["red[01-02]"])


def test_copies_and_pickles() -> None:
    hosts = HostSet.parse("red[01-02]")
    assert pickle.loads(pickle.dumps(hosts)).names == copy.deepcopy(hosts).names == hosts.names
