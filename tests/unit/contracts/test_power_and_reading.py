from datetime import UTC, datetime, timedelta

import pytest

from contracts.power import (
    current_from_power_a,
    energy_wh,
    kw_from_watts,
    line_to_line_v,
    power_from_current_w,
    watts_from_kw,
)
from contracts.reading import Quality, Reading

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_sixteen_amperes_on_three_phases_are_eleven_kilowatts() -> None:
    assert power_from_current_w(16.0, 3) == pytest.approx(11_040.0)
    assert current_from_power_a(11_040.0, 3) == pytest.approx(16.0)
    assert kw_from_watts(watts_from_kw(7.4)) == pytest.approx(7.4)
    assert energy_wh(-1000.0, timedelta(minutes=30)) == -500.0
    assert line_to_line_v(230.0) == pytest.approx(398.37, abs=0.01)


@pytest.mark.parametrize(
    ("quality", "age_s", "usable"),
    [
        (Quality.GOOD, 2.0, True),
        (Quality.ESTIMATED, 2.0, True),
        (Quality.GOOD, 3.1, False),
        (Quality.STALE, 0.0, False),
        (Quality.INVALID, 0.0, False),
        (Quality.OFFLINE, 0.0, False),
    ],
)
def test_only_fresh_and_trusted_values_are_used(
    quality: Quality, age_s: float, usable: bool
) -> None:
    reading = Reading(value=5.0, quality=quality, at=NOW - timedelta(seconds=age_s))
    assert reading.fresh(NOW, timedelta(seconds=3)) == (5.0 if usable else None)
    assert Reading.missing(NOW).fresh(NOW, timedelta(days=1)) is None
