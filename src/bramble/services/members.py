"""The hosts of a cluster as a service sees them: who manages, who works, who is who."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class Member(Protocol):
    """What a service says of a host, whatever else it says of it."""

    @property
    def host(self) -> str:
        """Bramble's name for it."""

    @property
    def works(self) -> bool:
        """Whether it does the service's work, beside commanding others."""


N = TypeVar("N", bound=Member)


@dataclass(frozen=True, kw_only=True)
class Members(Generic[N]):
    """All hosts of a cluster, the manager among them, in the cluster's order."""

    manager: N
    all: tuple[N, ...]

    @property
    def hosts(self) -> tuple[str, ...]:
        """Bramble's names of all."""
        return tuple(one.host for one in self.all)

    @property
    def working(self) -> tuple[N, ...]:
        """Those that work."""
        return tuple(one for one in self.all if one.works)

    @property
    def working_hosts(self) -> tuple[str, ...]:
        """Bramble's names of these."""
        return tuple(one.host for one in self.working)

    def of(self, host: str) -> N:
        """The one with this name."""
        return next(one for one in self.all if one.host == host)
