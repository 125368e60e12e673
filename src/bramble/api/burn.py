"""Cards for hosts: burned, each for its own, so that the cluster stands when the Pis are switched on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .. import inventory
from ..cards import images
from ..cards.authorized import authorized_keys as read_keys
from ..cards.burning import Burning, CardResult, Chosen, NextCards, later, require
from ..cards.customise import check, password_hash, psk
from ..cards.describe import USER, customisations, with_addresses
from ..cards.host_key import fingerprint
from ..cards.slots import files, rounds
from ..cards.unpack import image_at
from ..errors import UsageError
from ..model import CardOptions
from ..runner.secret import Secret
from .job import OnEvent


@dataclass(frozen=True, kw_only=True)
class Burned:
    """The cards of some hosts.

    Attributes
    ----------
    cluster
        Which one they belong to.
    image, title
        What is burned: as it was asked for, and as its makers call it.
    way
        How its system takes what makes it the host's own; empty where that is found on the card.
    user
        Whom the cards let in.
    keys
        Fingerprints of the public keys that let them in.
    cards
        One for each host, in their order.
    """

    cluster: str
    image: str
    title: str
    way: str
    user: str
    keys: tuple[str, ...]
    cards: tuple[CardResult, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing failed, and nothing that was asked for is left."""
        return all(card.state in ("planned", "burned") for card in self.cards)


