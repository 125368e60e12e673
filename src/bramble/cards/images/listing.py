"""Raspberry Pi Imager's image list, read: what can be used of it, and what was passed over."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urljoin, urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ...errors import BrambleError
from ..init_format import InitFormat
from .image import Image

#: Debian's words for the list's, and for those that stand in names of files.
_ARCHITECTURES = {"armv8": "arm64", "aarch64": "arm64", "armv7": "armhf", "armv6": "armhf", "armv7l": "armhf"}

_Hash = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$"), BeforeValidator(lambda given: str(given or "").lower())]
_Text = Annotated[str, BeforeValidator(lambda given: "" if given is None else given)]
_Size = Annotated[int, Field(ge=0), BeforeValidator(lambda given: 0 if given is None else given)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="ignore")

    name: Annotated[str, Field(min_length=1)]
    url: Annotated[str, Field(min_length=1)]
    extract_size: _Size = 0
    extract_sha256: _Hash = ""
    image_download_size: _Size = 0
    image_download_sha256: _Hash = ""
    release_date: _Text = ""
    init_format: _Text = ""
    architecture: _Text = ""
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What one list holds.

    Attributes
    ----------
    images
        Without names of ours.
    further
        Title and address of each list that it refers to.
    remarks
        What of it could not be used, and why.
    """

    images: tuple[Image, ...]
    further: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]


def read(text: bytes, address: str) -> Listing:
    """Read a list. An entry that cannot be used costs no other.

    Parameters
    ----------
    address
        Where the list came from; addresses in it may be relative to that.

    Raises
    ------
    BrambleError
        It is no such list.
    """
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _no_list(address, str(error) or "nested too deeply") from None
    if not isinstance(whole, dict) or not isinstance(whole.get("os_list"), list):
        raise _no_list(address, "it has no os_list")
    images, further, remarks = [], [], []
    for item in _flat(whole["os_list"]):
        title = str(item.get("name") or "an entry without a name")
        try:
            if item.get("subitems_url"):
                further.append((title, _absolute(str(item["subitems_url"]), address)))
            elif not str(item.get("url") or "").startswith("internal:"):  # what Imager itself does: erase a card
                image, remark = _image(_Entry.model_validate(item), address)
                images.append(image)
                remarks += [f"{title}: {remark}"] if remark else []
        except ValidationError as error:
            fault = error.errors()[0]
            remarks.append(f"{title}: passed over: {'.'.join(map(str, fault['loc']))}: {fault['msg']}")
        except ValueError as error:
            remarks.append(f"{title}: passed over: {error}")
    return Listing(images=tuple(images), further=tuple(further), remarks=tuple(remarks))


def _flat(items: list[Any]) -> Iterator[dict[str, Any]]:
    """Entries and references in their order; no recursion, as the depth is the list's to choose."""
    waiting = list(reversed(items))
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict) and isinstance(item.get("subitems"), list):
            waiting += reversed(item["subitems"])
        elif isinstance(item, dict):
            yield item
        else:
            yield {"name": f"{item!r:.40}"}


def _image(entry: _Entry, address: str) -> tuple[Image, str]:
    remark = ""
    try:
        way = InitFormat(entry.init_format or "none")
    except ValueError:
        way, remark = InitFormat.NONE, f"bramble does not know its init_format {entry.init_format!r}"
    image = Image(
        name="",
        title=entry.name,
        url=_absolute(entry.url, address),
        architecture=_architecture(entry),
        released=entry.release_date if re.fullmatch(r"\d{4}-\d\d-\d\d", entry.release_date) else "",
        download_size=entry.image_download_size,
        download_sha256=entry.image_download_sha256,
        extract_size=entry.extract_size,
        extract_sha256=entry.extract_sha256,
        init_format=way,
        devices=entry.devices,
    )
    return image, remark


def _architecture(entry: _Entry) -> str:
    """What the list says; older ones leave it to the name of the file, or to the models."""
    if entry.architecture:
        return _ARCHITECTURES.get(entry.architecture, entry.architecture)
    if match := re.search(r"arm64|armhf|aarch64|armv[678]l?", entry.url):
        return _ARCHITECTURES.get(match[0], match[0])
    if not entry.devices:
        return ""
    return "arm64" if any(device.endswith("64bit") for device in entry.devices) else "armhf"


def _absolute(url: str, address: str) -> str:
    """Where it is; only a list that is itself a file may name files of this machine."""
    found = urljoin(address, url)
    scheme = urlsplit(found).scheme
    if scheme not in ("http", "https") and not (scheme == "file" and address.startswith("file:")):
        raise ValueError(f"nothing can be fetched from {found}")
    return found


def _no_list(address: str, why: str) -> BrambleError:
    hint = "a list has the form of Raspberry Pi Imager's (os_list_imagingutility_v4.json)"
    return BrambleError(f"{address} is no list of images", why=why, hint=hint)
