"""A real service over TLS, and a way to it that can be cut."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.service import Proxy, Running


@pytest.fixture
def service(home: Path) -> Iterator[Running]:
    """A service that listens on the loopback."""
    running = Running(home / "service")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def proxy(service: Running) -> Iterator[Proxy]:
    """A way to the service that can be cut."""
    made = Proxy(service.port)
    yield made
    made.close()
