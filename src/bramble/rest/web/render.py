"""Pages from templates: whatever comes from hosts and people is text in them, never markup."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from rich.filesize import decimal

from ... import __version__
from ..access.guard import asked
from ..access.roles import Principal, Role, allows
from ..problem import Refused
from .actions import ACTIONS, OF_CLUSTER, OF_HOST
from .ask import at

FOLDER = Path(__file__).parent

_SPANS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def page(request: Request, template: str, who: Principal | None, *, status: int = 200, **values: Any) -> Response:
    """A page for somebody.

    Parameters
    ----------
    who
        Decides what is offered; what is allowed, the service itself decides.
    values
        What the template shows.
    """

    def may(role: Role) -> bool:
        return who is not None and allows(who.role, role)

    shown = {"who": who, "may": may, "path": request.url.path, "version": __version__, **values}
    text = _ENVIRONMENT.get_template(template).render(shown)
    return HTMLResponse(text, status, {"Cache-Control": "no-store"})


def error_page(request: Request, error: Refused) -> Response:
    """What went wrong, why, and what to do; who has not said who they are, may say so first."""
    if error.status == 401:
        return to_login(request)
    return page(request, "error.html", asked(request).who, status=error.status, error=error)


def to_job(job: Mapping[str, Any]) -> Response:
    """The page of a job that was begun."""
    return RedirectResponse(at("jobs", job["id"]), 303)


def to_login(request: Request) -> Response:
    """The page that asks who one is, and leads back."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    leads_back = request.method == "GET" and wanted != "/"
    return RedirectResponse(f"/login?{urlencode({'next': wanted})}" if leads_back else "/login", 303)


def here(address: str) -> str:
    """A path of this service, and nothing else: a link to the login leads to no other site."""
    fine = address.startswith("/") and not address.startswith("//") and "\\" not in address and address.isprintable()
    return address if fine else "/"


def _ago(moment: float | None) -> Markup:
    """A time as people say it; the exact one is there, too."""
    if not moment:
        return Markup("—")
    past = max(0.0, time.time() - moment)
    exact = datetime.fromtimestamp(moment, UTC)
    words = "just now" if past < 10 else f"{' '.join(_span(past).split()[:2])} ago"
    local = exact.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(exact.isoformat(), local, words)


def _day(moment: float) -> Markup:
    """A time to come, by its day."""
    exact = datetime.fromtimestamp(moment, UTC)
    return Markup('<time datetime="{}">{}</time>').format(exact.isoformat(), exact.astimezone().strftime("%Y-%m-%d"))


def _span(seconds: float | None) -> str:
    """``3.2 s``, ``4 min 10 s``, ``2 h 3 min``."""
    if seconds is None:
        return "—"
    if seconds < 10:
        return f"{seconds:.1f} s"
    parts = []
    rest = round(seconds)
    for size, unit in _SPANS:
        count, rest = divmod(rest, int(size))
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


def _size(number: float | None) -> str:
    """Bytes in words."""
    return "—" if number is None else decimal(round(number))


def _plain(value: Any) -> str:
    """A value of JSON as people read it."""
    if value is None or value in ("", [], {}):
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and not any(isinstance(one, dict | list) for one in value):
        return ", ".join(map(str, value))
    if isinstance(value, dict) and not any(isinstance(one, dict | list) for one in value.values()):
        return ", ".join(f"{key} {_plain(one)}" for key, one in value.items())
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


#: What a column is a measure of, by its name in what verbs answer.
_MEASURES: Mapping[str, Callable[[Any], Any]] = {
    "celsius": lambda degrees: f"{degrees:.0f} °C",
    "clock": lambda hertz: f"{hertz / 1e9:.1f} GHz",
    **dict.fromkeys(("memory", "memory_used", "disk", "disk_used", "size"), _size),
    **dict.fromkeys(("uptime", "seconds"), _span),
    "since": _ago,
    # All else of them is on the host's page.
    "facts": lambda facts: f"{facts['model'] or facts['architecture']}, {facts['os']} {facts['release']}",
}


def _cell(value: Any, name: str) -> Any:
    """A value of a table, by the name of its column."""
    return _MEASURES[name](value) if value is not None and name in _MEASURES else _plain(value)


def _troubles(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What keeps hosts from being well, or from answering, among rows about hosts: as problems, each with its host."""
    told = [
        (row.get("host", ""), text) for row in rows for text in (row.get("error"), *(row.get("problems") or ())) if text
    ]
    return [{"host": host, "what": text} for host, text in told]


def _is_rows(value: Any) -> bool:
    """Whether a value of JSON is a table."""
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)


_ENVIRONMENT = Environment(loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, trim_blocks=True)
_ENVIRONMENT.filters |= {
    "ago": _ago,
    "day": _day,
    "span": _span,
    "size": _size,
    "plain": _plain,
    "cell": _cell,
    "troubles": _troubles,
}
_ENVIRONMENT.globals |= {"at": at, "ACTIONS": ACTIONS, "OF_CLUSTER": OF_CLUSTER, "OF_HOST": OF_HOST}
_ENVIRONMENT.tests |= {"rows": _is_rows}
