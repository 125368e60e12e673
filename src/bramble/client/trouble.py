"""What a service refuses or reports, as the errors that the verbs themselves raise."""

from __future__ import annotations

import inspect
import ssl
from collections.abc import Mapping
from typing import Any

import httpx

from .. import errors
from ..errors import BrambleError, UsageError


def of_problem(problem: Mapping[str, Any], server: str) -> BrambleError:
    """The error that a problem (RFC 9457) tells of.

    Parameters
    ----------
    server
        How the service is called on a command line.
    """
    status, what = problem.get("status"), str(problem.get("title") or "it was refused")
    if status == 401:
        return UsageError(f"{server} does not know who you are", why=what, hint=f"bramble login {server}")
    why = str(problem.get("detail") or "")
    places = [f"{one.get('at', '')}: {one.get('what', '')}" for one in problem.get("errors") or ()]
    hint = str(problem.get("hint") or "")
    if hint.startswith("bramble "):
        # It is meant for the machine of the service.
        hint = f"bramble --server {server} {hint.removeprefix('bramble ')}"
    kind = _kind(str(problem.get("type", "")), status)
    host, why = problem.get("host") or None, "; ".join([*([why] if why else []), *places])
    known = {"host": host, "why": why} | {name: problem[name] for name in kind.besides if name in problem}
    takes = inspect.signature(kind).parameters
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in known.items() if name in takes
    }
    try:
        return kind(what, hint=hint, **given)
    except TypeError:  # of another version, which does not say all that it knows
        return _plain(kind)(what, host=host, why=why, hint=hint)


def of_response(response: httpx.Response, server: str) -> BrambleError:
    """The error that an answer tells of."""
    try:
        problem = response.json()
    except ValueError:
        problem = {}
    if not isinstance(problem, dict) or "title" not in problem:
        why = f"HTTP {response.status_code} {response.reason_phrase}"
        return BrambleError(f"{server} gave no answer that bramble understands", why=why, hint="is that bramble serve?")
    return of_problem({"status": response.status_code, **problem}, server)


def of_transport(error: httpx.TransportError, server: str) -> BrambleError:
    """The error that a connection which failed tells of."""
    cause = _of_tls(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return BrambleError(
            f"{server} cannot prove that it is the service you logged in at", why=cause.verify_message,
            hint=f"ask whoever runs it whether it was set up anew; if so: bramble login {server}",
        )  # fmt: skip
    if cause is not None:
        return BrambleError(f"{server} does not speak TLS", why=str(cause), hint="is that bramble serve?")
    if isinstance(error, httpx.TimeoutException):
        return BrambleError(f"{server} did not answer in time", hint="is it on, and bramble serve running there?")
    why = str(error) or type(error).__name__
    return BrambleError(f"{server} cannot be reached", why=why, hint="is it on, and bramble serve running there?")


def is_unproven(error: httpx.TransportError) -> bool:
    """Whether the connection failed because its certificate is not trusted."""
    return isinstance(_of_tls(error), ssl.SSLCertVerificationError)


def _of_tls(error: BaseException | None) -> ssl.SSLError | None:
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error


def _kind(type_: str, status: Any) -> type[BrambleError]:
    """The class that a problem names."""
    kind = getattr(errors, type_.removeprefix("urn:bramble:"), None)
    if isinstance(kind, type) and issubclass(kind, BrambleError):
        return kind
    return UsageError if isinstance(status, int) and 400 <= status < 500 else BrambleError


def _plain(kind: type[BrambleError]) -> type[BrambleError]:
    """What a kind of error is a kind of, and knows nothing besides."""
    return next(one for one in kind.__mro__ if issubclass(one, BrambleError) and not one.besides)
