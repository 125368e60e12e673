"""Host expressions: the text in, the entries out.

::

    expression = operand { operator operand }         evaluated from left to right, no operator binds closer
    operator   = "," | blanks | "!" | "&" | "^"       union, union, without, only what is in both, only in one
    operand    = "@" name | entry                     a group, or [user@]name[:port]
    bracket    = "[" range { "," range } "]"          anywhere in the name, as often as wanted: all combinations
    range      = number [ "-" number [ "/" step ] ]   padded with zeros to the width of the first number

The operators are ClusterShell's. A number in a bracket may repeat the text before it: ``red[01-red02]``. A bracket
around an IPv6 address is no range (it has a colon in it), but ranges can stand in it: ``[2001:db8::[1-3]]:22``. They
are decimal there, too.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple, NoReturn

from ..errors import HostExpressionError
from .entry import Entry

#: More names than this are taken for a typing error. They are counted before they are made.
LIMIT = 100_000

_BLANKS = re.compile(r"\s*")
_LITERAL = re.compile(r"[^\s,!&^\[\]]+")
_ODD = re.compile(r"[^A-Za-z0-9._@:%-]")
_NUMBER = re.compile(r"[0-9]+")
_DIGITS = 63  # as many as a part of a host name has characters


class _Range(NamedTuple):
    start: int
    stop: int
    step: int
    width: int

    @property
    def size(self) -> int:
        # `len(range(...))` fails beyond the machine's word.
        return (self.stop - self.start) // self.step + 1

    def texts(self) -> Iterable[str]:
        return (f"{number:0{self.width}}" for number in range(self.start, self.stop + 1, self.step))


#: A part of a word: text as it is, or what a bracket stands for.
_Piece = str | list[_Range]


def expand(expression: str, groups: Mapping[str, Iterable[str]] | None = None) -> tuple[str, ...]:
    """All entries of an expression in their normal form, in order of first appearance, each once.

    Parameters
    ----------
    expression
        The text; an empty one has no entries.
    groups
        Name of a group → its entries, for ``@name``.

    Raises
    ------
    HostExpressionError
        A mistake, or more than `LIMIT` names.
    """
    return tuple(_Parser(expression, groups or {}).expression())


class _Parser:
    def __init__(self, text: str, groups: Mapping[str, Iterable[str]]) -> None:
        self.text = text
        self.groups = groups
        self.at = 0
        self.count = 0

    def expression(self) -> dict[str, None]:
        self._skip_blanks()
        if self._next() == "":
            return {}
        result = self._operand()
        while True:
            self._skip_blanks()
            operator = self._next()
            if operator == "":
                return result
            if operator in ",!&^":
                self.at += 1
                self._skip_blanks()
            else:
                operator = ","
            result = _combine(operator, result, self._operand())

    def _operand(self) -> dict[str, None]:
        start = self.at
        if self._next() in ("", *",!&^"):
            self._fail("a host name is missing here")
        pieces = self._word()
        size = 1
        for piece in pieces:
            size *= 1 if isinstance(piece, str) else sum(part.size for part in piece)
        self._count(size, start)
        words = map("".join, itertools.product(*([p] if isinstance(p, str) else _texts(p) for p in pieces)))
        if self.text[start] == "@":
            return dict.fromkeys(itertools.chain.from_iterable(self._group(word[1:], start) for word in words))
        return dict.fromkeys(self._entry(word, start) for word in words)

    def _word(self) -> list[_Piece]:
        pieces: list[_Piece] = []
        outer = -1  # where the bracket around an IPv6 address was opened
        while True:
            character = self._next()
            if character == "[" and _begins_name(pieces) and self._around_address():
                if outer >= 0:
                    self._fail("a bracket in a bracket")
                outer = self.at
                self.at += 1
                pieces.append("[")
            elif character == "[":
                before = pieces[-1] if pieces else ""
                pieces.append(self._bracket(before.rpartition("@")[2] if isinstance(before, str) else ""))
            elif character == "]":
                if outer < 0:
                    self._fail("no bracket is open that this could close")
                outer = -1
                self.at += 1
                pieces.append("]")
            elif literal := _LITERAL.match(self.text, self.at):
                odd = _ODD.search(literal[0])
                if odd:
                    self._fail(f"{odd[0]!r} cannot stand in a host name", literal.start() + odd.start())
                self.at = literal.end()
                pieces.append(literal[0])
            elif outer >= 0:
                self._fail("this bracket is never closed", outer)
            else:
                return pieces

    def _around_address(self) -> bool:
        """Whether the bracket that opens here holds an IPv6 address: a colon comes before its end."""
        depth = 0
        for character in self.text[self.at :]:
            depth += {"[": 1, "]": -1}.get(character, 0)
            if depth == 0 or character == ":":
                return character == ":"
        return False

    def _bracket(self, before: str) -> list[_Range]:
        opened = self.at
        ranges: list[_Range] = []
        while True:
            self.at += 1  # the bracket or the comma
            ranges.append(self._range(before, opened))
            character = self._next(opened)
            if character == "]":
                self.at += 1
                return ranges
            if character != ",":
                self._fail(f"expected ',' or ']' in the bracket, not {character!r}")

    def _range(self, before: str, opened: int) -> _Range:
        self._skip_blanks()
        begin = self.at
        first = last = self._number(before, opened)
        step = 1
        if self._next(opened) == "-":
            self.at += 1
            last = self._number(before, opened)
            if int(last) < int(first):
                self._fail(f"{first}-{last} runs backwards", begin, hint=f"did you mean {last}-{first}?")
            if self._next(opened) == "/":
                self.at += 1
                step = int(self._number("", opened)) or self._fail("a step of 0 gets nowhere", self.at - 1)
        return _Range(int(first), int(last), step, len(first))

    def _number(self, before: str, opened: int) -> str:
        self._skip_blanks()
        # Digits alone are never a repetition: in 1[1-12] the 12 is a number.
        if before and not before.isdigit() and self.text.startswith(before, self.at):
            self.at += len(before)
        number = _NUMBER.match(self.text, self.at)
        if number is None:
            self._next(opened)
            self._fail("a number is missing here")
        if len(number[0]) > _DIGITS:
            self._fail("this number is too long for a host name")
        self.at = number.end()
        self._skip_blanks()
        return number[0]

    def _entry(self, word: str, position: int) -> str:
        if word == "-":
            self._fail(
                "'-' stands for standard input only where it is alone", position, hint="bramble hosts expand - <FILE"
            )
        try:
            return str(Entry.parse(word))
        except ValueError as error:
            self._fail(str(error), position)

    def _group(self, name: str, position: int) -> Iterable[str]:
        members = self.groups.get(name)
        if members is None:
            close = difflib.get_close_matches(name, self.groups, 1)
            known = ", ".join(f"@{group}" for group in self.groups)
            hint = f"there are: {known}" if known else "groups stand in a cluster file: --cluster NAME"
            self._fail(f"there is no group @{name}", position, hint=f"did you mean @{close[0]}?" if close else hint)
        members = tuple(members)
        self._count(len(members), position)
        return members

    def _count(self, size: int, position: int) -> None:
        self.count += size
        if self.count > LIMIT:
            self._fail(f"this makes more than {LIMIT:,} names", position, hint="is a digit too many in a range?")

    def _next(self, opened: int = -1) -> str:
        """The character that comes, or "" at the end, which inside of a bracket (``opened``) is a mistake."""
        if self.at < len(self.text):
            return self.text[self.at]
        if opened >= 0:
            self._fail("this bracket is never closed", opened)
        return ""

    def _skip_blanks(self) -> None:
        blanks = _BLANKS.match(self.text, self.at)
        self.at = blanks.end() if blanks else self.at

    def _fail(self, what: str, position: int | None = None, *, hint: str = "") -> NoReturn:
        position = self.at if position is None else position
        raise HostExpressionError(what, expression=self.text, position=position, hint=hint)


def _begins_name(pieces: list[_Piece]) -> bool:
    return not pieces or (isinstance(pieces[-1], str) and pieces[-1].endswith("@"))


def _texts(ranges: list[_Range]) -> Iterable[str]:
    return itertools.chain.from_iterable(part.texts() for part in ranges)


def _combine(operator: str, left: dict[str, None], right: dict[str, None]) -> dict[str, None]:
    if operator == "!":
        return {name: None for name in left if name not in right}
    if operator == "&":
        return {name: None for name in left if name in right}
    if operator == "^":
        return {**_combine("!", left, right), **_combine("!", right, left)}
    return {**left, **right}
