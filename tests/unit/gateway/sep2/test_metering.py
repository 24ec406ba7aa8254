"""What is metered of which devices, under which names, over which intervals."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from gateway.utility.sep2.metering import aligned, meters, mrid, period_of
from support.sep2_acting import device_settings
from support.sep2_tree_server import OWN_LFDI

MINUTE = timedelta(minutes=1)


async def test_scopes() -> None:
    devices = [
        device_settings(n, sites=("depot-1",), scope=scope)
        for n, scope in enumerate(("site", "storage", "generation", "load"), start=1)
    ]
    found = [f"{m.lfdi[-1]}/{m.name}" for m in meters(devices, OWN_LFDI)]
    assert found == [
        *("1/site", "1/chargers", "1/battery", "1/pv", "2/battery", "3/pv", "4/chargers"),
        "A/ders",
    ]
    assert list(meters([], OWN_LFDI)) == []


def test_mrids_are_the_same_for_ever_and_end_in_the_pen() -> None:
    assert mrid(40732, "a", 1) == mrid(40732, "a", 1)
    assert mrid(40732, "a", 1) != mrid(40732, "a", 2)
    assert mrid(40732, "a").endswith("00009F1C")
    assert len(mrid(0xFFFF_FFFF, "a")) == 32


@pytest.mark.parametrize(
    ("wanted", "rate", "period"),
    [(5, 5, 5), (5, 1, 1), (5, 0, 1), (5, 15, 5), (60, 60, 60), (5, 4, 4), (7, 60, 6), (1, 5, 1)],
)
def test_periods_divide_the_hour(wanted: int, rate: int, period: int) -> None:
    assert period_of(wanted * MINUTE, rate * MINUTE) == period * MINUTE


def test_alignment() -> None:
    at = datetime.fromisoformat("2026-03-04T12:07:31+00:00")
    assert aligned(at, 5 * MINUTE) == datetime.fromisoformat("2026-03-04T12:05:00+00:00")
    assert aligned(aligned(at, MINUTE), MINUTE) == at.replace(second=0)
