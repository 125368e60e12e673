"""Which hosts, and how they are reached: the options that all verbs share."""

from __future__ import annotations

import shlex
from typing import TypedDict

from .. import inventory
from ..connection import Settings
from ..model import Cluster
from ..runner.secret import Secret
from .job import Job, OnBegin, OnEvent


class Reach(TypedDict, total=False):
    """Options of every verb that goes to hosts. All may be left out.

    Attributes
    ----------
    hosts
        A host expression: ``red,red[01-02]``.
    cluster
        Name of a cluster file; without it and without ``hosts``, the only cluster there is.
    manager
        The host that manages the others; else the cluster file's, else the name without a digit, else the first.
    user
        Log in as this user.
    port
        The port of sshd.
    key
        File of the private key.
    jump
        Go through this host: ``user@host:port``.
    accept_new
        Accept keys of hosts never seen before, and remember them. Changed keys are refused all the same.
    sudo_password
        For sudo, where hosts ask for one.
    connect_timeout
        Seconds a host may take to answer.
    connections
        How many connections are made at the same moment.
    on_event
        Called with every event of the run.
    on_begin
        Called with the names of the run's hosts before the first is contacted; what it raises ends the verb there.
    """

    hosts: str
    cluster: str
    manager: str
    user: str
    port: int
    key: str
    jump: str
    accept_new: bool
    sudo_password: Secret | None
    connect_timeout: float
    connections: int
    on_event: OnEvent | None
    on_begin: OnBegin | None


def resolve(reach: Reach) -> Cluster:
    """The cluster that is meant.

    Raises
    ------
    UsageError
        None, or more than one, is meant; or an expression or file has a mistake in it.
    """
    return inventory.resolve(
        hosts=reach.get("hosts", ""),
        cluster=reach.get("cluster", ""),
        manager=reach.get("manager", ""),
        user=reach.get("user", ""),
        port=reach.get("port", 0),
        key=reach.get("key", ""),
        jump=reach.get("jump", ""),
    )


def settings(reach: Reach) -> Settings:
    """How hosts are reached."""
    return Settings(
        known_hosts=(str(inventory.folders.known_hosts()),),
        accept_new=reach.get("accept_new", False),
        on_new_key=inventory.remember_key,
        connect_timeout=reach.get("connect_timeout", 10.0),
        connections=reach.get("connections", 32),
    )


def job(verb: str, cluster: Cluster, reach: Reach, service: str = "", command: tuple[str, ...] = ()) -> Job:
    """A run of ``verb``; ``command`` is what stands behind ``bramble`` on the command line that does the same."""
    return Job(
        verb,
        cluster,
        service=service,
        settings=settings(reach),
        command=shlex.join(("bramble", *command, *_as_options(reach))) if command else "",
        sudo_password=reach.get("sudo_password"),
        on_event=reach.get("on_event"),
        on_begin=reach.get("on_begin"),
    )


def _as_options(reach: Reach) -> list[str]:
    words = []
    for name in ("hosts", "cluster", "manager", "user", "port", "key", "jump"):
        value = reach.get(name)
        if value:
            words += [f"--{name}", str(value)]
    return words
