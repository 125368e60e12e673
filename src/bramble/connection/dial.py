"""From the name of a host to a TCP connection: the part that does not know SSH."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import os
import resource
import socket
import threading
from collections.abc import Sequence
from typing import Any

from ..errors import Unreachable
from ..model import Host

#: Seconds before the next address of a host is tried too (RFC 8305 recommends 250 ms).
STAGGER = 0.25

#: Open files that 1,000 hosts need, with some to spare. Debian's soft limit is 1,024.
_FILES = 8192

#: Family, socket address.
Address = tuple[int, Any]


async def dial(
    host: Host, name: str, port: int, *, family: int = socket.AF_UNSPEC, source: str = "", timeout: float
) -> socket.socket:
    """A TCP connection to a host, by whichever of its addresses answers first.

    Parameters
    ----------
    host
        For errors.
    name
        What to look up: a name or an address.
    family, source
        Only addresses of this family; from this address of ours.
    timeout
        Seconds for all of it.

    Raises
    ------
    Unreachable
        No address, no route, the port refused, or no answer in time.
    """
    _allow_many_files()
    try:
        async with asyncio.timeout(timeout):
            return await _first_of(await _addresses(name, port, family), source)
    except TimeoutError:
        raise Unreachable(
            f"no answer from {_place(name, port)} within {timeout:g} s",
            host=host.name,
            hint="is it switched on and on this network? see who is there: bramble hosts find",
        ) from None
    except OSError as error:
        raise _explain(error, host, name, port) from None


async def _addresses(name: str, port: int, family: int) -> list[Address]:
    try:
        version = ipaddress.ip_address(name).version
    except ValueError:
        pass
    else:
        if version == 4:
            return [(socket.AF_INET, (name, port))]
    # A thread of its own, not the loop's pool: there the names of a few hosts that nobody answers for would hold up
    # all others, and a daemon does not keep the program from ending.
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Address]] = loop.create_future()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(name, port, family=family, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            failure = error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, str(error))
            tell(failure)
        else:
            tell([(int(family), at) for family, _, _, _, at in found])

    def tell(news: list[Address] | OSError) -> None:
        # Once the loop is closed nobody waits for the answer any more.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(take, news)

    def take(news: list[Address] | OSError) -> None:
        if answer.done():
            return
        if isinstance(news, OSError):
            answer.set_exception(news)
        else:
            answer.set_result(news)

    threading.Thread(target=look_up, name=f"look up {name}", daemon=True).start()
    return await answer


async def _first_of(addresses: Sequence[Address], source: str) -> socket.socket:
    """Connect to each, the next one soon after the one before, and keep the first that answers."""
    failures: list[OSError] = []
    waiting = list(addresses)
    pending: set[asyncio.Task[socket.socket]] = set()
    done: set[asyncio.Task[socket.socket]] = set()
    try:
        while waiting or pending:
            if waiting:
                pending.add(asyncio.create_task(_connected(waiting.pop(0), source)))
            done, pending = await asyncio.wait(
                pending, timeout=STAGGER if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            while done:
                attempt = done.pop()
                error = attempt.exception()
                if error is None:
                    return attempt.result()
                if not isinstance(error, OSError):
                    raise error
                failures.append(error)
    finally:
        await _drop(pending | done)
    # What says most: a host that refuses is there, one that times out perhaps.
    failures.sort(key=lambda e: e.errno != errno.ECONNREFUSED)
    raise failures[0]


async def _drop(attempts: set[asyncio.Task[socket.socket]]) -> None:
    for attempt in attempts:
        attempt.cancel()
    for made in await asyncio.gather(*attempts, return_exceptions=True):
        if isinstance(made, socket.socket):
            made.close()


async def _connected(address: Address, source: str) -> socket.socket:
    family, where = address
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        if source:
            made.bind((source, 0))
        await asyncio.get_running_loop().sock_connect(made, where)
    except BaseException:
        made.close()
        raise
    return made


def _explain(error: OSError, host: Host, name: str, port: int) -> Unreachable:
    at = _place(name, port)
    if isinstance(error, socket.gaierror):
        if error.errno == socket.EAI_AGAIN:
            return Unreachable(
                f"no name server answers for {name}",
                host=host.name,
                why=error.strerror or "",
                hint="check this machine's network, or give the host's address in the cluster file",
            )
        return Unreachable(
            f"the name {name} is not known",
            host=host.name,
            why=error.strerror or "",
            hint="check the spelling, see who is there (bramble hosts find), or give its address in the cluster file",
        )
    why = os.strerror(error.errno) if error.errno else str(error)  # asyncio puts words of its own into the error
    if error.errno == errno.ECONNREFUSED:
        return Unreachable(
            f"{at} refuses the connection",
            host=host.name,
            why=why,
            hint=f"is sshd running there (sudo systemctl enable --now ssh), and is {port} its port?",
        )
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN):
        return Unreachable(
            f"there is no way to {at}",
            host=host.name,
            why=why,
            hint="is it switched on and on this network? see who is there: bramble hosts find",
        )
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return Unreachable(
            "this machine may not open more connections", host=host.name, why=why, hint="allow more: ulimit -n 8192"
        )
    return Unreachable(f"no connection to {at}", host=host.name, why=why, hint="bramble hosts check shows every host")


def _place(name: str, port: int) -> str:
    return f"port {port} of [{name}]" if ":" in name else f"port {port} of {name}"


def _allow_many_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
