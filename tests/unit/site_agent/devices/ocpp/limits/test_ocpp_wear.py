from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from site_agent.devices.ocpp.limits.wear import WRITES_A_YEAR, Wear

pytestmark = pytest.mark.row("pitfall:P9")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def days_of_charging(days: int, lease_s: float) -> tuple[Wear, int]:
    """Nothing but renewals at a third of a lease that grows as it is told; writes of the last."""
    wear, now = Wear(), NOON
    while now < NOON + timedelta(days=days):
        wear.wrote(now)
        now += timedelta(seconds=wear.stretch(now) * lease_s / 3)
    return wear, wear.per_day(now)


def test_renewals_for_ever_stay_inside_the_budget_of_a_year() -> None:
    _, a_day = days_of_charging(20, 300)
    assert a_day * 365 <= WRITES_A_YEAR * 1.01


def test_a_working_day_of_charging_needs_no_longer_lease() -> None:
    wear, now = Wear(), NOON
    for _ in range(100):
        wear.wrote(now)
        now += timedelta(seconds=100)
    assert wear.stretch(now) == 1


def test_what_was_written_is_known_over_a_restart() -> None:
    wear = Wear()
    for _ in range(250):
        wear.wrote(NOON)
    again = Wear()
    again.recall(wear.text())
    assert (again.total, again.stretch(NOON)) == (250, 8)
    assert again.stretch(NOON + timedelta(days=1)) == 1  # a day fills the allowance again


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"total": "x", "left": 1, "at": null}', "null"])
def test_what_cannot_be_read_is_forgotten(text: str) -> None:
    wear = Wear()
    wear.recall(text)
    assert (wear.total, wear.stretch(NOON)) == (0, 1)
