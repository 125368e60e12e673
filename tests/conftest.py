"""What can be asked of all tests."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """``make test PYTEST_ARGS=--every-release`` before a release."""
    text = "services whose own tests are on one release go through the suite of all services on that one, too"
    parser.addoption("--every-release", action="store_true", help=text)
