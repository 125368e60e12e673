"""Verbs that keep what a service knows in a file, and bring it back."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Unpack

from .. import inventory, services
from ..engine.backup import Kept, Origin, lay, read, take, write
from ..engine.report import Report
from ..engine.secrets import SecretStore
from ..errors import PlanError, UsageError
from ..model import Cluster
from ..services import Service
from . import kubeconfig
from .change import bring_about, bring_up
from .job import Job
from .needs import require_deployed, wanted_by, with_needs
from .reach import Reach, job, resolve
from .verify import prove
from .versions import require_settled


async def backup(service: str, *, to: str = "", **reach: Unpack[Reach]) -> Report:
    """Keep what a service knows, and its secrets, in a file of this machine. The service works on meanwhile.

    Parameters
    ----------
    to
        The file, or a folder for it; by default the current folder, under a name with the time.

    Returns
    -------
    Report
        ``data`` has the ``file`` and its ``size`` in bytes.

    Raises
    ------
    UsageError
        The service is not deployed, has nothing to keep, or the file is there already.
    BrambleError
        The host could not give it.
    """
    _, kind = _room(service)
    cluster = inventory.of_service(resolve(reach), service, given=False)
    require_deployed(service, cluster)
    file = place(to, cluster.name, service)
    manager = cluster.only([cluster.manager])
    at_work = job("backup", manager, reach, service, ("backup", service, *(("--to", to) if to else ())))

    async def work() -> None:
        await at_work.run.connect(lock=True)
        facts = await at_work.facts()
        _require_alive(at_work, [cluster.manager])
        origin = Origin(
            made=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            cluster=cluster.name,
            service=service,
            manager=cluster.manager,
            address=facts[cluster.manager].address,
            hosts=str(cluster.hostset),
            options=inventory.options_of(cluster, service),
        )
        with tempfile.TemporaryDirectory(prefix=".bramble-", dir=file.parent) as folder:
            content = Path(folder, "content")
            await take(at_work.run.session(cluster.manager), kind.take, content)
            write(file, origin, at_work.secrets.of(service), content)
        size = file.stat().st_size
        at_work.data = {"file": str(file), "size": size}
        at_work.note(f"{file}, {size / 1e6:.1f} MB: whoever has it has the keys of {service}")

    return await at_work.do(work)


async def restore(
    service: str, file: str, *, dry_run: bool = False, verify: bool = True, **reach: Unpack[Reach]
) -> Report:
    """Bring a service back to what it knew when a backup was made; where it is not deployed, deploy it with that.

    Parameters
    ----------
    file
        What `backup` wrote.
    dry_run, verify
        As in `deploy`.

    Raises
    ------
    UsageError
        No such backup, or one of another service, version or set of keys.
    BrambleError
        The backup was damaged.
    PlanError
        The manager is another one now, or a host that needs the backup cannot be reached.
    """
    room, kind = _room(service)
    with read(Path(file)) as kept:
        origin = kept.origin
        cluster = inventory.of_service(resolve(reach), service, given=bool(reach.get("hosts")))
        there = service in cluster.services
        _require_fit(kept, room, cluster)
        options = inventory.options_of(cluster, service) if there else origin.options
        config = services.configure(room, options)
        at_work = job("restore", cluster, reach, service, ("restore", service, file))
        at_work.dry = dry_run
        kubeconfig.check(room, cluster)
        onto = kind.onto(cluster, config) if there else (cluster.manager,)

        async def work() -> None:
            at_work.note(f"{service} goes back to what it knew at {origin.made}, on {origin.hosts}")
            await at_work.run.connect(lock=not dry_run)
            facts = await at_work.facts(wanted_by(with_needs(service)))
            _require_alive(at_work, onto)
            _require_place(origin, cluster.manager, facts[cluster.manager].address)
            if not dry_run:
                for host in onto:
                    await lay(at_work.run.session(host), kept.content)
            if there:
                await at_work.carry_out(kind.restore(cluster, config, facts), "check" if dry_run else "apply")
            else:
                if not dry_run:
                    at_work.secrets.put(kept.secrets)
                await bring_up(at_work, dataclasses.replace(room, plan=kind.anew), cluster, options, facts)
            if dry_run or not set(onto) <= set(at_work.run.alive):
                return
            # What was wanted since, such as labels, and hosts that came later.
            await bring_about(at_work, room, cluster, config, facts)
            await kubeconfig.grant(at_work, room, cluster, config, facts)
            if verify:
                await prove(at_work, room, cluster, config, facts)

        return await at_work.do(work)


def place(to: str, cluster: str, service: str) -> Path:
    """Where a backup goes; looked at before a host is asked for anything.

    Raises
    ------
    UsageError
        Something is there already, or there is no such folder.
    """
    file = Path(to or ".").expanduser()
    if file.is_dir():
        file /= f"{cluster}-{service}-{time.strftime('%Y%m%d-%H%M%S')}.backup"
    if file.exists():
        raise UsageError(f"{file} is there already", hint="choose another name, or a folder")
    if not file.parent.is_dir():
        raise UsageError(f"there is no folder {file.parent}", hint=f"mkdir -p {file.parent}")
    return file


def _room(service: str) -> tuple[Service, services.Backup]:
    room = services.get(service)
    if room.backup is None:
        having = [name for name in services.names() if services.get(name).backup is not None]
        raise UsageError(
            f"there are no backups of {service}: bramble makes it anew from the cluster file",
            hint=f"there are of {', '.join(having)}",
        )
    return room, room.backup


def _require_fit(kept: Kept, room: Service, cluster: Cluster) -> None:
    """Whether a backup is one of this service, as it is or would be deployed."""
    origin, name = kept.origin, room.name
    assert room.backup is not None
    if origin.service != name:
        raise UsageError(f"this is a backup of {origin.service}", hint=f"bramble restore {origin.service} FILE")
    version = origin.options.get("version")
    if name not in cluster.services:
        if room.versions and version not in room.versions:
            raise UsageError(f"there is no {name} {version} here", hint=f"there are: {', '.join(room.versions)}")
        return
    require_settled(room, cluster, {})
    now = inventory.options_of(cluster, name).get("version")
    anew = f"bramble remove {name}; then this again: it deploys {name} as it was then"
    if now != version:
        raise UsageError(f"this is a backup of {name} {version}, and {now} is there", hint=anew)
    store = SecretStore(inventory.folders.secrets(cluster.name))
    if any(store.read(secret) != kept.secrets.get(secret.name) for secret in room.backup.secrets):
        raise UsageError(
            f"this is a backup of another {name}: its keys are not those of the one that is there", hint=anew
        )


def _require_place(origin: Origin, manager: str, address: str) -> None:
    if (origin.manager, origin.address) != (manager, address):
        raise PlanError(
            f"the backup is of a cluster that {origin.manager} at {origin.address} manages, and this is {manager} at "
            f"{address}",
            hint=f"give a host that name and address, and name it: --manager {origin.manager}",
        )


def _require_alive(at_work: Job, hosts: Iterable[str]) -> None:
    missing = [host for host in hosts if host not in at_work.run.alive]
    if missing:
        raise PlanError(f"{', '.join(missing)} cannot be reached; nothing was changed", hint="bramble hosts check")
