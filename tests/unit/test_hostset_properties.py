"""Host expressions by property, against sets and against the two older parsers."""

from __future__ import annotations

from collections.abc import Iterable

import hostlist
from ClusterShell.NodeSet import NodeSet, NodeSetException
from hypothesis import assume, given
from hypothesis import strategies as st

from bramble.errors import HostExpressionError
from bramble.model import HostSet

_LABEL = st.from_regex(r"[a-z]([a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True)
_NAME = st.lists(_LABEL, min_size=1, max_size=3).map(".".join)
_NUMBERED = st.builds("{}{}".format, st.sampled_from(["red", "red0", "rack1-node", "b"]), st.integers(0, 1200))
_IPV4 = st.ip_addresses(v=4).map(str)
_IPV6 = st.ip_addresses(v=6).map(str)
_USER = st.sampled_from(["", "pi@", "root1@"])
_PORT = st.sampled_from(["", ":22", ":2222"])
_ENTRY = st.one_of(
    st.builds("{}{}{}".format, _USER, st.one_of(_NUMBERED, _NAME, _IPV4), _PORT),
    st.builds("{}{}".format, _USER, _IPV6),
    st.builds("{}[{}]{}".format, _USER, _IPV6, _PORT),
)

# Expressions that all three understand: python-hostlist knows no other operators, ClusterShell refuses mixed padding.
_BRACKET = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 12)).map(lambda pair: (pair[0], pair[0] + pair[1])),
    min_size=1,
    max_size=3,
)


def _written(ranges: Iterable[tuple[int, int]], width: int) -> str:
    return "[" + ",".join(f"{a:0{width}}" if a == b else f"{a:0{width}}-{b:0{width}}" for a, b in ranges) + "]"


_WORD = st.builds(
    lambda prefix, ranges, width, suffix: prefix + _written(ranges, width) + suffix,
    st.sampled_from(["red", "blue-", "rack1-n", "10.1.1."]),
    _BRACKET,
    st.sampled_from([1, 2, 3]),
    st.sampled_from(["", "-x", ".local"]),
)
_WORDS = st.lists(st.one_of(_WORD, st.sampled_from(["red", "blue", "red01"])), min_size=1, max_size=4)


@given(st.lists(_ENTRY, max_size=30))
def test_folded_and_expanded_again_is_the_same_in_the_same_order(entries: list[str]) -> None:
    hosts = HostSet(entries)
    assert HostSet.parse(str(hosts)).names == hosts.names


@given(st.integers(0, 1200), st.integers(1, 300), st.integers(1, 4))
def test_numbers_in_a_row_make_one_range(first: int, more: int, width: int) -> None:
    numbers = [f"{number:0{width}}" for number in range(first, first + more + 1)]
    assert str(HostSet(f"red{number}-x" for number in numbers)) == f"red[{numbers[0]}-{numbers[-1]}]-x"


@given(st.lists(_NUMBERED), st.lists(_NUMBERED))
def test_operators_are_those_of_sets(left: list[str], right: list[str]) -> None:
    a, b = HostSet(left), HostSet(right)
    assert set(a | b) == set(left) | set(right)
    assert set(a & b) == set(left) & set(right)
    assert set(a - b) == set(left) - set(right)
    assert set(a ^ b) == set(left) ^ set(right)
    for operator, result in ((",", a | b), ("!", a - b), ("&", a & b), ("^", a ^ b)):
        assert HostSet.parse(f"@a{operator}@b", {"a": a, "b": b}).names == result.names


@given(st.text(alphabet="red01 ,-[]!&^@:.%/\t9é", max_size=24))
def test_any_text_is_either_hosts_or_a_marked_mistake(text: str) -> None:
    try:
        hosts = HostSet.parse(text, {"red": ["red01"]})
    except HostExpressionError as mistake:
        position = mistake.position
    else:
        position = 0
        assert not any(set(name) & set(" ,\t!&^") for name in hosts)
        assert HostSet.parse(str(hosts)).names == hosts.names
    assert 0 <= position <= len(text)


@given(_WORDS)
def test_the_older_parsers_agree_where_they_agree_with_each_other(words: list[str]) -> None:
    text = ",".join(words)
    older = hostlist.expand_hostlist(text, allow_duplicates=False)
    try:
        newer = list(NodeSet(text))
    except NodeSetException:  # mixed padding
        newer = None
    try:
        ours = list(HostSet.parse(text))
    except HostExpressionError:
        # They take anything for a name; ours have to be names or addresses.
        assert "10.1.1." in text
        return
    assert ours == older, "python-hostlist keeps the order, too"
    if newer is not None and set(newer) == set(older):
        assert set(ours) == set(newer)


@given(st.lists(st.tuples(st.sampled_from([",", "!", "&", "^"]), _BRACKET), min_size=1, max_size=5))
def test_operators_in_a_row_are_clustershells(terms: list[tuple[str, list[tuple[int, int]]]]) -> None:
    text = "red[1-20]" + "".join(f"{operator}red{_written(ranges, 1)}" for operator, ranges in terms)
    theirs = set(NodeSet(text))
    assume(theirs)
    assert set(HostSet.parse(text)) == theirs


@given(_WORDS)
def test_python_hostlist_reads_what_we_fold(words: list[str]) -> None:
    names = hostlist.expand_hostlist(",".join(words), allow_duplicates=False)
    assume(not any(name.startswith("10.1.1.") for name in names))  # ours have to be addresses
    assert hostlist.expand_hostlist(str(HostSet(names))) == names
