"""Folding: entries in, the short text out. `bramble.model.expression` reads it back as the same entries, in order."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Iterator

from .entry import Entry

_NUMBERS = re.compile(r"([0-9]+)")

#: An entry as text and numbers in turn, text at both ends; a number may be folded already: ``[01-03]``.
_Tokens = tuple[str, ...]


def fold(entries: Iterable[str]) -> str:
    """The short text for ``entries``, their order kept: only neighbours are put into one bracket.

    Numbers are folded from right to left, so that ``rack1-node1, rack1-node2, rack2-node1, rack2-node2`` becomes
    ``rack[1-2]-node[1-2]``.
    """
    words = [_tokens(entry) for entry in entries]
    for back in range(2, max(map(len, words), default=0), 2):
        alike = itertools.groupby(words, functools.partial(_all_but, back))
        words = [_merge(list(group), back) for _, group in alike]
    return ",".join(map("".join, words))


def _tokens(text: str) -> _Tokens:
    # Ranges stand in names only, so user and port stay with the text around.
    name = Entry.parse(text).name
    before, _, after = text.rpartition(name)
    tokens = _NUMBERS.split(name)
    tokens[0] = before + tokens[0]
    tokens[-1] += after
    return tuple(tokens)


def _all_but(back: int, word: _Tokens) -> tuple[_Tokens, _Tokens]:
    """What words must share to be merged at their token ``back`` from the end; one that has none stays alone."""
    return (word[:-back], word[1 - back :]) if len(word) > back else (word, ())


def _merge(words: list[_Tokens], back: int) -> _Tokens:
    first = words[0]
    if len(words) == 1:
        return first
    ranges = ",".join(_ranges([word[-back] for word in words]))
    return (*first[:-back], f"[{ranges}]", *first[1 - back :])


def _ranges(numbers: list[str]) -> Iterator[str]:
    start = last = numbers[0]
    for number in [*numbers[1:], ""]:
        if number == f"{int(last) + 1:0{len(start)}}":
            last = number
            continue
        yield start if start == last else f"{start}-{last}"
        start = last = number
