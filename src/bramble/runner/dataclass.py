"""Dataclasses whose classes cost next to nothing to make: the part of `dataclasses` that the runner needs.

The runner starts anew in every run on every host, also on a Zero, and what its start costs is what a run that changes
nothing costs. `dataclasses` writes and compiles source for each method of each class and brings `inspect` along: that
was a third of the start [measured: ``make bench``, in ``ten``]. Here all classes share the same few methods.

The names and their meaning are those of the standard library; what is not here is not needed. On the controller its own
functions (`dataclasses.fields`, `dataclasses.asdict`, `dataclasses.replace`) take these values, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, Union, overload

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_):  # noqa: D103
        return lambda decorator: decorator


__all__ = ["asdict", "dataclass", "dataclass_transform", "field", "fields"]

T = TypeVar("T")


class _Factory:
    """A default that is made anew for each value."""

    def __init__(self, make: "Callable[[], Any]") -> None:
        self.make = make


class _Standard:
    """What `dataclasses` looks for; made only where somebody does."""

    def __get__(self, value: Any, cls: Any) -> "dict[str, Any]":
        import dataclasses

        def described(name: str) -> Any:
            default = cls._defaults.get(name, dataclasses.MISSING)
            if isinstance(default, _Factory):
                return dataclasses.field(default_factory=default.make)
            return dataclasses.field(default=default)

        made = dataclasses.make_dataclass(
            cls.__name__, [(name, kind, described(name)) for name, kind in cls._fields.items()], kw_only=True
        )
        found: dict[str, Any] = vars(made)["__dataclass_fields__"]
        cls.__dataclass_fields__ = found  # the next time it is there
        return found


def field(*, default_factory: "Callable[[], Any]") -> Any:
    """A field whose default is made anew for each value."""
    return _Factory(default_factory)


@overload
def dataclass(cls: "type[T]") -> "type[T]": ...
@overload
def dataclass(*, frozen: bool = ..., kw_only: bool = ...) -> "Callable[[type[T]], type[T]]": ...
@dataclass_transform(field_specifiers=(field,))
def dataclass(
    cls: "Any" = None, *, frozen: bool = False, kw_only: bool = False
) -> "Union[Any, Callable[[type[T]], type[T]]]":
    """Make a dataclass of a class with annotations: fields of its bases first, then its own.

    Parameters
    ----------
    frozen
        Values cannot be changed, and can be hashed where their fields can.
    kw_only
        No positional arguments.
    """

    def make(cls: "type[T]") -> "type[T]":
        fields: dict[str, str] = dict(getattr(cls, "_fields", {}))
        defaults: dict[str, Any] = dict(getattr(cls, "_defaults", {}))
        # Texts, not types: every module here has `from __future__ import annotations`.
        for name, kind in getattr(cls, "__annotations__", {}).items():
            if kind.startswith("ClassVar"):
                continue
            fields[name] = kind
            if name in cls.__dict__:
                defaults[name] = cls.__dict__[name]
        methods: dict[str, Any] = {"__init__": _init, "__repr__": _repr, "__eq__": _eq, "__hash__": None}
        if frozen:
            methods.update(__setattr__=_refuse, __delattr__=_refuse, __hash__=_hash)
        for name, method in methods.items():
            if name not in cls.__dict__ or (name == "__hash__" and cls.__dict__[name] is None):
                setattr(cls, name, method)
        for name, value in {
            "_fields": fields,
            "_defaults": defaults,
            "_kw_only": kw_only,
            "__dataclass_fields__": _Standard(),
        }.items():
            setattr(cls, name, value)
        for name in fields:
            if isinstance(cls.__dict__.get(name), _Factory):
                delattr(cls, name)
        return cls

    return make if cls is None else make(cls)


def fields(value: Any) -> "dict[str, str]":
    """The names of a dataclass's fields, or of those of its value, and their types as text."""
    found: dict[str, str] = value._fields
    return found


def asdict(value: Any) -> "dict[str, Any]":
    """A value as a dictionary, at any depth."""
    return {name: _plain(getattr(value, name)) for name in fields(value)}


def _plain(value: Any) -> Any:
    if hasattr(value, "_defaults"):
        return asdict(value)
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(item) for item in value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _init(self: Any, *args: Any, **given: Any) -> None:
    cls = type(self)
    names, defaults = cls._fields, cls._defaults
    if args:
        if cls._kw_only or len(args) > len(names):
            raise TypeError(f"{cls.__name__} takes {'keywords only' if cls._kw_only else f'{len(names)} fields'}")
        for name, value in zip(names, args):
            if name in given:
                raise TypeError(f"{cls.__name__} got {name} twice")
            given[name] = value
    values = self.__dict__
    for name in names:
        if name in given:
            values[name] = given.pop(name)
        elif name in defaults:
            default = defaults[name]
            values[name] = default.make() if isinstance(default, _Factory) else default
        else:
            raise TypeError(f"{cls.__name__} needs {name}")
    if given:
        raise TypeError(f"{cls.__name__} has no {', '.join(given)}")
    if hasattr(cls, "__post_init__"):
        self.__post_init__()


def _repr(self: Any) -> str:
    return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self._fields)})"


def _values(value: Any) -> "tuple[Any, ...]":
    return tuple(value.__dict__[name] for name in value._fields)


def _eq(self: Any, other: object) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    return _values(self) == _values(other)


def _hash(self: Any) -> int:
    return hash(_values(self))


def _refuse(self: Any, name: str, value: object = None) -> None:
    raise AttributeError(f"{type(self).__name__} cannot be changed: {name}")
