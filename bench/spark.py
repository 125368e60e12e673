"""Spark on three virtual Pis, as `bench.daemons` compares it."""

from __future__ import annotations

from bench.daemons import compare
from bench.measure import Table


def main() -> Table:
    """The comparison."""
    return compare("spark")


if __name__ == "__main__":
    main().save("spark")
