"""What is written into the decision journal, and what is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.reading import Reading
from site_agent.domain.decide.control import Decision, decide
from site_agent.domain.journal import QUIET, SPACING, Entry, Kind, Noted, note
from site_agent.domain.site import SiteSnapshot
from site_agent.domain.why.answer import Prospect, Seen
from support.site import NOON, battery, charger, envelope, need, pv, reading, snapshot

DEPOT = snapshot(
    chargers=[charger("a", drawn_a=16.0, limit_a=16.0), charger("b", plugged=False)],
    batteries=[battery()],
    pv_states=[pv(-5_000)],
    needs=[need("a")],
)


def seen(
    after_s: float = 0.0,
    *,
    limit_a: float = 16.0,
    cause: str = "shares the fuse",
    event_w: float | None = None,
    of: SiteSnapshot = DEPOT,
) -> Seen:
    """The depot so many seconds after noon, its first charger told this and (in DEPOT) doing it."""
    if of is DEPOT:
        drawn = reading(limit_a * 690.0), reading(limit_a)
        does = replace(DEPOT.chargers[0], power_w=drawn[0], current_a=drawn[1])
        of = replace(DEPOT, chargers=(does, *DEPOT.chargers[1:]))
    of = replace(of, at=NOON + timedelta(seconds=after_s))
    decision: Decision = decide(of, envelope(of.model, event_w))
    told = tuple(
        replace(one, limit_a=limit_a, cause=cause) if one.evse_id == "a" else one
        for one in decision.chargers
    )
    return Seen(snapshot=of, decision=replace(decision, chargers=told, binding="nothing binds"))


def told(entries: tuple[Entry, ...], subject: str = "a") -> list[Entry]:
    return [one for one in entries if one.subject == subject]


@pytest.fixture
def noted() -> Noted:
    return note(Noted(), seen())[1]


def test_a_life_begins_with_how_everything_is() -> None:
    entries, _ = note(Noted(), seen())
    assert {(one.kind, one.subject) for one in entries} == {
        (Kind.LIMIT, "site"),
        (Kind.SETPOINT, "site"),
        (Kind.PLAN, "site"),
        (Kind.SETPOINT, "a"),
        (Kind.SETPOINT, "b"),
        (Kind.SETPOINT, "battery"),
        (Kind.SETPOINT, "pv"),
        (Kind.VEHICLE, "van-a"),
    }
    (setpoint,) = told(entries)
    assert setpoint.answer is not None
    assert setpoint.text == setpoint.answer.sentence
    assert entries[0].kind is Kind.LIMIT


def test_nothing_is_written_while_nothing_changes(noted: Noted) -> None:
    for after_s in (1, 2, 3):
        entries, noted = note(noted, seen(after_s))
        assert entries == ()


CASES: dict[str, tuple[float, float, str, bool]] = {
    "a small move": (60, 16.5, "shares the fuse", False),
    "a move": (60, 20.0, "shares the fuse", True),
    "a move that comes too soon": (SPACING.total_seconds() - 1, 20.0, "shares the fuse", False),
    "a stop is written at once": (1, 0.0, "paused", True),
    "a cause that may flicker": (QUIET.total_seconds() - 1, 16.0, "shares the contract", False),
    "a cause that has changed": (QUIET.total_seconds(), 16.0, "shares the contract", True),
    "other numbers in a cause": (600, 16.0, "shares the fuse", False),
}


@pytest.mark.parametrize("case", CASES)
def test_only_changes_with_a_meaning_are_written(noted: Noted, case: str) -> None:
    after_s, limit_a, cause, written = CASES[case]
    entries, _ = note(noted, seen(after_s, limit_a=limit_a, cause=cause))
    assert bool(told(entries)) is written


def test_room_that_a_vehicle_does_not_take_moves_unseen(noted: Noted) -> None:
    for after_s, limit_a in ((20, 30.0), (25, 22.0)):
        taking = replace(
            DEPOT.chargers[0], power_w=at_s(11_040.0, after_s), current_a=at_s(16.0, after_s)
        )
        of = replace(DEPOT, chargers=(taking, *DEPOT.chargers[1:]))
        entries, noted = note(noted, seen(after_s, limit_a=limit_a, of=of))
        assert told(entries) == []
    silent = replace(
        DEPOT.chargers[0], current_a=Reading.missing(NOON), power_w=Reading.missing(NOON)
    )
    of = replace(DEPOT, chargers=(silent, *DEPOT.chargers[1:]))
    assert told(note(noted, seen(28, of=of))[0]) == []
    starts = replace(DEPOT.chargers[0], power_w=at_s(0.0, 29), current_a=at_s(0.0, 29))
    of = replace(DEPOT, chargers=(starts, *DEPOT.chargers[1:]))
    assert len(told(note(noted, seen(29, limit_a=22.0, of=of))[0])) == 1


def at_s(value: float, after_s: float) -> Reading:
    return reading(value, NOON + timedelta(seconds=after_s))


def test_a_slow_drift_is_written_in_the_end(noted: Noted) -> None:
    written = []
    for step in range(1, 40):
        entries, noted = note(noted, seen(30.0 * step, limit_a=16.0 + 0.2 * step))
        written += told(entries)
    assert 2 <= len(written) <= 5
    steps = [one.answer.steps for one in written if one.answer is not None]
    assert len(steps) == len(written)


@pytest.mark.row("site:X1")
def test_a_limit_comes_and_goes_with_its_source(noted: Noted) -> None:
    entries, noted = note(noted, seen(1, event_w=50_000))
    assert [one.text for one in entries if one.kind is Kind.LIMIT] == [
        "the import limit is 50.0 kW: the import limit of event e1"
    ]
    entries, _ = note(noted, seen(2))
    assert [one.text for one in entries if one.kind is Kind.LIMIT] == [
        "the import limit is 200.0 kW: the connection contract"
    ]


def test_a_limit_that_ends_is_told_to_have_ended() -> None:
    exporting = seen()
    bound = replace(exporting.decision.envelope.import_w, value=-5_000.0, cause="event e1")
    limited = replace(exporting.decision.envelope, export_w=bound)
    _, noted = note(
        Noted(), replace(exporting, decision=replace(exporting.decision, envelope=limited))
    )
    entries, _ = note(noted, seen(1))
    assert [one.text for one in entries] == ["the export limit has ended"]


@pytest.mark.row("site:X1")
def test_mode_and_plan_are_written_when_they_change(noted: Noted) -> None:
    now = replace(
        seen(1), mode="island", mode_why="the grid is away", guided_by="the plan of 14:05"
    )
    entries, noted = note(noted, now)
    assert [(one.kind, one.text) for one in entries] == [
        (Kind.MODE, "the site is in mode island: the grid is away"),
        (Kind.PLAN, "guided by the plan of 14:05"),
    ]
    later = replace(now, mode_why="the grid is still away")
    assert note(noted, later)[0] == ()


@pytest.mark.row("site:X1")
def test_a_vehicles_prospect_and_its_leaving_are_written(noted: Noted) -> None:
    late = Prospect(vehicle_id="van-a", evse_id="a", on_track=False, words="late by 20 min")
    entries, noted = note(noted, replace(seen(1), prospects=(late,)))
    (vehicle,) = told(entries, "van-a")
    assert vehicle.kind is Kind.VEHICLE
    assert vehicle.text.endswith("late by 20 min")
    gone = replace(DEPOT, needs=())
    entries, _ = note(noted, seen(2, of=gone))
    assert [one.text for one in told(entries, "van-a")] == ["van-a has left its charger"]
