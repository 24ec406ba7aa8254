"""Reports in parts: put together, told when they are not whole, never endless."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.devices.ocpp.known.inventory import Inventory, SecurityEvent
from site_agent.devices.ocpp.known.reports import Report, Reports
from site_agent.devices.ocpp.wire.tally import Tally

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def reports() -> tuple[Reports[str], Tally]:
    tally = Tally("CP1")
    return Reports("report", tally), tally


async def test_parts_are_put_together_and_given_to_who_waits() -> None:
    held, tally = reports()
    awaited = held.expect(7)
    assert held.take(7, 0, ["a"], more=True) is None
    assert held.take(7, 0, ["a"], more=True) is None  # told twice
    assert held.take(7, 1, ["b"], more=True) is None
    report = held.take(7, 2, ["c"], more=False)
    assert report == Report(request_id=7, entries=("a", "b", "c"), whole=True)
    assert await awaited == report
    assert dict(tally.counts) == {"report part told twice": 1}


async def test_a_missing_part_is_said() -> None:
    held, tally = reports()
    held.take(7, 0, ["a"], more=True)
    report = held.take(7, 2, ["c"], more=False)
    assert report is not None
    assert not report.whole
    assert tally.counts["report not whole"] == 1


async def test_an_endless_report_is_cut() -> None:
    held, _ = reports()
    for part in range(100):
        held.take(1, part, ["x"] * 100, more=True)
    report = held.take(1, 100, [], more=False)
    assert report is not None
    assert len(report.entries) == 5000
    assert not report.whole


async def test_reports_that_never_end_do_not_pile_up() -> None:
    held, tally = reports()
    for request_id in range(50):
        held.take(request_id, 0, ["x"] * 1000, more=True)
    assert tally.counts["report never ended"] == 46
    report = held.take(0, 1, [], more=False)
    assert report is not None
    assert not report.whole


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(-2, 2000), st.integers(0, 50), st.booleans()),
        max_size=60,
    )
)
def test_whatever_comes_it_stays_bounded(parts: list[tuple[int, int, int, bool]]) -> None:
    held, _ = reports()
    for request_id, seq_no, entries, more in parts:
        report = held.take(request_id, seq_no, ["x"] * entries, more=more)
        assert report is None or len(report.entries) <= 5000
        assert report is None or not more


def test_gaps_between_events_are_counted_and_late_ones_close_none() -> None:
    tally = Tally("CP1")
    inventory = Inventory("CP1", tally)
    for seq_no in (0, 1, 4, 2, 5):
        inventory.sequence("tx-1", seq_no)
    inventory.sequence("tx-2", 10**15)
    assert tally.counts["transaction event missing"] == 2
    for number in range(1000):
        inventory.sequence(f"t{number}", 0)
    inventory.sequence("t999", 10**15)
    assert tally.counts["transaction event missing"] == 1002


def test_security_events_are_kept_with_an_end() -> None:
    inventory = Inventory("CP1", Tally("CP1"))
    for number in range(500):
        inventory.security_event(SecurityEvent(at=NOON, kind=f"k{number}"))
    assert len(inventory.security_events) == 200
    assert inventory.security_events[-1].kind == "k499"


@pytest.mark.parametrize("kinds", [1, 5000])
def test_notices_have_an_end(kinds: int) -> None:
    inventory = Inventory("CP1", Tally("CP1"))
    for number in range(kinds):
        inventory.noted(f"event of {number}")
    assert len(inventory.notices) == min(kinds, 100)
