"""What is told of sessions and departures, and what is not told twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.domain.device import ChargerState
from site_agent.domain.fleet.happenings import Happening, Kind, Told, happenings
from site_agent.domain.fleet.readiness import Outlook, Readiness
from site_agent.domain.site import SiteSnapshot
from support.site import NOON, charger, need, snapshot

MINUTE = timedelta(minutes=1)


def picture(
    minutes: float, state: ChargerState | None = None, number: str | None = "t1"
) -> SiteSnapshot:
    """A van at EVSE a, in this transaction."""
    state = replace(state or charger(energy_wh=500.0), transaction_id=number)
    needs = [need()] if state.plugged else []
    return replace(snapshot(chargers=[state], needs=needs), at=NOON + minutes * MINUTE)


def prospect(
    ready_m: float | None = 120, outlook: Outlook = Outlook.ON_TRACK, known: bool = True
) -> Readiness:
    ready_at = None if ready_m is None else NOON + ready_m * MINUTE
    return Readiness(
        need=need(known=known), soc_pct=50.0, outlook=outlook, reason="r", ready_at=ready_at
    )


def kinds(found: list[Happening]) -> list[Kind]:
    return [one.kind for one in found]


def test_a_session_from_its_start_to_its_end() -> None:
    started, told = happenings(Told(), picture(0), [prospect()])
    assert kinds(started) == [Kind.STARTED]
    assert started[0].subject == "van-a"
    assert started[0].data["expected_completion"] == NOON + 120 * MINUTE
    quiet, told = happenings(told, picture(14), [prospect()])
    assert quiet == []
    progress, told = happenings(told, picture(15), [prospect()])
    assert kinds(progress) == [Kind.PROGRESS]
    assert progress[0].data["energy_wh"] == 500.0
    gone = charger(plugged=False, energy_wh=900.0)
    ended, told = happenings(told, picture(20, gone, None), [])
    assert kinds(ended) == [Kind.COMPLETED]
    assert (ended[0].data["energy_wh"], ended[0].data["vehicle_id"]) == (900.0, "van-a")
    assert told == Told()


@pytest.mark.parametrize(
    ("ready_m", "told_again"), [(129, False), (130, True), (110, True), (None, True)]
)
def test_an_expected_completion_is_told_when_it_moves(
    ready_m: float | None, told_again: bool
) -> None:
    _, told = happenings(Told(), picture(0), [prospect()])
    found, _ = happenings(told, picture(1), [prospect(ready_m)])
    assert kinds(found) == ([Kind.COMPLETION] if told_again else [])
    if told_again:
        assert found[0].data["before"] == NOON + 120 * MINUTE


def test_another_transaction_ends_the_one_before() -> None:
    _, told = happenings(Told(), picture(0), [prospect()])
    found, _ = happenings(told, picture(5, number="t2"), [prospect()])
    assert kinds(found) == [Kind.COMPLETED, Kind.STARTED]
    assert [one.data["transaction_id"] for one in found] == ["t1", "t2"]


def test_of_a_charger_that_is_offline_nothing_is_told() -> None:
    _, told = happenings(Told(), picture(0), [prospect()])
    away = charger(online=False, plugged=False)
    found, after = happenings(told, picture(60, away, None), [])
    assert (found, after) == ([], told)
    back, _ = happenings(after, picture(61), [prospect()])
    assert kinds(back) == [Kind.PROGRESS]


def test_a_stranger_is_told_by_its_place() -> None:
    state = replace(charger(), transaction_id="t")
    seen = snapshot(chargers=[state], needs=[need(known=False)])
    (event,), _ = happenings(Told(), seen, [])
    assert (event.subject, event.data["known"]) == ("evse a", False)


def test_a_departure_that_will_be_missed_is_told_once_and_so_is_the_contrary() -> None:
    seen = [Outlook.ON_TRACK, Outlook.WILL_MISS, Outlook.WILL_MISS, Outlook.AT_RISK, Outlook.READY]
    told, found = Told(), []
    for n, outlook in enumerate(seen):
        events, told = happenings(told, picture(n), [prospect(120, outlook)])
        found += [one for one in events if one.kind in (Kind.WILL_MISS, Kind.WILL_MAKE)]
    assert kinds(found) == [Kind.WILL_MISS, Kind.WILL_MAKE]
    assert found[0].data["reason"] == "r"
    nobody, _ = happenings(Told(), picture(0), [prospect(120, Outlook.WILL_MISS, known=False)])
    assert Kind.WILL_MISS not in kinds(nobody)


def test_the_next_departure_is_another_matter() -> None:
    miss = prospect(None, Outlook.WILL_MISS)
    _, told = happenings(Told(), picture(0), [miss])
    tomorrow = replace(miss, need=replace(miss.need, departure=NOON + timedelta(days=1)))
    found, _ = happenings(told, picture(1), [tomorrow])
    assert kinds(found) == [Kind.WILL_MISS]


@given(st.lists(st.sampled_from(["t1", "t2", None, "offline"]), max_size=12))
def test_every_session_that_was_begun_is_completed_once_and_in_order(
    course: list[str | None],
) -> None:
    told, found = Told(), list[Happening]()
    for n, number in enumerate([*course, None]):
        at: datetime = NOON + n * MINUTE
        online = number != "offline"
        state = replace(
            charger(plugged=number is not None, online=online),
            transaction_id=number if online else None,
        )
        seen = replace(snapshot(chargers=[state], needs=[need()] if number else []), at=at)
        events, told = happenings(told, seen, [])
        found += events
    assert told.sessions == {}
    assert kinds(found) == [Kind.STARTED, Kind.COMPLETED] * (len(found) // 2)
    pairs = zip(found[::2], found[1::2], strict=True)
    assert all(a.data["transaction_id"] == b.data["transaction_id"] for a, b in pairs)
