"""The kubeconfig of the person who deploys: the laptop's own kubectl works at once, and no longer after a removal."""

from __future__ import annotations

import asyncio
import getpass
import shutil
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ..engine import certificates
from ..inventory import kubeconfig
from ..model import Cluster
from ..runner.facts import Facts
from ..services import Service
from .job import Job

#: Seconds to wait for a server to take a connection.
ANSWER = 3.0


def check(room: Service, cluster: Cluster) -> None:
    """Look whether the kubeconfig could be written to, before any host is touched.

    Raises
    ------
    BrambleError
        It cannot be read, or is no kubeconfig.
    """
    if room.entrance is not None:
        kubeconfig.context_of(cluster.name)


async def grant(at_work: Job, room: Service, cluster: Cluster, config: Any, facts: Mapping[str, Facts]) -> None:
    """Put a context of the cluster's name into the kubeconfig, with a certificate of one's own that lasts a year.

    What is there and still good stays, so that a second deployment changes nothing.
    """
    if room.entrance is None or cluster.manager not in at_work.run.alive:
        return
    entrance = room.entrance(cluster, config, facts)
    if entrance is None:
        return
    if at_work.dry:
        if not kubeconfig.context_of(cluster.name):
            at_work.note(f"the context {cluster.name} would be put into {kubeconfig.path()}")
        return
    authority, signer = (at_work.secrets.read(one) for one in (entrance.authority, entrance.signer))
    there = kubeconfig.find(cluster.name)
    if (
        there is not None
        and (there.server, there.authority) == (entrance.server, authority)
        and certificates.lasts(there.certificate, signer)
    ):
        return
    certificate, key = certificates.client(
        signer, at_work.secrets.read(entrance.signer_key), f"{getpass.getuser()}@{socket.gethostname()}", entrance.group
    )
    access = kubeconfig.Access(
        cluster=cluster.name, server=entrance.server, authority=authority, certificate=certificate, key=key
    )
    name = kubeconfig.put(access)
    what = "its certificate is renewed" if there else f"try: kubectl --context {name} get nodes"
    at_work.note(f"{kubeconfig.path()} has the context {name}; {what}")
    if not there and not shutil.which("kubectl"):
        at_work.note("kubectl is not on this machine yet: https://kubernetes.io/docs/tasks/tools/")
    if not await _answers(entrance.server):
        at_work.note(f"{entrance.server} does not answer from here: kubectl works where nothing lies between")


async def _answers(server: str) -> bool:
    place = urlsplit(server)
    try:
        async with asyncio.timeout(ANSWER):
            _, writer = await asyncio.open_connection(place.hostname, place.port)
    except OSError:  # a timeout is one, too
        return False
    writer.close()
    return True


def revoke(at_work: Job, room: Service, cluster: Cluster) -> None:
    """Take the cluster's context out of the kubeconfig again."""
    if room.entrance is None:
        return
    if at_work.dry:
        if name := kubeconfig.context_of(cluster.name):
            at_work.note(f"the context {name} would be taken out of {kubeconfig.path()}")
    elif kubeconfig.drop(cluster.name):
        at_work.note(f"its context is taken out of {kubeconfig.path()}")
