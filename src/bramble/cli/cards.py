"""`bramble cards`: cards for a whole cluster."""

from __future__ import annotations

from .lazy import Entry, LazyGroup

_BEFORE, _CARDS = "Before burning", "Cards"

cards = LazyGroup(
    "cards",
    help="Burn SD cards for a whole cluster.",
    entries={
        "burn": Entry("cards_burn:burn", _CARDS, "Burn a card for each host."),
        "check": Entry("cards_check:check", _CARDS, "Read a card back, and tell what it would boot as."),
        "images": Entry("cards_images:images", _BEFORE, "List what can be burned, and have it here."),
        "list": Entry("cards_list:list_cards", _BEFORE, "List card readers, and why a disk is not written."),
    },
)
