"""Words as systems spell them: one rule for cards and for hosts that run."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import available_timezones

import pytest

from bramble.model import spelling

Rule = Callable[[str], str]


@pytest.mark.parametrize(
    ("rule", "right", "wrong"),
    [
        (
            spelling.locale,
            ("en_GB.UTF-8", "hi_IN.UTF-8", "ast_ES.UTF-8", "C.UTF-8"),
            ("", "en_GB", "en.UTF-8", "en_GB.utf8", "C.UTF-8@euro", "sr_RS@latin.UTF-8", "en_GB.UTF-8\n"),
        ),
        (spelling.keyboard, ("gb", "latam"), ("", "GB", "us-intl", "us,ru", "gb\n")),
        (
            spelling.timezone,
            ("UTC", "Etc/GMT+5", "America/Argentina/ComodRivadavia", "America/Port-au-Prince"),
            ("", "Europe/Nowhere", "../UTC", "Europe/Berlin\n", "europe/berlin"),
        ),
        (spelling.user, ("pi", "_apt", "a_b-1"), ("", "Pi", "1st", "a" * 33, "box$", "a.b", "pi\n")),
        (spelling.new_user, ("pi", "a-1"), ("", "_apt", "a_b", "a" * 33, "pi\n")),
        (spelling.hostname, ("red01", "1st", "Red-1"), ("", "1", "red.lan", "red_1", "-red", "r" * 64, "10.1.1.1")),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_systems_take(rule: Rule, right: tuple[str, ...], wrong: tuple[str, ...]) -> None:
    for text in right:
        assert rule(text) == text
    for text in wrong:
        with pytest.raises(spelling.Misspelt) as caught:
            rule(text)
        assert repr(text) in caught.value.what and caught.value.hint


def test_a_near_miss_of_a_time_zone_is_named() -> None:
    with pytest.raises(spelling.Misspelt, match="did you mean 'Europe/Berlin'"):
        spelling.timezone("Europe/Berlinn")


def test_all_time_zones_that_there_are_pass() -> None:
    assert all(spelling.timezone(zone) for zone in available_timezones())
