"""Which OpenJDK a system release brings."""

from __future__ import annotations

from ...errors import PlanError
from ...runner.facts import Facts

#: What Spark 4 and Hadoop 3.5 need at least.
OLDEST = 17

#: Code name → the newest OpenJDK with long support in its archive, of those that `OLDEST` allows. Source: the archives'
#: own package lists (``apt-cache search openjdk-.*-jre-headless``).
ARCHIVES = {"bullseye": 17, "bookworm": 17, "trixie": 21, "jammy": 21, "noble": 21}


def version_of(host: str, facts: Facts) -> int:
    """The Java that a host gets.

    Raises
    ------
    PlanError
        Its release has none that is new enough, as far as bramble knows.
    """
    found = ARCHIVES.get(facts.codename)
    if found is None:
        release = " ".join(word for word in (facts.os, facts.release, facts.codename) if word)
        names = ", ".join(ARCHIVES)
        raise PlanError(
            f"its system ({release or 'unknown'}) has no Java {OLDEST} or later that bramble knows of",
            host=host,
            why=f"Java comes from the system's own packages, and these have it: {names}",
            hint="write Raspberry Pi OS 12 (bookworm) or later on its card, or leave the host out",
        )
    return found
