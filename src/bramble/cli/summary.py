"""How a run ended, for people: what changed, how it stands on each host, why a host failed, and one closing sentence.

Everything here makes rich renderables from a `Story` and a report; whoever shows them chooses the stream and the width.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from .story import CHANGES, Happening, Story, fold, plain, short
from .tables import empty

#: From so many hosts on, those that ended alike share a line.
FOLD = 17

#: The last lines of a log that are shown; all that were kept are in the JSON.
_LOG = 12

_STYLES = {"done": "green", "failed": "bold red", "skipped": "yellow", "interrupted": "yellow"}


def seconds(value: float) -> str:
    """A time for people: ``0.2 s``, ``12.3 s``, ``2 min 05 s``."""
    if value < 59.95:
        return f"{value:.1f} s"
    return f"{int(value + 0.5) // 60} min {int(value + 0.5) % 60:02} s"


def count(number: int, noun: str) -> str:
    """``1 change``, ``2 changes``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def heading(story: Story, cluster: str = "") -> Text:
    """What begins: ``deploy slurm on red,red[01-02]``; ``cluster`` where it is one of several."""
    started = story.started
    about = f" {started.service}" if started.service else ""
    text = Text(f"{started.verb}{about} on {fold(started.hosts)}", style="bold")
    if cluster:
        text.append(f", cluster {cluster}")
    return text.append(f"  run {started.run}", style="not bold dim")


def ending(
    story: Story,
    report: Mapping[str, Any],
    cluster: str = "",
    *,
    shown: Iterable[str],
    diff: bool,
    width: int = 400,
) -> Iterator[RenderableType]:
    """What is shown when a run is over: what happened, differences, failures, the table, the closing sentence.

    Parameters
    ----------
    cluster
        Its name, where it is one of several.
    shown
        Outcomes of steps to tell of.
    diff
        Show the differences.
    width
        Columns there are.
    """
    if story.of(*shown):
        yield ""
        yield happened(story, *shown, width=width)
    if diff:
        yield ""
        yield from differences(story.of(*CHANGES))
    left = list(kept(report))
    if left:
        yield ""
        yield from left
    for block in failures(report):
        yield ""
        yield block
    yield ""
    yield host_table(report)
    yield ""
    if report["exit_code"] == 0:
        yield Text(verdict(report, cluster)[0], style="bold green")


