"""The controller's end of `runner.board`."""

from __future__ import annotations

import asyncio
from typing import Any

from ..connection import Connection
from ..errors import ConnectionLost, StepFailed
from ..runner.secret import Secret
from .exchange import ask
from .session import message, start

#: Seconds a host may take to do what it was asked.
_PATIENCE = 60.0


async def ask_board(connection: Connection, request: dict[str, Any], password: Secret | None) -> dict[str, Any]:
    """Have a host do something to its board, as root.

    Raises
    ------
    StepFailed
        It cannot; says why.
    SudoFailed, PythonMissing, ConnectionLost
        As `Session.open`.
    """
    host = connection.host.name
    channel, _ = await start(connection, "board", password=password)
    try:
        async with asyncio.timeout(_PATIENCE):
            await ask(channel, request)
            answer = await message(channel)
    except TimeoutError:
        channel.kill()
        raise ConnectionLost(f"no word from the host for {_PATIENCE:.0f} s", host=host) from None
    if answer["kind"] == "step-failed":
        told = {name: answer[name] for name in ("why", "hint")}
        raise StepFailed(answer["what"], host=host, step=request["do"], log=tuple(answer["log"]), **told)
    return answer
