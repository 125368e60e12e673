"""A call of a verb as a request: which cluster is meant, what is sent, and what cannot be."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import inventory, services
from ..api import ClusterInfo, Reach
from ..errors import UsageError
from ..model import Host, HostSet
from ..runner.secret import Secret
from .description import Operation

#: What only makes sense where hosts are reached from, and what to do instead.
_NOT_THERE = {
    "key": ("a key of this machine does not go to a service", "it logs in with keys of its own: take --key away"),
    "on_begin": ("a service does not ask before it begins", "it looks itself after who has which host"),
}

#: A group in a host expression, ``@workers``; no ``user@host``.
_GROUP = re.compile(r"(?<![\w.-])@")


def arguments(verb: Callable[..., Any], args: Sequence[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call by name; those that are as the verb takes them anyway are left out.

    Raises
    ------
    TypeError
        The verb has no such argument.
    UsageError
        One of them has no meaning elsewhere.
    """
    signature = inspect.signature(verb)
    values: dict[str, Any] = {}
    for name, value in signature.bind(*args, **given).arguments.items():
        if signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            unknown = set(value) - set(Reach.__annotations__)
            if unknown:
                raise TypeError(f"{verb.__name__}() got an unexpected keyword argument {min(unknown)!r}")
            values |= {option: chosen for option, chosen in value.items() if chosen is not None}
        elif value != signature.parameters[name].default:
            values[name] = value
    for name, (what, hint) in _NOT_THERE.items():
        if values.get(name):
            raise UsageError(what, hint=hint)
    if verb.__name__ == "cards_burn":
        raise UsageError(
            "cards are written where their reader is, and a service does not reach into this machine",
            hint="bramble cards burn without --server; on the machine of the service for a reader there",
        )
    return _without_standard_input(values)


def meant(values: Mapping[str, Any] | Reach, known: Collection[ClusterInfo]) -> str:
    """The cluster that is meant where none is named: by its hosts, or because it is the only one.

    Raises
    ------
    UsageError
        None, or more than one, is meant.
    """
    names = [one.name for one in known]
    # Hosts that are to become a cluster are named as an expression.
    hosts = values.get("hosts") or (values.get("expression") if not known else "")
    if not hosts or _GROUP.search(str(hosts)):
        return inventory.only_one(names)
    entries = HostSet.parse(str(hosts))
    wanted = HostSet(Host.parse(entry).name for entry in entries)
    found = inventory.having(wanted, {one.name: HostSet.parse(one.hosts) for one in known})
    manager = values.get("manager")
    return found or (inventory.new_name(str(manager)) if manager else inventory.of_entries(entries).name)


def as_request(operation: Operation, values: Mapping[str, Any]) -> dict[str, Any]:
    """What is sent besides the path, as `httpx` takes it: in the query of a GET, else as JSON."""
    sent = {name: _sent(value) for name, value in values.items() if name not in operation.in_path}
    if values.get("options"):  # the services are loaded only where there is something to look for
        named = [values["service"]] if "service" in values else values.get("services", ())
        sent["options"] = _with_own_files(named, values["options"])
    if not sent:
        return {}
    return {"params": sent} if operation.method == "GET" else {"json": sent}


def _sent(value: Any) -> Any:
    """A value as JSON."""
    if isinstance(value, Secret):
        return value.reveal().decode()
    if isinstance(value, Mapping):
        return {name: {"content": _sent(one)} if isinstance(one, Secret) else _sent(one) for name, one in value.items()}
    if isinstance(value, Path):
        return str(value)
    return [_sent(one) for one in value] if isinstance(value, list | tuple | set | frozenset) else value


def _with_own_files(named: Iterable[str], options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as they are sent, with the content of files here in place of their names."""
    sent: dict[str, Any] = _sent(options)
    own = [one for name in named if name in services.names() for one in services.get(name).own_files]
    for one in own:
        given = options.get(one.option)
        if given and given != "-" and isinstance(given, str | Path):
            try:
                sent[one.option] = {"content": Path(given).expanduser().read_text(encoding="utf-8")}
            except (OSError, UnicodeDecodeError) as error:
                why = error.strerror or "" if isinstance(error, OSError) else "it is not text"
                raise UsageError(f"{one.option}: {given} cannot be read", why=why, hint=one.hint) from None
    return sent


def _without_standard_input(values: dict[str, Any]) -> dict[str, Any]:
    """The hosts themselves in place of ``-``."""
    lines = values.pop("lines", ())
    if values.get("expression") == "-":
        values["expression"] = str(HostSet.from_lines(lines))
    return values
