"""Users that tests need: with one password, hashed once, because a hash takes long on purpose."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher

from bramble.rest.service import Service

PASSWORD = "four words in a row"


@cache
def _hash() -> str:
    return PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1).hash(PASSWORD)


def add(service: Service, **roles: str) -> None:
    """Add users, by name with their role."""
    with service.database.change() as change:
        for name, role in roles.items():
            change.execute("INSERT INTO users VALUES (?, ?, ?, 0)", (name, role, _hash()))
