"""What can be removed without taking along anything that somebody else uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .status import Package


def removable(packages: "Mapping[str, Package]", candidates: "Iterable[str]") -> "tuple[set[str], dict[str, set[str]]]":
    """Which of ``candidates`` no package outside of them depends on.

    Versions are not looked at: where a dependency could be met by several packages, it is taken to be met if one of
    them stays. Whoever removes asks apt as well (`transaction.removes`).

    Returns
    -------
    The packages that can go, and for each that cannot: who needs it.
    """
    going = {name for name in candidates if name in packages}
    providers: dict[str, set[str]] = {}
    for package in packages.values():
        for provided in (package.name, *package.provides):
            providers.setdefault(provided, set()).add(package.name)
    needed: dict[str, set[str]] = {}
    staying = [package for name, package in packages.items() if name not in going]
    while staying:
        package = staying.pop()
        for alternatives in package.depends:
            meets = {name for alternative in alternatives for name in providers.get(alternative, ())}
            if meets and meets <= going:
                for name in meets:
                    needed.setdefault(name, set()).add(package.name)
                    staying.append(packages[name])
                going -= meets
            elif meets:
                for name in meets & set(needed):
                    needed[name].add(package.name)
    return going, needed


def users_of(needed: "Mapping[str, set[str]]", name: str, ours: "set[str]") -> "tuple[str, ...]":
    """Those outside of ``ours`` that need ``name`` in the end, whoever stands in between."""
    found: set[str] = set()
    seen = {name}
    todo = [name]
    while todo:
        for user in needed.get(todo.pop(), ()):
            if user not in ours:
                found.add(user)
            elif user not in seen:
                seen.add(user)
                todo.append(user)
    return tuple(sorted(found))
