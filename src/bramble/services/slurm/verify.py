"""Whether Slurm does its work on every host that it should: real jobs whose answers are known beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.steps import Probe
from . import configuration, nodes
from .config import Config

#: Jobs run as the one plain user that every host has, under the same number: what it may do, everybody may.
USER = "nobody"

#: Tasks of the job array; also their exit statuses, so less than 126.
TASKS = 4

#: Seconds a probe may take. A job waits 30 s for a free processor; one that a lost host holds up ends after a minute.
PATIENCE = 100.0

BUSY = "are the nodes up, and not full of jobs? sinfo --Node --long; squeue"


def verify(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """Real jobs on all nodes."""
    slurm = nodes.describe(cluster, config, facts)
    local = Probe(
        name="munge opens what it sealed",
        argv=("sh", "-c", "munge --no-input | unmunge"),
        expect_match="^STATUS: +Success",
        log_units=("munge",),
        timeout=20,
    )
    return Plan(
        service="slurm",
        groups=(
            group("Keys", slurm.hosts, local),
            group("Jobs", [cluster.manager], *_jobs(slurm, config), timeout=PATIENCE * 10, after=["Keys"]),
        ),
    )


def _jobs(slurm: nodes.Nodes, config: Config) -> Iterator[Probe]:
    names = tuple(node.name for node in slurm.working)
    hostnames = tuple(node.facts.hostname for node in slurm.working)
    yield _probe(
        "a job on each node",
        _script("each.sh", *names),
        lines=hostnames,
        blame={node.facts.hostname: f"{node.host} ran no job" for node in slurm.working},
    )
    yield _probe(
        "one job on all nodes",
        _srun(names, "uname", "-n"),
        lines=hostnames,
        blame={node.facts.hostname: f"{node.host} took no part" for node in slurm.working},
    )
    yield _probe(
        "a job array",
        _script("array.sh", str(TASKS)),
        lines=tuple(f"{number} ended with {number}" for number in range(1, TASKS + 1)),
    )
    yield _probe("a job that is cancelled", _script("cancel.sh"), lines=("JobState=CANCELLED",))
    yield _probe(
        "a job that takes too much memory is killed",
        _script("memory.sh", *names),
        lines=tuple(f"{hostname} began" for hostname in hostnames),
        status=None,
    )
    for queue in slurm.partitions if len(slurm.partitions) > 1 else ():
        there = tuple(node.name for node in queue.nodes)
        yield _probe(
            f"a job in the partition {queue.name}",
            _srun(there, "uname", "-n", options=(f"--partition={queue.name}",)),
            lines=tuple(node.facts.hostname for node in queue.nodes),
        )
    for gres in slurm.gres:
        there = tuple(node.name for node in gres.nodes)
        yield _probe(
            f"a job that asks for {gres.name}",
            _srun(there, "uname", "-n", options=(f"--gres={gres.name}:{gres.count}",)),
            lines=tuple(node.facts.hostname for node in gres.nodes),
        )
    if config.mpi == "pmix":
        yield _allreduce(names, hostnames)
    if config.accounting:
        yield _probe("what a job used is kept", _script("accounting.sh"), lines=("FAILED|7:0",))


def _allreduce(names: tuple[str, ...], hostnames: tuple[str, ...]) -> Probe:
    # A lone node gets two ranks, or nothing would be exchanged.
    ranks = len(names) if len(names) > 1 else 2
    each = ranks // len(names)
    total = ranks * (ranks + 1) // 2
    program = configuration.text("probes/allreduce")
    return _probe(
        "an MPI allreduce over PMIx",
        _srun(names, "python3", "-c", program, options=("--mpi=pmix", "--overcommit"), each=each, memory=128),
        lines=tuple(f"{hostname} {total}" for hostname in hostnames for _ in range(each)),
    )


def _srun(
    names: tuple[str, ...], *command: str, options: tuple[str, ...] = (), each: int = 1, memory: int = 16
) -> tuple[tuple[str, ...], str | None]:
    """One job on all of these nodes."""
    where = (f"--nodes={len(names)}", f"--nodelist={','.join(names)}")
    tasks = (f"--ntasks={each * len(names)}", f"--ntasks-per-node={each}", f"--mem={memory}")
    return (
        "srun",
        "--job-name=bramble-verify",
        "--chdir=/",
        "--immediate=30",
        *where,
        *tasks,
        *options,
        *command,
    ), None


def _script(name: str, *arguments: str) -> tuple[tuple[str, ...], str | None]:
    return ("bash", "-s", "--", *arguments), configuration.text(f"probes/{name}")


def _probe(
    name: str,
    command: tuple[tuple[str, ...], str | None],
    *,
    lines: tuple[str, ...],
    blame: Mapping[str, str] | None = None,
    status: int | None = 0,
) -> Probe:
    argv, script = command
    return Probe(
        name=name,
        argv=argv,
        input=script,
        expect_lines=lines,
        expect_status=status,
        blame=blame or {},
        user=USER,
        timeout=PATIENCE,
        log_units=("slurmctld",),
        hint=BUSY,
    )