async def cards_burn(
    hosts: str = "",
    *,
    cluster: str = "",
    image: str = "",
    devices: Sequence[str] = (),
    output: str = "",
    user: str = "",
    address: str = "",
    gateway: str = "",
    dns: Sequence[str] = (),
    interface: str = "",
    wifi: str = "",
    wifi_country: str = "",
    wifi_hidden: bool | None = None,
    wifi_password: Secret | None = None,
    authorized_keys: Sequence[str] = (),
    password: Secret | None = None,
    sudo_asks: bool | None = None,
    locale: str = "",
    keyboard: str = "",
    timezone: str = "",
    radios: bool | None = None,
    cgroups: bool | None = None,
    kernel_arguments: Sequence[str] = (),
    force_devices: Sequence[str] = (),
    serials: Collection[str] = (),
    dry_run: bool = False,
    next_cards: NextCards | None = None,
    on_event: OnEvent | None = None,
) -> Burned:
    """Burn a card for each host. All that was on the cards is lost.

    What is not asked for is as the cluster file has it from the last time, else as the image has it. The file learns
    addresses and user, and bramble the key that each host will have: they can be worked on as soon as they have booted.

    Parameters
    ----------
    hosts, cluster
        Which hosts, of which cluster file.
    image
        A name of `cards_images`, a file, a folder with one, or an address.
    devices
        Card readers. Where there are fewer than hosts, cards are burned in rounds.
    output
        A folder: instead of onto cards, into a file for each host.
    user
        Whom the cards let in; else whom the cluster file names, else ``pi``.
    address
        ``10.1.1.[1-3]/24``, one for each host in their order, or ``dhcp``.
    gateway, dns, interface, wifi, wifi_country, wifi_hidden
        As in `CardOptions`.
    sudo_asks, locale, keyboard, timezone, radios, cgroups, kernel_arguments
        As in `CardOptions`.
    wifi_password
        The wireless network's passphrase; cards get the key that it becomes.
    authorized_keys
        Files of public keys; else ``~/.ssh/id_*.pub``, and the one beside the cluster's private key.
    password
        The user's; without one, only keys let anyone in.
    force_devices
        Identities (see `Disk`) of disks that are meant, though they do not look like cards.
    serials
        Identities of the disks whose content may be lost: each that is written must be among them.
    dry_run
        Only tell what would be written where.
    next_cards
        Asks for the cards of the next round.
    on_event
        Called with each `CardProgress`, `ImageProgress` and `Note`.

    Raises
    ------
    UsageError
        The cards cannot be so, a disk must not be written, or nobody said that it may; nothing was written.
    BrambleError
        The image cannot be had, or is not what it should be; no card is bootable.
    """
    told = on_event or _deaf
    given = {
        "image": image, "gateway": gateway, "dns": tuple(dns), "interface": interface,
        "wifi": wifi, "wifi_country": wifi_country, "wifi_hidden": wifi_hidden,
        "sudo_asks": sudo_asks, "locale": locale, "keyboard": keyboard, "timezone": timezone,
        "radios": radios, "cgroups": cgroups, "kernel_arguments": tuple(kernel_arguments),
    }  # fmt: skip
    asked: dict[str, Any] = {name: value for name, value in given.items() if value not in ("", (), None)}
    found = inventory.to_be_burned(hosts, cluster, user)
    found = replace(found, hosts=tuple(replace(host, user=host.user or USER) for host in found.hosts))
    if address:
        found, asked["prefix"] = with_addresses(found, address)
    options = CardOptions(**{**found.cards, **asked})
    keys = read_keys(authorized_keys, dict.fromkeys(host.key for host in found.hosts))
    if not (keys or password):
        raise UsageError(
            "nobody could log in: there is neither a key nor a password",
            why="there is no ~/.ssh/id_*.pub, and no other key was named",
            hint="ssh-keygen -t ed25519 makes one; or --authorized-keys FILE, or --ask-password",
        )
    people = customisations(
        found,
        options,
        keys=keys,
        password=password_hash(password.reveal().decode()) if password else "",
        psk=_psk(options, wifi_password),
    )
    for one in people.values():
        check(one)
    chosen = await Chosen.of(options.image, told)
    if isinstance(chosen.image, images.LocalImage) and image:
        asked["image"] = str(chosen.image.path.absolute())  # the next card may be asked for from another folder
    burn = Burning(found, people, chosen, tuple(force_devices), told)
    if output and devices:
        raise UsageError("cards and files at once", hint="name either --devices or --output")
    if output:
        turns = [files(found.hosts, output)]
    else:
        turns = [
            burn.look(pairs) if not number else later(pairs)
            for number, pairs in enumerate(rounds(found.hosts, devices))
        ]
    planned = Burned(
        cluster=found.name,
        image=options.image,
        title=chosen.title,
        way=chosen.way or "",
        user=found.hosts[0].user,
        keys=tuple(fingerprint(_bare(key)) for key in keys),
        cards=tuple(burn.shown(slot) for turn in turns for slot in turn),
    )
    if dry_run:
        return planned
    require(turns[0], serials)
    if len(turns) > 1 and next_cards is None:
        raise UsageError(
            f"{len(found.hosts)} hosts and {len(turns[0])} card readers",
            hint="name a reader for each; or run it at a terminal, where you are asked for the next cards",
        )
    path = await images.fetch(chosen.image, told)
    source = image_at(path, size=chosen.size)
    results = []
    for number, turn in enumerate(turns):
        now = turn if not number or next_cards is None else await burn.ask(turn, next_cards)
        results += await burn.turn(source, now, asked) if now else [burn.shown(slot, "waiting") for slot in turn]
    return replace(planned, cards=tuple(results))


def _psk(options: CardOptions, password: Secret | None) -> str:
    """The wireless network's key; empty where there is no network, or one that is open to all."""
    if password is None:
        if options.wifi:
            raise UsageError(
                f"the password of the wireless network {options.wifi} is needed",
                why="bramble keeps it nowhere",
                hint=f"--wifi {options.wifi} asks for it; or --wifi-password-file FILE (an empty one: open)",
            )
        return ""
    if not options.wifi:
        raise UsageError("a password, and no wireless network that it is for", hint="--wifi NAME")
    text = password.reveal().decode()
    return psk(options.wifi, text) if text else ""


def _bare(key: str) -> str:
    """The two words of a public key, without options before and a comment behind."""
    words = key.split()
    at = next(number for number, word in enumerate(words) if word.startswith(("ssh-", "ecdsa-", "sk-")))
    return " ".join(words[at : at + 2])


def _deaf(_event: object) -> None:
    """Nobody listens."""
