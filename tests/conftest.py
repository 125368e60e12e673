"""What can be asked of all tests."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """``make test PYTEST_ARGS=--thorough`` before a release."""
    text = "also what is proved elsewhere, and long proofs of services that have not changed since"
    parser.addoption("--thorough", action="store_true", help=text)
