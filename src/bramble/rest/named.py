"""What a caller may name: files of the service's own folder, and secrets by what is in them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import api
from .. import services as rooms
from ..cards.images.choose import SUFFIXES
from ..engine.images.context import CONTAINERFILES
from ..errors import NotThere, UsageError
from ..runner.secret import Secret
from .files import Files
from .routes import Route

#: The service that `prepare` is about.
_BASE = "base"

#: What an option says that names a file, where it names none: what came before is kept, or is not wanted any more.
_NO_FILE = (None, "", "-")


def options(verb: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a service as a verb gets them; a file's name in them would be one of the service's own machine.

    Raises
    ------
    UsageError
        An option names a file.
    """
    services = [values["service"]] if "service" in values else list(values.get("services", ()))
    own = {one.option for name in services or [_BASE] if name in rooms.names() for one in rooms.get(name).own_files}
    found: dict[str, Any] = {}
    for name, value in (values.get("options") or {}).items():
        if isinstance(value, Mapping) and set(value) == {"content"} and isinstance(value["content"], str):
            found[name] = Secret(name, value=value["content"].encode())
        elif name in own and value not in _NO_FILE:
            raise UsageError(
                f"{name} names a file, and the service has none of yours",
                hint=f'give what is in it: {{"{name}": {{"content": "…"}}}}',
            )
        else:
            found[name] = value
    return found


async def files(route: Route, values: Mapping[str, Any], area: Files) -> dict[str, Any]:
    """Arguments of a verb, with the names of files as paths below the service's folder of files.

    Raises
    ------
    UsageError
        There is no such file, or nothing can be called so.
    """
    found = dict(values)
    for name in route.files:
        value = found.get(name)
        if isinstance(value, str) and value:
            found[name] = await _file(route.verb, value, area)
        elif value:
            found[name] = [await _file(route.verb, one, area) for one in value]
    for name in route.makes:
        if found.get(name):
            found[name] = str(area.new(found[name]))
    # Where the verb would take the folder that somebody is in, it takes this one.
    if route.verb == "backup":
        found.setdefault("to", str(area.folder))
    elif route.verb == "fetch":
        found.setdefault("into", str(area.new(f"fetched-{time.strftime('%Y%m%d-%H%M%S')}")))
    elif route.verb == "images_build":
        for inner in filter(None, (found.get("file"), *CONTAINERFILES)):
            _require_within(found["folder"], inner)
        if found.get("file"):
            found["file"] = str(Path(found["folder"], found["file"]))
    return found


async def _file(verb: str, name: str, area: Files) -> str:
    if verb == "cards_check" and name.startswith("/dev/"):
        readers = await api.cards_list()
        if name not in {one.disk.path for one in readers}:
            raise NotThere(f"{name} is no card reader", hint="GET /api/v1/cards shows them")
        return name
    if verb in ("cards_burn", "cards_images_fetch") and name.startswith(("http://", "https://")):
        return name
    if verb in ("cards_burn", "cards_images_fetch") and not _like_a_path(name):
        return name  # of the list of images
    return str(area.find(name))


def _like_a_path(image: str) -> bool:
    """Whether an image is named that is not of the list, as `cards_burn` tells them apart."""
    text = image.strip()
    return "/" in text or text.startswith((".", "~")) or text.lower().endswith(SUFFIXES)


def _require_within(folder: str, name: str) -> None:
    """A folder that was fetched from a host may have links in it to anywhere."""
    if not Path(folder, name).resolve().is_relative_to(Path(folder).resolve()):
        raise UsageError(f"{name!r} is outside of the folder that is built from")
