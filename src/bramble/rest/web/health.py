"""Whether services and hosts are well, as the latest runs know it. No host is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...model import HostSet

#: Verbs whose runs prove a service.
_PROVING = ("deploy", "prepare", "verify", "scale", "upgrade", "restore")


@dataclass(frozen=True, kw_only=True)
class Health:
    """What is known of something.

    Attributes
    ----------
    level
        ``good``, ``bad``, ``open`` (at work, or nobody has looked), for its colour.
    words
        The same for people.
    time
        When that was found out, seconds since the epoch; 0 for never.
    run
        By which run.
    """

    level: str = "open"
    words: str = "not known"
    time: float = 0.0
    run: str = ""


NOT_KNOWN = Health()

#: Of so many of a cluster's latest runs health is read at most.
_MOST = 60


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the latest runs of one cluster tell.

    Attributes
    ----------
    services, hosts
        Health by name; of what no run was about, nothing.
    """

    services: Mapping[str, Health] = field(default_factory=dict)
    hosts: Mapping[str, Health] = field(default_factory=dict)

    def service(self, name: str) -> Health:
        """Of one service."""
        return self.services.get(name, NOT_KNOWN)

    def host(self, name: str) -> Health:
        """Of one host."""
        return self.hosts.get(name, NOT_KNOWN)


async def read(cluster: Mapping[str, Any], ask: Callable[..., Awaitable[list[dict[str, Any]]]]) -> Known:
    """What is known of a cluster, from as few runs as tell it.

    Parameters
    ----------
    cluster
        As ``GET /clusters/{cluster}`` has it.
    ask
        Gives what is at a path of the API.
    """
    runs: list[dict[str, Any]] = []
    limit = 1  # most often the latest tells all; of 1,000 hosts each is a quarter of a megabyte
    while True:
        before = runs[-1]["id"] if runs else ""
        some = await ask("/runs", cluster=cluster["name"], limit=limit, before=before)
        runs += some
        known = of_cluster(cluster["name"], runs)
        told = {host["name"] for host in cluster["hosts"]} <= {*known.hosts} and {*cluster["services"]} <= {
            *known.services
        }
        if told or len(some) < limit or len(runs) >= _MOST:
            return known
        limit *= 2


def of_cluster(cluster: str, runs: Iterable[Mapping[str, Any]]) -> Known:
    """What runs, newest first, tell of a cluster."""
    services: dict[str, Health] = {}
    hosts: dict[str, Health] = {}
    for run in runs:
        report = run.get("report")
        if run["cluster"] != cluster:
            continue
        if run["state"] in ("cut off", "interrupted") and run["verb"] in _PROVING and not (report or {}).get("dry"):
            services.setdefault(run["service"], _health("open", f"{run['verb']} was {_ended(run['state'])}", run))
        if not report:
            continue
        for result in report["hosts"]:
            hosts.setdefault(result["host"], _of_host(result, run))
        if run["verb"] == "status":
            for name, health in _of_status(report, run).items():
                services.setdefault(name, health)
        elif run["verb"] in _PROVING and not report["dry"] and run["service"]:
            services.setdefault(run["service"], _of_proof(report, run))
    return Known(services=services, hosts=hosts)


def _ended(state: str) -> str:
    return "stopped" if state == "interrupted" else state


def _health(level: str, words: str, run: Mapping[str, Any]) -> Health:
    return Health(level=level, words=words, time=run["started"] + (run["seconds"] or 0.0), run=run["id"])


def _of_host(result: Mapping[str, Any], run: Mapping[str, Any]) -> Health:
    failure = result.get("failure")
    if result["outcome"] == "failed":
        return _health("bad", failure["what"] if failure else "failed", run)
    return _health("good", "answered", run) if result["outcome"] == "done" else _health("open", result["outcome"], run)


def _of_proof(report: Mapping[str, Any], run: Mapping[str, Any]) -> Health:
    failed = [result["host"] for result in report["hosts"] if result["outcome"] == "failed"]
    if report["verified"] and failed:
        return _health("bad", f"works, but without {HostSet(failed)}", run)
    if report["verified"]:
        return _health("good", "works", run)
    if report["verified"] is False:
        return _health("bad", "does not do its work", run)
    if run["state"] == "failed":
        return _health("bad", f"{run['verb']} failed", run)
    return _health("open", "not verified", run)


def _of_status(report: Mapping[str, Any], run: Mapping[str, Any]) -> dict[str, Health]:
    states: dict[str, set[str]] = {}
    for one in report["data"].get("services", []):
        states.setdefault(one["service"], set()).add(one["state"])
    return {
        name: _health("good", "in order", run) if found == {"in order"} else _worst(found - {"in order"}, run)
        for name, found in states.items()
    }


def _worst(states: set[str], run: Mapping[str, Any]) -> Health:
    level = "open" if states == {"not known"} else "bad"
    return _health(level, " and ".join(sorted(states)), run)
