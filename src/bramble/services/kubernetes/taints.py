"""Labels and taints as people write them, and which of them Kubernetes takes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

#: What a taint does to pods that do not tolerate it.
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")

#: Names and values of labels: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
_WORD = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")

#: Kubernetes keeps its own domains for itself, but for these: what a person knows of a host, and no program finds out.
_RESERVED = ("kubernetes.io", "k8s.io")
FREE = ("topology.kubernetes.io", "node.kubernetes.io", "kubelet.kubernetes.io", "node-restriction.kubernetes.io")


@dataclass(frozen=True)
class Taint:
    """Keeps pods off the hosts that have a label; ``value`` None means: whatever it says."""

    label: str
    value: str | None
    effect: str

    @classmethod
    def parse(cls, text: str) -> Taint:
        """``stick:NoSchedule`` or ``stick=coral:NoSchedule``.

        Raises
        ------
        ValueError
            With one sentence that a person can use.
        """
        what, colon, effect = text.strip().rpartition(":")
        label, equals, value = what.partition("=")
        if not colon or not label:
            raise ValueError(f"{text!r} is not of the form LABEL:EFFECT or LABEL=VALUE:EFFECT")
        if effect not in EFFECTS:
            close = difflib.get_close_matches(effect, EFFECTS, 1)
            near = f": did you mean {close[0]}?" if close else ""
            raise ValueError(f"{effect!r} is not one of {', '.join(EFFECTS)}{near}")
        if wrong := unfit(label, value):
            raise ValueError(wrong)
        return cls(label, value if equals else None, effect)

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether a host with these labels gets it."""
        return self.label in labels and self.value in (None, labels[self.label])

    def __str__(self) -> str:
        return f"{self.label}:{self.effect}" if self.value is None else f"{self.label}={self.value}:{self.effect}"


def _listed(given: object) -> object:
    """A list comes as such from a cluster file, and with commas from a command line."""
    return [word for word in given.split(",") if word.strip()] if isinstance(given, str) else given


def _normal(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(Taint.parse(text)) for text in texts))


Taints = Annotated[tuple[str, ...], BeforeValidator(_listed), AfterValidator(_normal)]


def unfit(name: str, value: str) -> str:
    """Why Kubernetes cannot take this label; empty where it can."""
    domain, slash, word = name.rpartition("/")
    if not _WORD.fullmatch(word) or (slash and not _DOMAIN.fullmatch(domain)):
        return f"the name {name!r} is not of letters, digits, '-', '_' and '.', at most 63"
    if value and not _WORD.fullmatch(value):
        return f"the value {value!r} of {name} is not of letters, digits, '-', '_' and '.', at most 63"
    return ""


def reserved(name: str) -> bool:
    """Whether only Kubernetes itself gives nodes a label of this name."""
    domain = name.rpartition("/")[0]
    return domain not in FREE and any(domain == kept or domain.endswith(f".{kept}") for kept in _RESERVED)
