"""`HostSet`: host expressions in, folded text out, set operators between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any, overload

from ..errors import HostExpressionError
from .entry import Entry
from .expression import LIMIT, expand
from .fold import fold


class HostSet(Set[str]):
    """An immutable set of hosts that keeps the order in which they were first named.

    Its elements are entries, ``[user@]name[:port]`` in their normal form; `Host.parse` takes one apart. It prints
    folded, and equals any set of the same entries, whatever their order.

    ::

        >>> hosts = HostSet.parse("red,red[01-03]!red02")
        >>> str(hosts), len(hosts), hosts[0], "red02" in hosts
        ('red,red[01,03]', 3, 'red', False)
        >>> str(hosts | HostSet.parse("red02"))
        'red,red[01,03,02]'

    Parameters
    ----------
    entries
        Entries, not expressions: for those there is `parse`.

    Raises
    ------
    HostExpressionError
        One of them is neither a host name nor an address.
    """

    __slots__ = ("_entries", "_names")

    def __init__(self, entries: Iterable[str] = ()) -> None:
        if isinstance(entries, str):
            # A str is an iterable of its characters: each would be taken for a host.
            raise TypeError("HostSet takes entries; for an expression there is HostSet.parse")
        names = entries.names if isinstance(entries, HostSet) else tuple(map(_normal, entries))
        self._entries = dict.fromkeys(names)
        self._names = tuple(self._entries)

    @classmethod
    def _of(cls, normal: Iterable[str]) -> HostSet:
        """A set of entries that are known to be in their normal form."""
        new = cls()
        new._entries = dict.fromkeys(normal)
        new._names = tuple(new._entries)
        return new

    @classmethod
    def parse(cls, expression: str, groups: Mapping[str, Iterable[str]] | None = None) -> HostSet:
        """The hosts that an expression stands for.

        Parameters
        ----------
        expression
            Such as ``red,red[01-03]``, ``10.1.1.[1-3]``, ``pi@red[01-02]:2222``, ``@workers!red02``; the whole
            grammar stands in `bramble.model.expression`. An empty text is the empty set.
        groups
            Name of a group → its entries, for ``@name``.

        Raises
        ------
        HostExpressionError
            A mistake in it, or more names than `LIMIT`; the message marks the place.
        """
        return cls._of(expand(expression, groups))

    @classmethod
    def from_lines(cls, lines: Iterable[str], groups: Mapping[str, Iterable[str]] | None = None) -> HostSet:
        """The hosts of a text, such as standard input: an expression a line, ``#`` begins a comment.

        Raises
        ------
        HostExpressionError
            As `parse`, for the first line with a mistake.
        """
        found: dict[str, None] = {}
        for number, line in enumerate(lines, start=1):
            text = line.partition("#")[0].strip()
            found.update(dict.fromkeys(expand(text, groups)))
            if len(found) > LIMIT:
                raise HostExpressionError(f"line {number}: more than {LIMIT:,} names", expression=text, position=0)
        return cls._of(found)

    @property
    def names(self) -> tuple[str, ...]:
        """The entries, in order."""
        return self._names

    def __contains__(self, entry: object) -> bool:
        return entry in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> HostSet: ...
    def __getitem__(self, index: int | slice) -> str | HostSet:
        return self._of(self._names[index]) if isinstance(index, slice) else self._names[index]

    # The other side may be any entries. The order is this set's, then the other's.

    def __or__(self, other: Iterable[Any]) -> HostSet:
        return self._of((*self, *HostSet(other)))

    def __and__(self, other: Iterable[Any]) -> HostSet:
        right = HostSet(other)
        return self._of(name for name in self if name in right)

    def __sub__(self, other: Iterable[Any]) -> HostSet:
        right = HostSet(other)
        return self._of(name for name in self if name not in right)

    def __xor__(self, other: Iterable[Any]) -> HostSet:
        right = HostSet(other)
        return (self - right) | (right - self)

    def __hash__(self) -> int:
        return self._hash()

    def __str__(self) -> str:
        return fold(self._names)

    def __repr__(self) -> str:
        return f"HostSet.parse({str(self)!r})"


def _normal(entry: str) -> str:
    try:
        return str(Entry.parse(entry))
    except ValueError as error:
        hint = "an expression is read by HostSet.parse" if "[" in entry or "," in entry else ""
        raise HostExpressionError(str(error), expression=entry, position=0, hint=hint) from None
