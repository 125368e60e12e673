"""The verbs through a service are those of the API: same values, same errors, same events."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from tests.service import Proxy, Running

from bramble import api
from bramble.client import connect, trouble
from bramble.client.decode import decode
from bramble.client.description import Description
from bramble.engine.report import HostResult, Report
from bramble.errors import (
    BrambleError,
    CardFailed,
    ChangedHostKey,
    ClusterFileError,
    HostExpressionError,
    Interrupted,
    StepFailed,
    UnknownHostKey,
    UsageError,
)
from bramble.rest.problem import as_json, of_error
from bramble.runner import events
from bramble.runner.events import Event

VERBS = [name for name in api.__all__ if inspect.isfunction(getattr(api, name)) and name != "run"]


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A deployment that says a hundred things in two seconds; how it ended is noted."""
    ended: list[str] = []

    @functools.wraps(api.deploy)
    async def deploy(service: str, *, on_event: Any, on_begin: Any, **_: Any) -> Report:
        on_begin(("red",))
        on_event(events.RunStarted(run="7", verb="deploy", service=service, cluster="red", hosts=("red",)))
        try:
            for number in range(100):
                on_event(events.Note(text=str(number)))
                await asyncio.sleep(0.02)
        except asyncio.CancelledError:
            on_event(events.Note(text="stopping"))
            ended.append("cancelled")
            raise
        ended.append("done")
        return Report(run="7", verb="deploy", cluster="red", hosts={"red": HostResult(host="red", outcome="done")})

    monkeypatch.setattr(api, "deploy", deploy)
    return ended


def notes(seen: list[Event]) -> list[str]:
    return [event.text for event in seen if isinstance(event, events.Note)]


async def told(seen: list[Event], text: str) -> None:
    while text not in notes(seen):  # noqa: ASYNC110  (what it waits for happens elsewhere)
        await asyncio.sleep(0.01)


def test_what_is_read_is_the_same_value(service: Running) -> None:
    api.hosts_add("red,red[01-02]", cluster="red")
    there = service.remote("admin")
    assert there.hosts_list() == api.hosts_list()
    assert there.hosts_show() == api.hosts_show()
    assert there.run(there.services("java")) == api.run(api.services("java"))
    assert there.run(there.runs()) == ()


async def test_what_is_read_is_there_also_where_a_loop_is_at_work(service: Running) -> None:
    assert service.remote().hosts_list() == ()


def test_a_run_is_the_same_report_and_the_same_events(service: Running) -> None:
    there, seen = service.remote(), list[Event]()
    report = there.run(there.deploy("slurm", hosts="red,red[01-02]", port=9, dry_run=True, on_event=seen.append))
    assert (report.verb, report.service, report.cluster, report.dry) == ("deploy", "slurm", "red", True)
    assert {host.failure.error for host in report.hosts.values() if host.failure} == {"Unreachable"}
    assert isinstance(seen[0], events.RunStarted)
    assert isinstance(seen[-1], events.RunFinished)
    assert seen[-1].report == json.loads(json.dumps(report.to_json()))


@pytest.mark.parametrize(
    "call",
    [
        lambda verbs: verbs.deploy("slrm", hosts="red"),
        lambda verbs: verbs.verify("slurm"),
        lambda verbs: verbs.verify("slurm", cluster="blue"),
        lambda verbs: verbs.run_of("none"),
        lambda verbs: verbs.scale("slurm", hosts="red[01-02]"),
        lambda verbs: verbs.hosts_expand("red[01-0x]"),
    ],
    ids=["no such service", "no cluster", "no such cluster", "no such run", "nothing to scale", "an expression"],
)
def test_a_mistake_is_the_same_error(service: Running, call: Callable[[Any], Any]) -> None:
    there = service.remote()
    with pytest.raises(BrambleError) as here:
        api.run(call(api))
    with pytest.raises(BrambleError) as remote:
        there.run(call(there))
    assert (type(remote.value), remote.value.what) == (type(here.value), here.value.what)
    assert [getattr(remote.value, name) for name in remote.value.besides] == [
        getattr(here.value, name) for name in here.value.besides
    ]


@pytest.mark.parametrize(
    "error",
    [
        StepFailed("it failed", host="red", step="apt", why="no space", hint="make some", log=("one", "two")),
        UnknownHostKey("never seen", host="red", fingerprint="SHA256:x", hint="bramble hosts trust red"),
        ChangedHostKey("another", host="red", fingerprint="SHA256:x"),
        ClusterFileError("no such key", file="red.yaml", line=3, key="hots"),
        ClusterFileError("no file", file="red.yaml"),
        CardFailed("no card", host="red", device="/dev/sdb", offset=0),
        HostExpressionError("no number", expression="red[0", position=0),
    ],
    ids=repr,
)
def test_an_error_comes_with_all_that_it_knows(error: BrambleError) -> None:
    told = json.loads(json.dumps(as_json(of_error(error))))
    found = trouble.of_problem(told, "red")
    assert type(found) is type(error)
    assert str(found) == str(error).replace("hint: bramble ", "hint: bramble --server red ")
    assert [getattr(found, name) for name in error.besides] == [getattr(error, name) for name in error.besides]
    # From a service that does not say it:
    plain = trouble.of_problem({name: value for name, value in told.items() if name not in error.besides}, "red")
    assert isinstance(error, type(plain))
    assert plain.what == error.what


