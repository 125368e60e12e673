"""A page for each service: the room's README, its options, what it promises."""

from __future__ import annotations

import asyncio
import tomllib
from pathlib import Path

import bramble.services
from bramble import api

FOLDER = Path(bramble.services.__file__).parent


def rooms() -> list[str]:
    """Services of bramble's own; those that other distributions offer have their manual elsewhere."""
    return sorted(path.parent.name for path in FOLDER.glob("*/__init__.py"))


def service_table() -> str:
    """All services, and the tree of their pages."""
    infos = [asyncio.run(api.services(name))[0] for name in rooms()]
    rows = "".join(f"| [{i.name}]({i.name}.md) | {i.summary} | {', '.join(i.needs)} |\n" for i in infos)
    tree = "\n".join(["```{toctree}", ":hidden:", "", *(i.name for i in infos), "```"])
    return f"| service | what it is | needs |\n|---|---|---|\n{rows}\n{tree}"


def service_pages() -> dict[str, str]:
    """The text of each page."""
    return {name: _page(name) for name in rooms()}


def _page(name: str) -> str:
    readme = FOLDER / name / "README.md"
    info = asyncio.run(api.services(name))[0]
    text = readme.read_text() if readme.exists() else f"# {info.name}\n\n{info.summary}\n"
    rows = "".join(
        f"| `{o.name}` | {_escaped(o.type)} | {_default(o.default)} | {_escaped(o.description)} |\n"
        for o in info.options
    )
    options = f"## All options\n\nAs `--set NAME=VALUE`, or below `services: {name}:` in a cluster file.\n\n"
    options += f"| option | type | default | meaning |\n|---|---|---|---|\n{rows}" if rows else "It has none.\n"
    return f"{text.rstrip()}\n\n{options}{_promises(FOLDER / name / 'quality.toml')}"


def _promises(file: Path) -> str:
    if not file.exists():
        return ""
    rules = tomllib.loads(file.read_text())
    rows = "".join(f"| {_escaped(rule)} | {_escaped(_standing(state))} |\n" for rule, state in rules.items())
    return f"\n## What it promises\n\n| rule | |\n|---|---|\n{rows}"


def _standing(state: object) -> str:
    if isinstance(state, dict):
        return ": ".join(str(part) for part in state.values())
    return str(state)


def _default(value: object) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return "" if value in (None, "", (), {}) else f"`{value}`"


def _escaped(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
