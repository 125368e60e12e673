"""Has pi estimated by a job, and does the same itself. Arguments: the jar with the job, maps, points of each."""

import sys
from decimal import Decimal

from .hadoop import finish, hadoop

examples, maps, points = sys.argv[3], int(sys.argv[4]), int(sys.argv[5])


def mirrored(index: int, base: int) -> float:
    """A number's digits behind the point, the last first (Halton): the job takes these as its coordinates."""
    value, part = 0.0, 1.0 / base
    while index:
        index, digit = divmod(index, base)
        value, part = value + digit * part, part / base
    return value


inside = sum(
    (mirrored(index, 2) - 0.5) ** 2 + (mirrored(index, 3) - 0.5) ** 2 <= 0.25 for index in range(1, maps * points + 1)
)
expected = Decimal(4 * inside) / Decimal(maps * points)
said, _ = hadoop("yarn", "jar", examples, "pi", str(maps), str(points))
found = [
    Decimal(line.split()[-1]) for line in said.decode().splitlines() if line.startswith("Estimated value of Pi is")
]
finish(found == [expected], "as computed without it", f"it found {found}, and without it it is {expected}")
