"""`prepare`: what every host should be like, before anything runs on it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Unpack

from .. import inventory
from ..engine.report import Report
from ..errors import UsageError
from ..model import pair_addresses
from .change import deploy
from .reach import Reach, resolve

#: The service that `prepare` deploys.
BASE = "base"

#: Where systems say which time zone they are in.
_LOCALTIME = Path("/etc/localtime")


async def prepare(
    *,
    options: Mapping[str, object] | None = None,
    dry_run: bool = False,
    verify: bool = True,
    **reach: Unpack[Reach],
) -> Report:
    """Bring hosts into the shape that was asked for, and prove it: `deploy` of the service base.

    Parameters
    ----------
    options
        Those of the service base; what is not set is left as it is. Besides, ``address`` may be an expression for as
        many addresses as there are hosts, ``10.1.1.[1-3]/24``, and ``timezone`` may be ``auto``, for the zone of this
        machine.
    dry_run, verify
        As in `deploy`.

    Returns
    -------
    Report
        With what was changed on each host.

    Raises
    ------
    UsageError
        A mistake in what was asked; no host was contacted.
    PlanError
        A host cannot be so; nothing was changed.
    """
    asked = dict(options or {})
    if not asked and not inventory.options_of(resolve(reach), BASE):
        raise UsageError(
            "nothing is set, so nothing would be done",
            hint="bramble prepare --set timezone=auto --set swap=off; all there is: bramble services base",
        )
    address = asked.get("address")
    if isinstance(address, str) and address and not address.lstrip().startswith("{"):
        asked["address"] = pair_addresses(resolve(reach).hostset, address)
    if asked.get("timezone") == "auto":
        asked["timezone"] = own_timezone()
    return await deploy(BASE, options=asked, dry_run=dry_run, verify=verify, **reach)


def own_timezone(link: Path = _LOCALTIME) -> str:
    """The time zone of this machine.

    Raises
    ------
    UsageError
        It does not say.
    """
    zone = os.environ.get("TZ", "").lstrip(":") or str(link.resolve()).partition("/zoneinfo/")[2]
    if not zone:
        raise UsageError(
            f"this machine does not say its time zone: {link} is no link to one", hint="name it: Europe/Berlin"
        )
    return zone.removeprefix("posix/")