def test_every_verb_can_be_read_back() -> None:
    """Its value is of types that `decode` can make: every annotation can be found when it runs."""
    for verb in VERBS:
        kind = get_type_hints(getattr(api, verb))["return"]
        assert decode(kind, []) == () if getattr(kind, "__origin__", None) is tuple else True


def test_who_is_not_known_is_told_to_log_in(service: Running) -> None:
    there = connect(service.url, token="brm_nobody", authority=str(service.identity.authority))
    with pytest.raises(UsageError, match="does not know who you are") as refused:
        there.hosts_list()
    assert refused.value.hint == f"bramble login {service.url}"


def test_what_a_role_may_not_do_is_refused(service: Running) -> None:
    there = service.remote("viewer")
    with pytest.raises(UsageError, match="operator"):
        there.run(there.deploy("slurm", hosts="red"))


def test_an_authority_that_is_another_one_is_no_proof(service: Running, tmp_path: Path) -> None:
    other = Running(tmp_path / "other").authority
    (tmp_path / "ca.crt").write_text(other)
    with pytest.raises(BrambleError, match="cannot prove"):
        connect(service.url, token="x", authority=str(tmp_path / "ca.crt")).hosts_list()
    with pytest.raises(BrambleError, match="cannot prove"):
        connect(service.url, token="x").hosts_list()


def test_keys_of_this_machine_do_not_go_there(service: Running) -> None:
    there = service.remote()
    with pytest.raises(UsageError, match="a key of"):
        there.run(there.deploy("slurm", hosts="red", key="id_ed25519"))


def test_a_file_of_ones_own_is_read_here_and_kept_nowhere_there(service: Running, tmp_path: Path) -> None:
    logins = tmp_path / "logins.json"
    logins.write_text(json.dumps({"auths": {"registry.example": {"auth": "bWFyaWE6dmVyeS1zZWNyZXQ="}}}))
    there, seen = service.remote(), list[Event]()
    options = {"pull_secret": str(logins)}
    there.run(there.deploy("kubernetes", hosts="red", options=options, port=9, dry_run=True, on_event=seen.append))
    assert any("pull_secret" in text for text in notes(seen))
    database = b"".join(file.read_bytes() for file in service.folder.glob("service.sqlite*"))
    assert b"bWFyaWE6dmVyeS1zZWNyZXQ" not in database
    with pytest.raises(UsageError, match="cannot be read"):
        there.run(there.deploy("kubernetes", hosts="red", options={"pull_secret": "/none"}))


def test_a_service_of_another_version_is_named(service: Running) -> None:
    document = {"info": {"version": "0.0.1"}, "paths": {"/x": {"get": {"operationId": "hosts_list"}}}}
    described = Description(document, "red")
    with pytest.raises(UsageError, match="upgrade") as refused:
        described.operation("upgrade")
    assert "red has bramble 0.0.1, this is " in refused.value.why
    with pytest.raises(UsageError, match="cluster"):
        described.check("hosts_list", {"cluster": "red"})


def test_no_event_is_lost_or_told_twice_when_the_connection_is_cut(
    service: Running, slow: list[str], proxy: Proxy
) -> None:
    there, seen = service.remote(url=proxy.url), list[Event]()

    def take(event: Event) -> None:
        seen.append(event)
        if isinstance(event, events.Note) and event.text in ("20", "21", "60"):
            proxy.cut()

    report = there.run(there.deploy("slurm", hosts="red", on_event=take))
    assert report.ok
    assert proxy.cuts == 3
    assert notes(seen) == [str(number) for number in range(100)]
    assert slow == ["done"]


def test_a_network_that_does_not_come_back_is_told(service: Running, slow: list[str], proxy: Proxy) -> None:
    there = service.remote(url=proxy.url, pauses=(0.05, 0.1))

    def take(event: Event) -> None:
        if isinstance(event, events.Note):
            proxy.close()

    with pytest.raises(BrambleError, match="does not answer any more") as gone:
        there.run(there.deploy("slurm", hosts="red", on_event=take))
    assert gone.value.hint.startswith(f"follow it: {proxy.url}/jobs/")


def test_a_service_that_is_stopped_in_the_middle_says_so(service: Running, slow: list[str]) -> None:
    there, seen = service.remote(), list[Event]()

    async def work() -> Report:
        deploying = asyncio.ensure_future(there.deploy("slurm", hosts="red", on_event=seen.append))
        await told(seen, "20")
        await asyncio.to_thread(service.stop)
        await asyncio.to_thread(service.start)
        found: Report = await deploying
        return found

    with pytest.raises(BrambleError, match="was stopped in the middle") as stopped:
        asyncio.run(work())
    assert "the same command again" in stopped.value.hint
    assert slow == ["cancelled"]


async def test_the_first_cancellation_ends_the_job_there(service: Running, slow: list[str]) -> None:
    there, seen = service.remote(), list[Event]()
    deploying = asyncio.ensure_future(there.deploy("slurm", hosts="red", on_event=seen.append))
    await told(seen, "20")
    deploying.cancel()
    with pytest.raises(Interrupted) as interrupted:
        await deploying
    assert slow == ["cancelled"]
    assert notes(seen)[-1] == "stopping"
    assert interrupted.value.hint.endswith("runs show 7")


async def test_who_cancels_before_the_job_is_known_ends_it_all_the_same(service: Running, slow: list[str]) -> None:
    deploying = asyncio.ensure_future(service.remote().deploy("slurm", hosts="red"))
    while service.jobs() != ["running"]:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    deploying.cancel()
    with pytest.raises(Interrupted):
        await deploying
    assert slow == ["cancelled"]
