"""Files of callers, as routes: to be copied to hosts, built from, restored; and what was fetched from hosts."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, Response
from starlette.background import BackgroundTask

from .access.guard import Admin, Operator, asked
from .files import Files, StoredFile
from .routes import PREFIX

router = APIRouter(prefix=f"{PREFIX}/files", tags=["files"])

_BYTES = "application/octet-stream"


def _files(http: Request) -> Files:
    found: Files = http.app.state.service.files
    return found


@router.get("", operation_id="files_list")
async def files_list(http: Request, who: Operator) -> list[StoredFile]:
    """The files of the service that verbs can be given, and those that they made."""
    return _files(http).all()


@router.put(
    "/{name}",
    operation_id="files_put",
    status_code=201,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {_BYTES: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def files_put(
    http: Request,
    name: str,
    who: Operator,
    unpack: Annotated[bool, Query(description="It is a .tar or .tar.gz, and becomes a folder of this name.")] = False,
) -> StoredFile:
    """Take a file in, whole or not at all; what had its name is replaced.

    One whose name begins with ``luggage-`` goes a day after it came, or after the last job that names it.
    """
    length = http.headers.get("content-length", "")
    return await _files(http).put(name, http.stream(), length=int(length) if length.isdecimal() else 0, unpack=unpack)


@router.delete("/{name}", operation_id="files_remove", status_code=204)
async def files_remove(http: Request, name: str, who: Operator) -> Response:
    """Take a file or a folder away."""
    await asyncio.to_thread(_files(http).remove, name)
    return Response(status_code=204)


@router.get(
    "/{name}",
    operation_id="files_get",
    response_class=FileResponse,
    responses={200: {"content": {_BYTES: {"schema": {"type": "string", "format": "binary"}}}}},
)
async def files_get(http: Request, name: str, who: Admin) -> Response:
    """A file; a folder as a .tar.gz. For admins: backups have keys in them, and what was fetched came as root."""
    files = _files(http)
    path = files.find(name)
    asked(http).taken_home = True
    if not path.is_dir():
        return FileResponse(path, filename=name, media_type=_BYTES)
    packed = await asyncio.to_thread(files.pack, name)
    return FileResponse(
        packed, filename=f"{name}.tar.gz", media_type="application/gzip", background=BackgroundTask(packed.unlink)
    )
