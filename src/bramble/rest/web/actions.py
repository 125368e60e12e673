"""What can be done with a cluster, its hosts and services by a button: a table, made whole from the API's routes."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ... import api
from ..access.roles import Role
from ..arguments import of_route
from ..routes import ROUTE_OF
from . import form
from .ask import has_dry_run


@dataclass(frozen=True)
class Action:
    """A verb of the API as a button, or as a page that asks first.

    Attributes
    ----------
    verb
        Of the API; its route says who may.
    title
        What the button says.
    given
        What goes without asking.
    asks
        Options that are asked for, as the route has them.
    to_hosts
        Whether it can be for some of the hosts.
    grave
        Whether hosts are named, and what is on them, before it is done.
    """

    verb: str
    title: str
    given: Mapping[str, Any] = field(default_factory=dict)
    asks: tuple[str, ...] = ()
    to_hosts: bool = True
    grave: bool = False

    @property
    def role(self) -> Role:
        """The least role that may."""
        return ROUTE_OF[self.verb].role

    @property
    def at_once(self) -> bool:
        """Whether there is nothing to ask before."""
        return not (self.asks or self.grave)

    @property
    def takes_files(self) -> bool:
        """Whether it is given files of the service."""
        return any(name in ROUTE_OF[self.verb].files for name in self.asks)

    @property
    def dry_run(self) -> str:
        """The option by which it tells first what it would do; empty if it has none."""
        return has_dry_run(self.verb)

    @cached_property
    def summary(self) -> str:
        """What it does, as the API says it."""
        text = inspect.cleandoc(getattr(api, self.verb).__doc__ or "")
        return " ".join(text.partition("\n\n")[0].split()).replace("`", "")

    def fields(self, given: Mapping[str, str], files: Collection[str] = ()) -> tuple[form.Field, ...]:
        """What it asks for, as a form.

        Parameters
        ----------
        given
            What somebody wrote already.
        files
            Those that the service has.
        """
        route = ROUTE_OF[self.verb]
        infos = of_route(route).model.model_fields
        choices = {name: tuple(files) for name in route.files}
        return tuple(form.of_info(name, infos[name], given.get(name), choices.get(name)) for name in self.asks)

    def values(self, given: Mapping[str, str]) -> dict[str, Any]:
        """What the verb is asked with, from a filled form: nothing that goes without saying."""
        infos = of_route(ROUTE_OF[self.verb]).model.model_fields
        values: dict[str, Any] = dict(self.given)
        for name in self.asks:
            text = given.get(name, "").strip()
            if text and text != form.usual(infos[name]):
                values[name] = text.split() if infos[name].annotation == list[str] else text
        if self.to_hosts and given.get("hosts", "").strip():
            values["hosts"] = given["hosts"].strip()
        if self.dry_run and self.dry_run not in self.given and "apply" not in given:
            values[self.dry_run] = True
        return values


#: By the word that stands in its address: ``/clusters/red/do/reboot``.
ACTIONS = {
    "status": Action("status", "Compare with what was deployed"),
    "check": Action("hosts_check", "Check"),
    "temperature": Action("temperature", "Temperature"),
    "load": Action("load", "Load"),
    "throttled": Action("throttled", "Power and heat"),
    "trust": Action("hosts_trust", "Show host keys", {"show": True}),
    "blink": Action("led", "Blink a light", {"state": "blink", "seconds": 60}),
    "unblink": Action("led", "Light as before", {"state": "auto"}),
    "wake": Action("wake", "Which are on"),
    "reboot": Action("reboot", "Restart", asks=("one_by_one", "deadline"), grave=True),
    "poweroff": Action("poweroff", "Switch off", asks=("deadline",), grave=True),
    "backup": Action("backup", "Back up", to_hosts=False),
    "restore": Action("restore", "Restore", asks=("file",), to_hosts=False),
    "images_load": Action("images_load", "Load an image", asks=("files", "tag"), to_hosts=False),
    "images_remove": Action("images_remove", "Remove an image", asks=("names",), to_hosts=False),
}

#: What is offered for a cluster, and for one host of it.
OF_CLUSTER = ("check", "temperature", "load", "throttled", "wake", "trust", "blink", "unblink", "reboot", "poweroff")
OF_HOST = ("check", "temperature", "throttled", "blink", "unblink", "reboot", "poweroff")
