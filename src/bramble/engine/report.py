"""How a run ended, host by host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import IntEnum
from typing import Any, Literal


class ExitCode(IntEnum):
    """How the command ends; the table stands in the manual."""

    DONE = 0
    HOST_FAILED = 1
    USAGE = 2
    VERIFICATION_FAILED = 3
    INTERRUPTED = 130


#: ``done``; ``failed``; ``skipped`` because of another host; ``interrupted``.
Outcome = Literal["done", "failed", "skipped", "interrupted"]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a host failed. ``error`` is the class name in the error tree; ``log`` the last lines that tell it."""

    error: str
    what: str
    why: str = ""
    hint: str = ""
    group: str = ""
    step: str = ""
    log: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class HostResult:
    """How a run ended on one host; ``seconds`` from the first connection to the last step."""

    host: str
    outcome: Outcome
    changed: int = 0
    unchanged: int = 0
    kept: tuple[str, ...] = ()
    seconds: float = 0.0
    failure: Failure | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """How a run ended.

    Attributes
    ----------
    run
        Its id, for `bramble runs show`.
    verb, service, cluster
        What it was about.
    dry
        Whether nothing was changed on purpose; ``changed`` then counts what would be.
    hosts
        By name, in the order of the cluster.
    seconds
        From start to end.
    verified
        True or False where the run verified; None where it did not.
    data
        What a verb found besides, as JSON values.
    """

    run: str
    verb: str
    service: str = ""
    cluster: str = ""
    dry: bool = False
    hosts: Mapping[str, HostResult] = field(default_factory=dict)
    started: float = 0.0
    seconds: float = 0.0
    verified: bool | None = None
    notes: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def changed(self) -> int:
        """Steps that changed something, over all hosts."""
        return sum(result.changed for result in self.hosts.values())

    @property
    def failed(self) -> tuple[HostResult, ...]:
        """Hosts that did not get through, skipped ones included."""
        return tuple(result for result in self.hosts.values() if result.outcome in ("failed", "skipped"))

    @property
    def exit_code(self) -> ExitCode:
        if any(result.outcome == "interrupted" for result in self.hosts.values()):
            return ExitCode.INTERRUPTED
        if self.verified is False:
            return ExitCode.VERIFICATION_FAILED
        return ExitCode.HOST_FAILED if self.failed else ExitCode.DONE

    @property
    def ok(self) -> bool:
        return self.exit_code is ExitCode.DONE

    def to_json(self) -> dict[str, Any]:
        """The documented JSON form."""
        data = asdict(self)
        data["hosts"] = [asdict(result) for result in self.hosts.values()]
        return {**data, "changed": self.changed, "exit_code": int(self.exit_code)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Report:
        """The report that `to_json` wrote; what it does not know, from a later version, is left out."""
        hosts = {host["host"]: _host_result(host) for host in data.get("hosts", ())}
        return cls(**{**_known(cls, data), "hosts": hosts})


def _host_result(data: Mapping[str, Any]) -> HostResult:
    failure = data.get("failure")
    return HostResult(
        **{**_known(HostResult, data), "failure": Failure(**_known(Failure, failure)) if failure else None}
    )


def _known(kind: type, data: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in data.items() if name in names}
