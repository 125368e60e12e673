"""Fixed addresses of hosts, as options and as steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Interface
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ...errors import PlanError
from ...model import Cluster
from ...runner.facts import Facts
from ...runner.step import Step
from ...runner.steps import Address
from ..words import Words, from_text


def _addresses(given: object) -> object:
    given = from_text(given)
    if isinstance(given, list) and given:
        raise ValueError("give {red: 10.1.1.1/24, red01: 10.1.1.2/24}; `bramble prepare` takes 10.1.1.[1-2]/24, too")
    return given or {}


def _interface(text: str) -> str:
    try:
        interface = IPv4Interface(text if "/" in text else "")
    except ValueError:
        raise ValueError(f"{text!r} is not an address with the length of its network, such as 10.1.1.1/24") from None
    if interface.network.prefixlen > 30 or interface.ip in (
        interface.network.network_address,
        interface.network.broadcast_address,
    ):
        raise ValueError(f"{text!r} cannot be a host's: it is that of a whole network, or has no room for others")
    return str(interface)


def _gateway(text: str) -> str:
    return str(IPv4Address(text)) if text else ""


def _servers(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(IPv4Address(word)) for word in words)


class Addresses(BaseModel):
    """Options about addresses."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: Annotated[dict[str, Annotated[str, AfterValidator(_interface)]], BeforeValidator(_addresses)] = Field(
        default_factory=dict,
        description="Fixed addresses of Ethernet, by host: `10.1.1.[1-3]/24` with `bramble prepare`, in the order of "
        "the hosts; or `{red: 10.1.1.1/24, red01: 10.1.1.2/24}`.",
    )
    gateway: Annotated[str, AfterValidator(_gateway)] = Field(
        default="", description="The way out of the network, with `address`."
    )
    dns: Annotated[tuple[str, ...], Words, AfterValidator(_servers)] = Field(
        default=(), description="Name servers, with `address`: addresses with commas between."
    )
    address_deadline: float = Field(
        default=60.0, ge=10, le=600, description="Seconds to reach a host at its new address, before it goes back."
    )

    @model_validator(mode="after")
    def _address_is_whole(self) -> Addresses:
        for name, value in (("gateway", self.gateway), ("dns", self.dns)):
            if value and not self.address:
                raise ValueError(f"{name} goes with address, which is not set")
        for host, text in self.address.items():
            if self.gateway and IPv4Address(self.gateway) not in IPv4Interface(text).network:
                raise ValueError(
                    f"gateway {self.gateway} is not in the network of {host}, {IPv4Interface(text).network}"
                )
        addresses = [text.partition("/")[0] for text in (*self.address.values(), self.gateway) if text]
        twice = sorted({one for one in addresses if addresses.count(one) > 1})
        if twice:
            raise ValueError(f"address: {', '.join(twice)} is there twice")
        return self


def addresses(config: Addresses, host: str) -> Iterator[Step]:
    """The last that is done: a host that cannot be reached any more has all the rest."""
    if host in config.address:
        yield Address(
            address=config.address[host], gateway=config.gateway, dns=config.dns, deadline=config.address_deadline
        )


def check(cluster: Cluster, config: Addresses, facts: Mapping[str, Facts]) -> None:
    """Refuse hosts that are not there, have another one's address, or on which nobody could be told.

    Raises
    ------
    PlanError
    """
    there = {facts[host.name].address: host.name for host in cluster.hosts if facts[host.name].address}
    for host, text in config.address.items():
        if host not in cluster.hostset:
            continue
        found = facts[host]
        holder = there.get(text.partition("/")[0], host)
        if holder != host:
            raise PlanError(
                f"{text} is the address of {holder} now",
                host=host,
                hint=f"give {holder} another one first, in a run of its own",
            )
        if found.interface.startswith("wl"):
            raise PlanError(
                f"its way to others is Wi-Fi ({found.interface}), and only Ethernet is given a fixed address",
                host=host,
                hint="plug in a cable, or leave it out of address; a card can be burned with a fixed address for Wi-Fi",
            )
        if not found.manager:
            raise PlanError(
                f"nobody that bramble knows gives {found.interface or 'its interface'} an address",
                host=host,
                why="neither NetworkManager nor netplan nor dhcpcd manages it",
                hint="look there: networkctl; nmcli device; cat /etc/network/interfaces",
            )
