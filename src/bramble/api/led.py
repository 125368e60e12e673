"""A light on each board, to find it by."""

from __future__ import annotations

from typing import Any, Literal, Unpack

from ..connection import Connection
from ..engine.board import ask_board
from ..engine.report import Report
from ..errors import UsageError
from .each import on_each
from .reach import Reach, job, resolve

#: What a light can be asked to do; ``auto`` is what it did before it was first asked.
LightState = Literal["blink", "on", "off", "auto"]
STATES = ("blink", "on", "off", "auto")


async def led(state: LightState, *, light: str = "", seconds: float = 30.0, **reach: Unpack[Reach]) -> Report:
    """Let a light of each board blink, shine or be dark, or leave it to the system again.

    What was there before is put back by the host itself, after ``seconds`` or by ``auto``, and by a restart.

    Parameters
    ----------
    state
        ``blink``, ``on``, ``off`` or ``auto``.
    light
        Its name below /sys/class/leds, such as ``PWR``; without it, the one that shows activity where there is one.
    seconds
        How long it blinks; 0 until ``auto``. ``on`` and ``off`` stay until then in any case.

    Returns
    -------
    Report
        ``data["lights"]`` holds ``host``, ``light`` and the ``trigger`` that it had, for each host that did it.

    Raises
    ------
    UsageError
        There is no such state.
    """
    if state not in STATES:
        raise UsageError(f"a light cannot be {state!r}", hint=f"one of {', '.join(STATES)}")
    cluster = resolve(reach)
    at_work = job("led", cluster, reach, command=("led", state))
    request = {"do": "light", "light": light, "state": state, "seconds": seconds if state == "blink" else 0}

    async def one(connection: Connection) -> dict[str, Any]:
        answer = await ask_board(connection, request, reach.get("sudo_password"))
        return {"host": connection.host.name, "light": answer["light"], "trigger": answer["trigger"]}

    async def work() -> None:
        at_work.data = {"lights": list((await on_each(at_work, reach, one)).values())}

    return await at_work.do(work)
