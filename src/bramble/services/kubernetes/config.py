"""Options of the Kubernetes service."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from .logins import namespaces
from .programs import VERSIONS
from .taints import Taints

#: Nodes of a cluster on which the manager runs workloads, too, unless it is told otherwise.
SMALL = 3

#: A node gets so many addresses for its pods: kubeadm's own default.
NODE_PREFIX = 24


def _network(text: str) -> str:
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise ValueError(f"not an IPv4 network: {error}") from None
    if network.prefixlen > NODE_PREFIX - 1:
        raise ValueError(f"too small: at most /{NODE_PREFIX - 1}")
    return str(network)


Network = Annotated[str, AfterValidator(_network)]


class Config(BaseModel):
    """All options; every one has a default that fits a box of Pis."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[VERSIONS] = Field(  # type: ignore[valid-type]
        default=VERSIONS[-1],
        description="Of Kubernetes. It is kept in the cluster's file, and a later one comes by an upgrade.",
    )
    control_plane: int = Field(
        default=1,
        description="How many hosts run the control plane: the manager and those after it. With three, it goes on "
        "when one of them fails.",
    )
    programs: Literal["built", "released"] = Field(
        default="built",
        description="Where its programs come from: `built` by Go on the controller, or `released`: fetched from "
        "upstream, which is quicker, where the controller has a network. Not tried yet on hosts.",
    )
    manager_works: bool | None = Field(
        default=None,
        description="Whether pods of yours run on the manager, too. By default they do on clusters of up to three.",
    )
    network: Literal["vxlan", "host-gw"] = Field(
        default="vxlan",
        description="How pods reach pods of other hosts: `vxlan` works across any network, `host-gw` is faster and "
        "needs all hosts on one switch.",
    )
    pod_network: Network = Field(
        default="10.244.0.0/16", description="Addresses of pods; a /24 of it goes to each host."
    )
    service_network: Network = Field(default="10.96.0.0/12", description="Addresses of services.")
    kubeconfig: bool = Field(
        default=True,
        description="Put a context of the cluster's name into your kubeconfig, so that your own kubectl works at once.",
    )
    storage: bool = Field(
        default=False,
        description="Volumes for pods on the disk of the host that they run on, by the StorageClass `local-path`.",
    )
    metrics: bool = Field(
        default=False,
        description="What nodes and pods use, for `kubectl top` and for scaling by it (metrics-server).",
    )
    dashboard: Literal["none", "headlamp"] = Field(
        default="none",
        description="`headlamp`: a web page about the cluster. Its image comes from ghcr.io: hosts need the internet.",
    )
    taints: Taints = Field(
        default=(),
        description="Keeps pods off the hosts that have a label in the cluster file, unless they tolerate it: "
        "`stick:NoSchedule`, or `stick=coral:NoSchedule` for one of its values; several with commas between.",
    )
    pull_secret: str = Field(
        default="",
        description="A file with your logins at private registries, as docker's `config.json` or that of "
        "`buildah login --authfile`; `-` reads it from standard input. Pods then pull images from there.",
    )
    pull_namespaces: Annotated[str, AfterValidator(lambda text: ",".join(namespaces(text)))] = Field(
        default="default",
        description="Namespaces whose pods use these logins, with commas between; one that is missing is made.",
    )
    leave_deadline: float = Field(
        default=300.0, ge=0, description="Seconds that pods on a host to be dropped may take to move away."
    )

    @field_validator("control_plane")
    @classmethod
    def _odd(cls, count: int) -> int:
        if count not in (1, 3, 5):
            raise ValueError("1, 3 or 5: more than half of them must be there, so an even number brings nothing")
        return count

    @model_validator(mode="after")
    def _apart(self) -> Config:
        if ipaddress.IPv4Network(self.pod_network).overlaps(ipaddress.IPv4Network(self.service_network)):
            raise ValueError(f"pod_network {self.pod_network} and service_network {self.service_network} overlap")
        return self

    @property
    def added(self) -> tuple[str, ...]:
        """The additions that are wanted."""
        return tuple(name for name in ("storage", "metrics") if getattr(self, name))

    def works(self, hosts: int) -> bool:
        """Whether the manager runs workloads in a cluster of so many hosts."""
        return hosts <= SMALL if self.manager_works is None else self.manager_works