def happened(story: Story, *outcomes: str, width: int) -> RenderableType:
    """What changed (passed, was kept) where: a heading for each group of steps, one line for hosts that are alike."""
    found = [(fold(one.hosts), short(one.step), one) for one in story.of(*outcomes)]
    widths = (
        min(30, max((len(hosts) for hosts, _, _ in found), default=0)),
        min(max(34, width // 2 - 12), max((len(step) for _, step, _ in found), default=0)),
    )
    parts: list[RenderableType] = []
    tables: dict[str, Table] = {}
    for hosts, step, one in found:
        if one.group not in tables:
            tables[one.group] = table = Table.grid(padding=(0, 2, 0, 0))
            for width in widths:  # the same in all groups, so that they stand under each other
                table.add_column(overflow="fold", width=width)
            table.add_column(overflow="fold")
            parts += [Text(one.group, style="bold"), Padding(table, (0, 0, 0, 2), expand=False)]
        style = "yellow" if one.outcome in ("kept", "unknown") else "dim"
        words = {"unknown": f"cannot be told yet: {one.summary}", "passed": one.summary or "passed"}
        said = plain(words.get(one.outcome, one.summary))
        tables[one.group].add_row(Text(hosts), Text(step), Text(said, style=style))
    return Group(*parts)


def differences(happenings: list[Happening]) -> Iterator[Text]:
    """The diffs, each once, with the hosts it holds for."""
    for one in happenings:
        if not one.diff:
            continue
        yield Text(f"{fold(one.hosts)}: {short(one.step)}", style="bold")
        for line in plain(one.diff).splitlines():
            style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
            yield Text(line, style=style)


def host_table(report: Mapping[str, Any]) -> Table:
    """A line a host: result, counts, time. Many hosts that ended alike share a line, with the slowest time."""
    probing = report["verb"] == "verify"
    table = empty()
    table.add_column("host", overflow="fold")
    table.add_column("result")
    if not probing:
        table.add_column("would change" if report["dry"] else "changed", justify="right")
    table.add_column("passed" if probing else "in order", justify="right")
    table.add_column("time", justify="right")
    for alike in _alike(report["hosts"]):
        first = alike[0]
        slowest = max(alike, key=lambda result: float(result["seconds"]))
        took = seconds(slowest["seconds"]) + (f" ({slowest['host']})" if len(alike) > 1 else "")
        cells = [] if probing else [str(first["changed"])]
        table.add_row(
            Text(fold(result["host"] for result in alike)),
            Text(first["outcome"], style=_STYLES[first["outcome"]]),
            *cells,
            str(first["unchanged"]),
            took,
        )
    return table


def _alike(hosts: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    if len(hosts) < FOLD:
        return [[host] for host in hosts]
    groups: dict[tuple[object, ...], list[dict[str, Any]]] = {}
    for host in hosts:
        groups.setdefault((host["outcome"], host["changed"], host["unchanged"]), []).append(host)
    return list(groups.values())


def failures(report: Mapping[str, Any]) -> Iterator[Text]:
    """A block for each cause: the hosts, what went wrong, where, why, the last lines of the log, and what to do."""
    causes: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {}
    for host in report["hosts"]:
        failure = host["failure"]
        if failure:
            causes.setdefault(repr(failure), (failure, []))[1].append(host)
    for failure, hosts in causes.values():
        yield _failure(failure, fold(host["host"] for host in hosts), hosts[0]["outcome"])


def _failure(failure: Mapping[str, Any], hosts: str, outcome: str) -> Text:
    text = Text()
    text.append(f"{outcome}: ", style=_STYLES[outcome])
    text.append(hosts, style="bold")
    text.append(f": {plain(failure['what'])}\n")
    where = " / ".join(filter(None, (failure["group"], short(failure["step"]))))
    for label, value in (("step", where if failure["step"] else ""), ("why", failure["why"])):
        if value:
            _labelled(text, label, plain(value).strip().splitlines())
    if failure["log"]:
        _labelled(text, "log", [plain(line) for line in failure["log"][-_LOG:]], style="dim")
    if failure["hint"]:
        _labelled(text, "hint", [plain(failure["hint"])], label_style="cyan")
    text.rstrip()
    return text


def _labelled(text: Text, label: str, lines: list[str], style: str = "", label_style: str = "dim") -> None:
    for number, line in enumerate(lines):
        text.append(f"  {label + ':' if number == 0 else '':6}", style=label_style)
        text.append(f"{line}\n", style=style)


def kept(report: Mapping[str, Any]) -> Iterator[Text]:
    """What was left on purpose, and why."""
    by_reason: dict[str, list[str]] = {}
    for host in report["hosts"]:
        for reason in host["kept"]:
            by_reason.setdefault(reason, []).append(host["host"])
    for reason, hosts in by_reason.items():
        yield Text("kept: ", style="yellow").append(f"{fold(hosts)}: {plain(reason)}", style="default")


def verdict(report: Mapping[str, Any], cluster: str = "") -> tuple[str, str]:
    """The closing sentence and, where it is an error, the hint. An interrupted run has its own words elsewhere."""
    sentence, hint = _verdict(report)
    return f"{cluster}: {sentence}" if cluster else sentence, hint


#: Verbs that go on where they stopped.
_GOES_ON = ("deploy", "scale", "upgrade", "restore", "remove")


def _verdict(report: Mapping[str, Any]) -> tuple[str, str]:
    service, hosts = report["service"] or report["verb"], fold(host["host"] for host in report["hosts"])
    failed = [host["host"] for host in report["hosts"] if host["outcome"] in ("failed", "skipped")]
    if failed:
        everyone = len(report["hosts"])
        share = f"{len(failed)} of {everyone} hosts: {fold(failed)}" if everyone > 1 else fold(failed)
        again = "when that is mended, run the same command again: it goes on where it stopped"
        if report["verb"] == "run":
            return f"the command failed on {share}", ""
        if report["verb"] == "verify":
            return f"{service} does not do its work on {share}", ""
        return f"{report['verb']} failed on {share}", again if report["verb"] in _GOES_ON else ""
    if report["verified"] is False:
        return f"{service} does not do its work on {hosts}", "bramble status"
    return _success(report, service, hosts), ""


def _success(report: Mapping[str, Any], service: str, hosts: str) -> str:
    verb, changed, took = report["verb"], report["changed"], seconds(report["seconds"])
    changes = count(changed, "change")
    if report["dry"]:
        foreseen = f"{changes} would be made, and nothing was changed" if changed else "nothing would change"
        return f"dry run: {foreseen} ({took})"
    if verb == "verify":
        return f"{service} does its work on {hosts} ({took})"
    if verb == "remove":
        return f"{service} is off {hosts}: {changes}, {took}" if changed else f"nothing to remove ({took})"
    if verb == "backup":
        return f"what {service} knows is in {report['data']['file']} ({took})"
    proven = " and does its work" if report["verified"] else " (not verified)"
    if not changed:
        return f"nothing to change: {service} is in place on {hosts}{proven} ({took})"
    done = {"scale": "is scaled", "restore": f"is back on {hosts}"}.get(verb, f"is deployed on {hosts}")
    return f"{service} {done}{proven}: {changes}, {took}"
