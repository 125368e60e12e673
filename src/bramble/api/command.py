"""One command on all hosts at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Unpack

from ..connection import Connection
from ..engine.report import Report
from ..engine.session import sudo_asks
from ..errors import Interrupted, StepFailed
from .each import on_each
from .reach import Reach, job, resolve

#: Seconds that a command run as root gets beyond its time, so that its own host ends it, and says so.
LATE = 10.0

#: A command does not go on where it stopped, and its own words are kept nowhere: there may be a password among them.
LOOK = "it may have done its work on some hosts and not on others: see how they are before you run it again"

#: The status of coreutils' ``timeout`` when the time was over.
TIMED_OUT = 124


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a command said on one host."""

    host: str
    status: int
    stdout: str
    stderr: str


async def command(argv: Sequence[str], *, sudo: bool = False, timeout: float = 60.0, **reach: Unpack[Reach]) -> Report:
    """Run a command on all hosts at once. Nothing is installed or left there for it.

    Parameters
    ----------
    argv
        The command and its arguments, each passed as it is; one single argument goes to the login shell as a line.
    sudo
        As root.
    timeout
        Seconds; after that the command is ended.

    Returns
    -------
    Report
        ``data["answers"]`` holds an `Answer` as JSON for each host that could be asked. A status other than 0 counts
        as a failure of that host.
    """
    cluster = resolve(reach)
    at_work = job("run", cluster, reach, command=("run",))
    line: Sequence[str] | str = argv[0] if len(argv) == 1 and not sudo else list(argv)
    if sudo:
        # What root runs does not end with the connection: sshd may not signal it, so the host keeps the time.
        limit = ("timeout", "--kill-after=5", f"{timeout:g}")
        line = ["sudo", "-n", "--", *limit, *(("sh", "-c", argv[0]) if len(argv) == 1 else argv)]
    password = reach.get("sudo_password")
    answers: dict[str, Answer] = {}

    async def one(connection: Connection) -> None:
        host = connection.host.name
        said: Sequence[str] | str = line
        given = b""
        if sudo and password is not None and await sudo_asks(connection):
            said, given = ["sudo", "-k", "-S", "-p", "", *line[2:]], password.reveal() + b"\n"
        done = await connection.run(said, input=given, timeout=timeout + (LATE if sudo else 0))
        answers[host] = Answer(
            host=host,
            status=done.status,
            stdout=done.stdout.decode(errors="replace"),
            stderr=done.stderr.decode(errors="replace"),
        )
        if sudo and done.status == TIMED_OUT:
            raise StepFailed(
                f"the command did not end within {timeout:g} s", host=host, step="command", hint="--timeout SECONDS"
            )
        if done.status != 0:
            tail = tuple(answers[host].stderr.strip().splitlines()[-5:])
            why = tail[-1] if tail else ""
            raise StepFailed(f"the command ended with status {done.status}", host=host, step="command", why=why)

    async def work() -> None:
        try:
            await on_each(at_work, reach, one)
        except Interrupted as stopped:
            raise Interrupted(stopped.what, hint=LOOK) from None
        at_work.data = {"answers": [asdict(answers[h.name]) for h in cluster.hosts if h.name in answers]}

    return await at_work.do(work)
