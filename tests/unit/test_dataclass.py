"""The runner's dataclasses behave as those of the standard library do, in all that they have."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from bramble.runner import dataclass as ours


def _made(room: Any) -> tuple[type, type]:
    """The same two classes, by one or the other."""

    @room.dataclass(frozen=True)
    class Base:
        name: str = ""
        many: list[str] = room.field(default_factory=list)

    @room.dataclass(frozen=True)
    class Value(Base):
        number: int = 1
        inner: tuple[object, ...] = ()

    return Base, Value


BOTH = [_made(ours), _made(dataclasses)]

CASES: list[Callable[[type, type], object]] = [
    lambda base, value: value().number,
    lambda base, value: value("a", ["b"], 3).many,
    lambda base, value: value(number=3, name="a").name,
    lambda base, value: value().many is value().many,
    lambda base, value: value(number=1) == value(),
    lambda base, value: value(number=2) == value(),
    lambda base, value: base() == value(),
    lambda base, value: repr(value("a", number=2)).split(".")[-1],
    lambda base, value: hash(value(many=("a",))) == hash(value(many=("a",))),
    lambda base, value: dataclasses.asdict(value(inner=(value(), {"k": base("x")}))),
    lambda base, value: dataclasses.replace(value("a"), number=9).number,
    lambda base, value: [(f.name, f.type) for f in dataclasses.fields(value)],
    lambda base, value: dataclasses.is_dataclass(value) and dataclasses.is_dataclass(value()),
]


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_what_they_do(case: Callable[[type, type], object]) -> None:
    assert case(*BOTH[0]) == case(*BOTH[1])


MISTAKES: list[Callable[[type], object]] = [
    lambda value: value(wrong=1),
    lambda value: value("a", name="b"),
    lambda value: value(1, 2, 3, 4, 5),
    lambda value: hash(value()),
    lambda value: setattr(value(), "number", 2),
    lambda value: delattr(value(), "number"),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=range(len(MISTAKES)))
def test_what_they_refuse(mistake: Callable[[type], object]) -> None:
    for _, value in BOTH:
        with pytest.raises((TypeError, AttributeError)):
            mistake(value)


def test_what_is_needed_must_be_given() -> None:
    @ours.dataclass(frozen=True, kw_only=True)
    class Value:
        name: str
        number: int = 1

    assert Value(name="a").number == 1
    with pytest.raises(TypeError, match="needs name"):
        Value()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="keywords only"):
        Value("a")  # type: ignore[call-arg]


def test_as_a_dictionary_at_any_depth() -> None:
    _, value = BOTH[0]
    assert ours.asdict(value(inner=(value(),))) == dataclasses.asdict(value(inner=(value(),)))


def test_values_that_change() -> None:
    @ours.dataclass
    class Value:
        number: int = 1

    made = Value()
    made.number = 2
    assert made == Value(2)
    with pytest.raises(TypeError):
        hash(made)
