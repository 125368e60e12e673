"""What may stand in a cluster file. The manual's table of keys is made from the descriptions here."""

from __future__ import annotations

import difflib
import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from .document import Document


def _expressions(value: object) -> object:
    listed = [value] if isinstance(value, str) else value
    if not (isinstance(listed, list) and listed and all(isinstance(item, str) for item in listed)):
        raise ValueError("a host expression is wanted, or a list of them")
    return tuple(listed)


def _label(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _nothing_is_empty(value: object) -> object:
    return {} if value is None else value


Expressions = Annotated[tuple[str, ...], BeforeValidator(_expressions)]
Label = Annotated[str, BeforeValidator(_label)]


class ServiceEntry(BaseModel):
    """A service on this cluster: all keys but these are its options."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    hosts: Expressions | None = Field(default=None, description="the hosts it is on; all where nothing stands here")
    manager: str = Field(default="", description="the host that manages it; else the cluster's manager")
    upgrading: str = Field(default="", description="the version that an upgrade is on its way to; bramble keeps this")


class CardsEntry(BaseModel):
    """How the cards of this cluster were burned last: what the next ones get where nothing else is asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    image: str = Field(default="", description="as `bramble cards images` calls it, or a file or address of one's own")
    prefix: int = Field(default=0, ge=0, le=128, description="bits of the network in `addresses`: 24; 0 for DHCP")
    gateway: str = Field(default="", description="address of the router")
    dns: tuple[str, ...] = Field(default=(), strict=False, description="addresses of name servers")
    interface: str = Field(default="", description="which one has the address of `addresses`; else `wlan0` with Wi-Fi")
    wifi: str = Field(default="", description="name of the wireless network; its password is kept nowhere")
    wifi_country: str = Field(default="", description="two capital letters: `DE`")
    wifi_hidden: bool = Field(default=False, description="whether that network does not tell its name")
    locale: str = Field(default="", description="such as `en_GB.UTF-8`")
    keyboard: str = Field(default="", description="layout: `gb`")
    timezone: str = Field(default="", description="such as `Europe/Berlin`")
    radios: bool = Field(default=True, description="`false`: Wi-Fi and Bluetooth are switched off")
    cgroups: bool = Field(default=True, description="whether memory is counted by control group, as Kubernetes wants")
    kernel_arguments: tuple[str, ...] = Field(default=(), strict=False, description="further words for `cmdline.txt`")
    sudo_asks: bool = Field(default=False, description="whether sudo wants the user's password")


class ClusterFile(BaseModel):
    """One cluster."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    hosts: Expressions = Field(description="host expression, or a list of them: `red,red[01-02]`")
    user: str = Field(default="", description="log in as this user; else as `~/.ssh/config` says")
    port: int = Field(default=0, ge=1, le=65535, description="port of sshd; else as `~/.ssh/config` says")
    key: str = Field(default="", description="file of the private key, relative to the cluster file")
    agent: bool = Field(default=False, description="`true` instead of `key`: the keys of ssh-agent and `~/.ssh`")
    jump: str = Field(default="", description="go through this host: `user@host:port`, several with commas between")
    known_hosts: str = Field(default="", description="further file of host keys, relative to the cluster file")
    addresses: dict[str, str] = Field(
        default_factory=dict, description="host → `[user@]address[:port]`; both may be expressions of one length"
    )
    groups: dict[str, Expressions] = Field(
        default_factory=dict, description="name → hosts, for `@name`; may use groups further up"
    )
    manager: str = Field(default="", description="the host that manages; else the name without a digit, else the first")
    labels: dict[str, dict[str, Label]] = Field(
        default_factory=dict, description="host expression → name → value, for services that want to know"
    )
    cards: Annotated[CardsEntry, BeforeValidator(_nothing_is_empty)] = Field(
        default=CardsEntry(), description="how its cards were burned; bramble keeps this up to date"
    )
    services: dict[str, Annotated[ServiceEntry, BeforeValidator(_nothing_is_empty)]] = Field(
        default_factory=dict, description="what is deployed: service → its options; bramble keeps this up to date"
    )


def validate(document: Document) -> ClusterFile:
    """The document's values, checked one by one.

    Raises
    ------
    ClusterFileError
        For the first mistake in the file; a near miss is named.
    """
    try:
        found = ClusterFile.model_validate(document.data)
    except ValidationError as error:
        faults = [_in_words(fault) for fault in error.errors(include_url=False)]
        what, path, hint = min(faults, key=lambda fault: document.line(fault[1]) or 0)
        document.fail(what, path, hint=hint)
    if found.key and found.agent:
        document.fail("a key file and the agent: only one of them can be meant", ("agent",))
    return found


def _in_words(fault: ErrorDetails) -> tuple[str, tuple[str | int, ...], str]:
    path = tuple(step for step in fault["loc"] if step != "[key]")
    given: Any = fault["input"]
    if fault["type"] == "extra_forbidden":
        known = list(ClusterFile.model_fields)
        close = difflib.get_close_matches(str(path[-1]), known, 1)
        return (
            "there is no such key",
            path,
            f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)}",
        )
    if fault["type"] == "missing":
        return "this key is missing", path, f'{path[-1]}: "red,red[01-02]"' if path == ("hosts",) else ""
    if fault["type"] in ("model_type", "dict_type"):
        hint = ""
        if path[0] == "services":
            hint = f"its options: bramble services {path[1]}" if path[1:] else "a service a line, such as `slurm: {}`"
        return f"keys and values are wanted, not {given!r}", path, hint
    message = fault["msg"].removeprefix("Value error, ")
    message = re.sub(r"^Input should be (a valid )?", "", message)
    wanted = message if message.endswith("wanted, or a list of them") else f"{message} is wanted"
    return f"{wanted}, not {given!r}", path, _hint(given)


def _hint(given: object) -> str:
    if isinstance(given, list | dict):
        return 'a host expression in brackets needs quotes: "red[01-02]"' if isinstance(given, list) else ""
    return f'put it in quotes: "{given}"' if isinstance(given, int | float) and not isinstance(given, bool) else ""
