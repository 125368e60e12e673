"""Whether Slurm does its work on every host that it should: real jobs whose answers are known beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.steps import Probe
from . import configuration, nodes, refusals
from .config import Config

#: Jobs run as the one plain user that every host has, under the same number: what it may do, everybody may.
USER = "nobody"

#: Tasks of the job array; also their exit statuses, so less than 126.
TASKS = 4

#: Seconds a probe may take. A job waits 30 s for a free processor; one that a lost host holds up ends after a minute,
#: and the first proof waits as long for jobs that are still ending.
PATIENCE = 160.0

BUSY = "are the nodes up, and not full of jobs? sinfo --Node --long; squeue"


def verify(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """Real jobs on all nodes.

    Raises
    ------
    PlanError
        Hosts that cannot have Slurm together any more; the message names them.
    """
    slurm = nodes.describe(cluster, config, facts)
    refusals.check(slurm, config)
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
    at_work = tuple(node for node in slurm.working if slurm.queue_of((node,)))
    yield _probe(
        "a job on each node",
        _script("each.sh", *_places(slurm, at_work)),
        lines=_names(at_work),
        blame={node.facts.hostname: f"{node.host} ran no job" for node in at_work},
    )
    whole = slurm.queue_of(at_work)
    for queue in ((whole,) if whole else ()) + tuple(queue for queue in slurm.partitions if queue is not whole):
        yield _probe(
            "one job on all nodes" if queue is whole else f"a job in the partition {queue.name}",
            _srun(queue, queue.nodes, "uname", "-n"),
            lines=_names(queue.nodes),
            blame={node.facts.hostname: f"{node.host} took no part" for node in queue.nodes},
        )
    yield _probe(
        "a job array",
        _script("array.sh", str(TASKS)),
        lines=tuple(f"{number} ended with {number}" for number in range(1, TASKS + 1)),
    )
    yield _probe("a job that is cancelled", _script("cancel.sh"), lines=("JobState=CANCELLED",))
    yield _probe(
        "a job that takes too much memory is killed",
        _script("memory.sh", *_places(slurm, at_work)),
        lines=tuple(f"{name} began" for name in _names(at_work)),
        status=None,
    )
    for gres in slurm.gres:
        for node in gres.nodes:
            queue_of_it = slurm.queue_of((node,))
            if queue_of_it:
                yield _probe(
                    f"a job that asks {node.host} for {gres.name}",
                    _srun(queue_of_it, (node,), "uname", "-n", options=(f"--gres={gres.name}:{gres.count}",)),
                    lines=_names((node,)),
                )
    if config.mpi == "pmix":
        yield _allreduce(max(slurm.partitions, key=lambda queue: len(queue.nodes)))
    if config.accounting:
        yield _probe("what a job used is kept", _script("accounting.sh"), lines=("FAILED|7:0",))


def _names(chosen: tuple[nodes.Node, ...]) -> tuple[str, ...]:
    return tuple(node.facts.hostname for node in chosen)


def _places(slurm: nodes.Nodes, chosen: tuple[nodes.Node, ...]) -> tuple[str, ...]:
    """``QUEUE:NODE`` for each node: a job must say where it may run, if that is not in the default queue."""
    queues = [(slurm.queue_of((node,)), node) for node in chosen]
    return tuple(f"{queue.name}:{node.name}" for queue, node in queues if queue)


def _allreduce(queue: nodes.Queue) -> Probe:
    # A lone node gets two ranks, or nothing would be exchanged.
    ranks = len(queue.nodes) if len(queue.nodes) > 1 else 2
    each = ranks // len(queue.nodes)
    total = ranks * (ranks + 1) // 2
    program = configuration.text("probes/allreduce")
    return _probe(
        "an MPI allreduce over PMIx",
        _srun(
            queue, queue.nodes, "python3", "-c", program, options=("--mpi=pmix", "--overcommit"), each=each, memory=128
        ),
        lines=tuple(f"{name} {total}" for name in _names(queue.nodes) for _ in range(each)),
    )


def _srun(
    queue: nodes.Queue,
    chosen: tuple[nodes.Node, ...],
    *command: str,
    options: tuple[str, ...] = (),
    each: int = 1,
    memory: int = 16,
) -> tuple[tuple[str, ...], str | None]:
    """One job on all of these nodes."""
    count = len(chosen)
    job = ("srun", "--job-name=bramble-verify", "--chdir=/", "--immediate=30", f"--partition={queue.name}")
    where = (f"--nodes={count}", f"--nodelist={','.join(node.name for node in chosen)}")
    tasks = (f"--ntasks={each * count}", f"--ntasks-per-node={each}", f"--mem={memory}")
    return (*job, *where, *tasks, *options, *command), None


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
