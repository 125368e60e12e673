"""The command line is a thin skin: each verb of the API has the same options as its command."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from typing import Any

import click
import pytest

from bramble import api
from bramble.api import Reach
from bramble.cli import bramble
from bramble.cli.lazy import LazyGroup
from bramble.connection import Settings

#: Verb → the words of its command. A verb of the API that is missing here fails the test below.
COMMANDS = {
    "cards_burn": "cards burn",
    "cards_check": "cards check",
    "artifacts_clean": "artifacts clean",
    "artifacts_export": "artifacts export",
    "artifacts_fetch": "artifacts fetch",
    "artifacts_import": "artifacts import",
    "artifacts_list": "artifacts list",
    "cards_list": "cards list",
    "cards_images": "cards images list",
    "cards_images_clean": "cards images clean",
    "cards_images_fetch": "cards images fetch",
    "command": "run",
    "copy": "copy",
    "deploy": "deploy",
    "fetch": "fetch",
    "hosts_add": "hosts add",
    "hosts_check": "hosts check",
    "hosts_expand": "hosts expand",
    "hosts_find": "hosts find",
    "hosts_list": "hosts list",
    "hosts_remove": "hosts remove",
    "hosts_show": "hosts show",
    "hosts_trust": "hosts trust",
    "images_build": "images build",
    "images_list": "images list",
    "images_load": "images load",
    "images_remove": "images remove",
    "led": "led",
    "load": "load",
    "poweroff": "poweroff",
    "reboot": "reboot",
    "prepare": "prepare",
    "remove": "remove",
    "run_of": "runs show",
    "runs": "runs list",
    "scale": "scale",
    "services": "services",
    "shell": "shell",
    "status": "status",
    "temperature": "temperature",
    "throttled": "throttled",
    "upgrade": "upgrade",
    "backup": "backup",
    "restore": "restore",
    "verify": "verify",
    "wake": "wake",
}

#: Where a parameter of the API has another name on the command line: its own, or what stands for it.
NAMES = {
    ("cards_burn", "cluster"): {"cluster"},
    ("cards_burn", "password"): {"ask_password", "password_file"},
    ("cards_burn", "wifi_password"): {"wifi_password_file"},
    # The display asks for them.
    ("cards_burn", "next_cards"): set[str](),
    ("cards_burn", "on_event"): set[str](),
    ("cards_check", "cluster"): {"cluster"},
    ("artifacts_fetch", "cluster"): {"cluster"},
    ("artifacts_fetch", "on_event"): set[str](),
    ("artifacts_fetch", "options"): {"settings"},
    ("cards_images", "on_event"): set[str](),
    ("cards_images_fetch", "on_event"): set[str](),
    ("deploy", "service"): {"services"},
    ("deploy", "options"): {"settings"},
    ("deploy", "verify"): {"no_verify"},
    ("images_build", "arguments"): {"build_args"},
    ("images_build", "verify"): {"no_verify"},
    ("images_load", "verify"): {"no_verify"},
    # The last word; those before it are hosts.
    ("led", "state"): {"words"},
    ("prepare", "options"): {"settings"},
    ("prepare", "verify"): {"no_verify"},
    ("scale", "verify"): {"no_verify"},
    ("upgrade", "verify"): {"no_verify"},
    ("restore", "verify"): {"no_verify"},
    ("verify", "service"): {"services"},
    # Standard input is read where the expression is `-`.
    ("hosts_expand", "lines"): set[str](),
    ("*", "cluster"): {"clusters"},
    ("*", "sudo_password"): {"ask_sudo_password", "sudo_password_file"},
    # The display listens to the events.
    ("*", "on_event"): set[str](),
    # Who holds which host is a matter of a service that has many callers.
    ("*", "on_begin"): set[str](),
}

#: Options that are about showing and asking, which a caller of the API does itself.
OF_THE_COMMAND_LINE = {"as_json", "verbose", "diff", "yes", "debug", "help", "fold", "watch", "no_sync"}

#: A verb that never becomes root takes no sudo password on the command line.
WITHOUT_SUDO = {"hosts_trust", "load", "shell", "temperature", "throttled", "wake"}


def _verbs() -> set[str]:
    found = {name for name in api.__all__ if inspect.isfunction(getattr(api, name))}
    return found - {"run"}  # the bridge for synchronous callers, no verb


def _command(words: str) -> click.Command:
    command: click.Command | None = bramble
    for word in words.split():
        assert isinstance(command, LazyGroup)
        command = command.get_command(click.Context(command), word)
    assert command is not None
    return command


def _wanted(verb: str) -> set[str]:
    """What the API's signature says the command line must have."""
    function: Callable[..., Coroutine[Any, Any, Any]] = getattr(api, verb)
    wanted: set[str] = set()
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            for name in Reach.__annotations__:
                if not (name == "sudo_password" and verb in WITHOUT_SUDO):
                    wanted |= NAMES.get(("*", name), {name})
        else:
            wanted |= NAMES.get((verb, parameter.name), {parameter.name})
    return wanted


def test_every_verb_has_a_command() -> None:
    assert _verbs() == set(COMMANDS)


@pytest.mark.parametrize("verb", COMMANDS)
def test_verb_and_command_have_the_same_options(verb: str) -> None:
    command = _command(COMMANDS[verb])
    given = {str(parameter.name) for parameter in command.params}
    assert given - OF_THE_COMMAND_LINE == _wanted(verb)


@pytest.mark.parametrize("verb", COMMANDS)
def test_defaults_are_those_of_the_api(verb: str) -> None:
    """A command leaves out what was not given, or has the very same default."""
    command = _command(COMMANDS[verb])
    here = {str(parameter.name): parameter for parameter in command.params if isinstance(parameter, click.Option)}
    context = click.Context(command)
    for parameter in inspect.signature(getattr(api, verb)).parameters.values():
        option = here.get(parameter.name)
        if option is None or parameter.default is inspect.Parameter.empty:
            continue
        assert option.get_default(context) == parameter.default, parameter.name


def test_the_defaults_that_help_names_are_those_of_the_connection() -> None:
    text = {option.name: option.help for option in _command("deploy").params if isinstance(option, click.Option)}
    usual = Settings()
    assert f"({usual.connect_timeout:.0f})" in str(text["connect_timeout"])
    assert f"({usual.connections})" in str(text["connections"])
