from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.delivery.correction import (
    Correction,
    CorrectionRules,
    Look,
    corrected,
    in_words,
    next_correction,
    shortfall,
    transferred,
)

NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RULES = CorrectionRules()
LEARNT = Correction(modification=1, at=NOON - MINUTE, share=0.10, first_at=NOON - 30 * MINUTE)


def look(**changes: object) -> Look:
    usual = Look(
        now=NOON,
        modification=1,
        settled_from=NOON - 20 * MINUTE,
        target_w=100_000.0,
        delivered_w=90_000.0,
        coverage=1.0,
        saturated=False,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]  # a test's shorthand


@pytest.mark.parametrize(
    ("before", "seen", "share", "cause"),
    [
        pytest.param({}, {}, 0.115, "90 % of the target", id="a tenth is missing: 0.15 of it"),
        pytest.param({}, {"delivered_w": 110_000.0}, 0.085, "110 %", id="too much: less"),
        pytest.param(
            {"first_at": None, "share": 0.0}, {}, 0.10, "90 %", id="first look: all of it"
        ),
        pytest.param({}, {"settled_from": NOON + MINUTE}, 0.10, "still follow", id="in the ramp"),
        pytest.param({"first_at": NOON - 3 * MINUTE}, {}, 0.10, "still follow", id="after a jump"),
        pytest.param({}, {"target_w": 0.0}, 0.10, "nothing is wanted", id="a pause of the event"),
        pytest.param({}, {"saturated": True}, 0.10, "everything offered", id="no wind-up"),
        pytest.param(
            {}, {"saturated": True, "delivered_w": 110_000.0}, 0.085, "110 %", id="but unwinding"
        ),
        pytest.param({}, {"modification": 2}, 0.0, "modification", id="afresh when modified"),
        pytest.param({}, {"coverage": 0.6}, 0.10, "held: only 60 %", id="held while data are lost"),
        pytest.param(
            {"blind_since": NOON - 5 * MINUTE},
            {"coverage": 0.6},
            0.0,
            "given up: only 60 %",
            id="given up when data are lost for long",
        ),
        pytest.param({"share": 0.299}, {"delivered_w": 0.0}, 0.30, "the most", id="upper bound"),
        pytest.param(
            {"share": -0.199}, {"delivered_w": 200_000.0}, -0.20, "the most", id="lower bound"
        ),
        pytest.param(
            {"at": NOON - timedelta(seconds=30)}, {}, 0.1075, "90 %", id="half a minute: half"
        ),
        pytest.param({"at": NOON - 9 * MINUTE}, {}, 0.115, "90 %", id="a gap counts as a minute"),
    ],
)
@pytest.mark.row("portfolio:A6")
def test_the_next_correction(
    before: dict[str, object], seen: dict[str, object], share: float, cause: str
) -> None:
    made = next_correction(replace(LEARNT, **before), look(**seen), RULES)  # type: ignore[arg-type]
    assert made.share == pytest.approx(share)
    assert cause in made.cause
    assert made.at == NOON


def test_data_that_come_back_end_the_wait() -> None:
    blind = next_correction(LEARNT, look(coverage=0.1), RULES)
    assert blind.blind_since == NOON
    seen = next_correction(blind, look(now=NOON + MINUTE), RULES)
    assert seen.blind_since is None


@given(
    minutes=st.lists(
        st.tuples(st.floats(-1e6, 1e6), st.floats(0, 1), st.booleans(), st.integers(1, 2)),
        max_size=40,
    )
)
def test_the_correction_is_bounded_whatever_is_measured(
    minutes: list[tuple[float, float, bool, int]],
) -> None:
    one = Correction(modification=1, at=NOON)
    for k, (delivered_w, coverage, saturated, modification) in enumerate(minutes, start=1):
        seen = look(
            now=NOON + k * MINUTE,
            delivered_w=delivered_w,
            coverage=coverage,
            saturated=saturated,
            modification=modification,
        )
        before, one = one, next_correction(one, seen, RULES)
        assert RULES.lowest <= one.share <= RULES.highest
        if saturated:
            assert one.share <= max(before.share, 0.0)


def test_who_is_left_out_takes_along_what_was_asked_of_others_for_it() -> None:
    """0.9 of what is asked arrives, 11 % more is asked; without the deaf site all would arrive."""
    made = transferred(replace(LEARNT, share=1 / 0.9 - 1), 0.9, 1.0, RULES)
    assert made.share == pytest.approx(0.0)


def series(value_w: float) -> StepSeries:
    return StepSeries.of([(Interval.lasting(NOON, 60 * MINUTE), value_w)])


def test_more_is_asked_where_less_is_expected() -> None:
    asked = corrected(series(90.0), 0.10, expected=0.9)
    assert asked.value_at(NOON) == pytest.approx(110.0)


@pytest.mark.parametrize(
    ("asked_w", "not_found_w", "missing_w"),
    [
        pytest.param(110.0, 4.0, None, id="a smaller reserve is no shortfall"),
        pytest.param(110.0, 15.0, 5.0, id="beyond the reserve it is"),
        pytest.param(100.0, 5.0, 5.0, id="without a reserve all of it"),
        pytest.param(90.0, 5.0, 5.0, id="where less is asked, too"),
    ],
)
def test_a_reserve_that_is_not_found_is_no_shortfall(
    asked_w: float, not_found_w: float, missing_w: float | None
) -> None:
    found = shortfall(series(100.0), series(asked_w), series(not_found_w))
    assert found.value_at(NOON) == missing_w


def test_words_tell_what_is_asked_and_why() -> None:
    assert in_words(0.08, 0.92, 5) == "asked 8 % more: 92 % delivered over the last 5 minutes"
    assert in_words(-0.08, 1.07, 1) == "asked 8 % less: 107 % delivered over the last minute"
    nothing = "asked as wanted: nothing delivered yet that could be measured"
    assert in_words(0.001, None, 0) == nothing
