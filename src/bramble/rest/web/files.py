"""Pages of files that people bring for the service, and of what it made for them; and of images of one's own."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from ...errors import NotThere, UsageError
from ..access.guard import Operator, Viewer
from .ask import Ask, at
from .render import here, page
from .upload import first_file

router = APIRouter()


@router.get("/files")
async def files(request: Request, who: Operator) -> Response:
    """The files of the service."""
    return page(request, "files.html", who, files=await Ask(request).get("/files"))


@router.post("/files")
async def bring(request: Request, who: Operator, next: str = "/files", option: str = "") -> Response:
    """Take in a file; it goes through as it comes, and is never whole in memory.

    Parameters
    ----------
    next
        The page that it is for, whose ``option`` it becomes.
    """
    name, content = await first_file(request)
    # As browsers name it; a space or a bracket in it is not worth an error.
    name = re.sub(r"[^A-Za-z0-9._+@=-]+", "-", name.rpartition("/")[2].rpartition("\\")[2]).lstrip("._+@=-")
    if not name:
        raise UsageError("no file was chosen", hint="choose one, and send it again")
    await Ask(request).send("PUT", at("files", name), content=content)
    there = here(next)
    if option.isidentifier():
        there += f"{'&' if urlsplit(there).query else '?'}{option}={quote(name)}"
    return RedirectResponse(there, 303)


@router.post("/files/{name}/{what}")
async def change(request: Request, who: Operator, name: str, what: str) -> Response:
    """Take a file away."""
    if what != "remove":
        raise NotThere(f"a file cannot be told to {what}", hint="remove")
    await Ask(request).send("DELETE", at("files", name))
    return RedirectResponse("/files", 303)


@router.get("/images")
async def images(request: Request, who: Viewer) -> Response:
    """Images of one's own on all clusters."""
    ask = Ask(request)
    found: list[dict[str, Any]] = await ask.get("/images")
    return page(request, "images.html", who, images=found, clusters=[one["name"] for one in await ask.get("/clusters")])
