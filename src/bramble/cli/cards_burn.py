"""`bramble cards burn`: cards for the hosts of a cluster."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from . import complete, options
from .lazy import Command, Option

if TYPE_CHECKING:
    from ..api import Burned, CardResult
    from ..runner.secret import Secret

_WHERE, _WHAT, _NETWORK, _SYSTEM = "Which cards", "Who gets in", "Network", "System"


def _option(*names: str, section: str, **attrs: Any) -> Any:
    return click.option(*names, cls=Option, section=section, **attrs)


def _listed(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """``a,b``, as often as wanted."""
    return tuple(part.strip() for text in given for part in text.split(",") if part.strip())


def _on(_context: click.Context, _option: click.Parameter, given: str | None) -> bool | None:
    return None if given is None else given == "on"


_ON_OFF = click.Choice(["on", "off"])

_OPTIONS = [
    _option("--hosts", metavar="EXPR", default="", section=_WHERE, shell_complete=complete.hosts,
            help="Which hosts: red,red[01-02]. Else all of the cluster."),
    _option("--cluster", metavar="NAME", default="", section=_WHERE, shell_complete=complete.clusters,
            help="The cluster they belong to; a new one is made."),
    _option("--image", metavar="IMAGE", default="", section=_WHERE,
            help="Of which system: a name of bramble cards images, a file, a folder or an address."),
    _option("--devices", metavar="DEVICE,...", multiple=True, default=(), callback=_listed, section=_WHERE,
            help="Card readers. Fewer than hosts: you are asked for the next cards."),
    _option("--output", metavar="FOLDER", default="", section=_WHERE,
            help="Instead of onto cards, into a file for each host, that any tool can flash."),
    _option("--force-device", "force_devices", metavar="SERIAL", multiple=True, default=(),
            callback=_listed, section=_WHERE, help="A disk that is meant, though it is not like a card."),
    _option("-y", "--yes", "serials", metavar="SERIAL", multiple=True, default=(), callback=_listed, section=_WHERE,
            help="Do not ask: what is on the cards with these serials may be lost."),
    options.dry_run_option(),
    _option("--user", metavar="NAME", default="", section=_WHAT, help="Whom the cards let in (pi)."),
    _option("--authorized-keys", metavar="FILE", multiple=True, default=(), section=_WHAT,
            help="Public keys that let them in; else yours, ~/.ssh/id_*.pub."),
    _option("--ask-password", is_flag=True, section=_WHAT, help="Ask for a password that lets them in, too."),
    _option("--password-file", metavar="FILE", section=_WHAT, help="Take it from a file."),
    _option("--sudo-asks/--sudo-is-free", "sudo_asks", default=None, section=_WHAT,
            help="Whether sudo wants the password; else it is free."),
    _option("--address", metavar="EXPR/BITS", default="", section=_NETWORK,
            help="Of each host, in their order: 10.1.1.[1-3]/24; or dhcp."),
    _option("--gateway", metavar="ADDRESS", default="", section=_NETWORK, help="The router, with --address."),
    _option("--dns", metavar="ADDRESS,...", multiple=True, default=(), callback=_listed, section=_NETWORK,
            help="Name servers, with --address."),
    _option("--interface", metavar="NAME", default="", section=_NETWORK,
            help="Which one has the address: eth0, or with --wifi wlan0."),
    _option("--wifi", metavar="NAME", default="", section=_NETWORK,
            help="Join this wireless network. Its password is asked for, and kept nowhere."),
    _option("--wifi-country", metavar="DE", default="", section=_NETWORK, help="Where that is: two capital letters."),
    _option("--wifi-hidden/--wifi-shown", "wifi_hidden", default=None, section=_NETWORK,
            help="Whether that network does not tell its name."),
    _option("--wifi-password-file", metavar="FILE", section=_NETWORK,
            help="Take its password from a file; an empty one for an open network."),
    _option("--locale", metavar="NAME", default="", section=_SYSTEM, help="Such as en_GB.UTF-8."),
    _option("--keyboard", metavar="LAYOUT", default="", section=_SYSTEM, help="Such as gb."),
    _option("--timezone", metavar="ZONE", default="", section=_SYSTEM, help="Such as Europe/Berlin."),
    _option("--radios", type=_ON_OFF, default=None, callback=_on, section=_SYSTEM, help="Wi-Fi and Bluetooth (on)."),
    _option("--cgroups", type=_ON_OFF, default=None, callback=_on, section=_SYSTEM,
            help="Count memory by control group, as Kubernetes wants (on)."),
    _option("--kernel-argument", "kernel_arguments", metavar="WORD", multiple=True, default=(), section=_SYSTEM,
            help="A further word for the kernel's command line."),
    options.json_option("Write the result as JSON, one card a line, to standard output."),
]  # fmt: skip


def _with_options(command: Any) -> Any:
    return functools.reduce(lambda decorated, add: add(decorated), reversed(_OPTIONS), command)


@click.command(
    cls=Command,
    examples="""
    bramble cards burn --hosts "red,red[01-02]" --image raspios-lite --devices /dev/sda,/dev/sdb
    # with addresses of their own, instead of those that DHCP gives
    bramble cards burn --cluster red --address "10.1.1.[1-3]/24" --gateway 10.1.1.254 --output cards
    # one more for the same cluster, made as the others were
    bramble cards burn --cluster red --hosts red03 --address 10.1.1.4/24 --devices /dev/sda
    # files, to be flashed elsewhere
    bramble cards burn --hosts "red,red[01-02]" --image ubuntu-24.04 --output cards
    """,
)
@_with_options
def burn(
    ask_password: bool,
    password_file: str | None,
    wifi_password_file: str | None,
    dry_run: bool,
    as_json: bool,
    **given: Any,
) -> int:
    """Burn a card for each host.

    Put the cards in and switch the Pis on: each answers under its own name, address and key, and bramble knows the key
    already. What is not asked for is as the last time, which the cluster file tells. All that was on the cards is lost.
    """
    from .cards_progress import CardsProgress
    from .carry import until_signal
    from .door import api
    from .terminal import interactive

    given["password"] = _password(ask_password, password_file)
    given["wifi_password"] = _wifi_password(given["wifi"], wifi_password_file)
    with CardsProgress() as progress:
        planned = until_signal(api.cards_burn(**given, dry_run=True, on_event=progress.take))
    if dry_run and as_json:
        _write(planned)
    elif not as_json:
        _show_plan(planned)
    if dry_run or any(card.refused for card in planned.cards):
        return 0 if planned.ok else 2
    given["serials"] = _confirmed(planned, given["serials"])
    with CardsProgress() as progress:
        ask = functools.partial(_next_cards, progress) if interactive() else None
        burned = until_signal(api.cards_burn(**given, next_cards=ask, on_event=progress.take))
    if as_json:
        _write(burned)
    else:
        _show_result(burned)
    return 0 if burned.ok else 1


def _password(ask: bool, file: str | None) -> Secret | None:
    if not (ask or file):
        return None
    from ..runner.secret import Secret
    from . import typed

    what = "password"
    value = typed.ask(what, "of the user on the hosts", "--password-file FILE") if ask else typed.read(what, str(file))
    return Secret(what, value=value.encode())


def _wifi_password(wifi: str, file: str | None) -> Secret | None:
    from ..runner.secret import Secret
    from . import typed
    from .terminal import interactive

    what = "wifi password"
    if file:
        return Secret(what, value=typed.read(what, file, empty=True).encode())
    if not (wifi and interactive()):
        return None
    value = typed.ask(what, f"of {wifi} (nothing where it is open)", "--wifi-password-file FILE", empty=True)
    return Secret(what, value=value.encode())


def _write(burned: Burned) -> None:
    from .jsonlines import write_json

    for card in burned.cards:
        write_json(dataclasses.asdict(card))


def _show_plan(planned: Burned) -> None:
    from . import tables

    way = {
        "systemd": "configured by firstrun.sh", "cloudinit-rpi": "configured by cloud-init",
        "cloudinit": "configured by cloud-init",
    }.get(planned.way, "what configures it is found on the card")  # fmt: skip
    tables.say(f"image   {planned.title}, {way}")
    keys = ", ".join(planned.keys) or "no key, by password alone"
    tables.say(f"lets in {planned.user}, {keys}\n")
    if any(card.disk for card in planned.cards):
        rows = [(card.host, card.address, card.device, *_disk(card)) for card in planned.cards]
        tables.show(("host", "address", "card", "is", "serial", "what is on it will be lost"), rows)
    else:
        tables.show(("host", "address", "file"), [(card.host, card.address, card.device) for card in planned.cards])
    refused = {card.device: card.refused for card in planned.cards if card.refused}
    for device, why in refused.items():
        tables.say(f"\n{device} is not written:")
        for one in why:
            tables.say(f"  {one}")


def _disk(card: CardResult) -> tuple[str, str, str]:
    from . import tables

    if card.disk is None:
        return "the next card in it", "", ""
    disk = card.disk
    what = ", ".join(filter(None, (disk.model, tables.size(disk.size))))
    return what, disk.identity, ", ".join(map(str, disk.parts)) or "nothing that is known"


def _confirmed(planned: Burned, serials: Sequence[str]) -> tuple[str, ...]:
    """Serials of all disks that are shown, once a person has said yes to them."""
    from .terminal import confirm, interactive

    shown = {card.disk.identity: card.device for card in planned.cards if card.disk is not None}
    asked = {identity: device for identity, device in shown.items() if identity not in serials}
    if not asked or not interactive():
        return tuple(serials)
    devices = ", ".join(asked.values())
    click.echo(err=True)
    confirm(f"All that is on {devices} will be lost. Burn?", yes=False)
    return tuple(shown)


async def _next_cards(progress: Any, cards: Sequence[CardResult]) -> bool:
    """Ask for the next cards, and wait until somebody has put them in."""
    progress.pause()
    for card in cards:
        for why in card.refused:
            click.echo(f"{card.device}: {why}", err=True)
    into = " and ".join(f"the card of {card.host} into {card.device}" for card in cards)
    click.echo(f"\nPut {into}, then press Enter (q and Enter: enough). ", nl=False, err=True)
    answer = await _line()
    progress.resume()
    return answer is not None and answer.strip().lower() not in ("q", "quit")


async def _line() -> str | None:
    """A line from the terminal, without keeping signals waiting; None at its end."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(sys.stdin.fileno())
    return os.read(sys.stdin.fileno(), 4096).decode(errors="replace") or None


def _show_result(burned: Burned) -> None:
    from . import tables
    from .complaint import complain

    rows = [
        (card.host, card.address, card.device, card.state, f"{card.seconds:.0f} s" if card.seconds else "", _key(card))
        for card in burned.cards
    ]
    tables.say()
    tables.show(("host", "address", "card", "", "took", "host key"), rows, right=("took",))
    for card in burned.cards:
        if card.error:
            why = f": {card.error['why']}" if "why" in card.error else ""
            complain(f"{card.host}: {card.error['what']}{why}", card.error.get("hint", ""))
    good = [card.host for card in burned.cards if card.state == "burned"]
    if good:
        from .story import fold

        tables.say(
            f"\nPut them in and switch on. Then: bramble hosts check --cluster {burned.cluster} --hosts {fold(good)}"
        )


def _key(card: CardResult) -> str:
    return card.fingerprint if card.state == "burned" else ""
