"""What a service says of itself comes back as data, and is shown as tables."""

from __future__ import annotations

from typing import Any

import pytest

from bramble.runner import events
from bramble.runner.loop import Loop
from bramble.runner.steps import Look
from bramble.runner.wire import encode


def said(argv: tuple[str, ...], tmp_path: Any) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    steps = [
        encode(Look(name="the cluster", argv=argv, hint="look there")),
        encode(Look(name="more", argv=("echo", "{}"))),
    ]
    Loop(sent.append, folder=str(tmp_path)).serve(
        {"do": "group", "group": "Look", "mode": "verify", "service": "mine", "run": "1", "timeout": 10, "steps": steps}
    )
    return sent


def test_what_it_prints_goes_along_with_its_event(tmp_path: Any) -> None:
    sent = said(("echo", '{"Nodes": [{"node": "red"}]}'), tmp_path)
    done = [one for one in map(events.from_json, sent) if isinstance(one, events.StepDone)]
    assert [one.seen for one in done] == [{"Nodes": [{"node": "red"}]}, {}]
    assert {one.outcome for one in done} == {"passed"}


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (("sh", "-c", "echo nobody there >&2; exit 1"), "nobody there"),
        (("echo", "hello"), "no JSON"),
        (("echo", "[1]"), "no JSON"),
    ],
    ids=["fails", "text", "list"],
)
def test_what_cannot_be_told_is_a_failure(argv: tuple[str, ...], why: str, tmp_path: Any) -> None:
    failed = said(argv, tmp_path)[-1]
    assert failed["kind"] == "step-failed" and why in failed["why"], failed
