"""Three sites, one of which does not deliver: measured, corrected for, left out."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.delivery.correction import Correction
from gateway.domain.delivery.course import (
    KEPT,
    MINUTE,
    Course,
    DeliveryRules,
    Minute,
    SiteMinute,
    lived,
)
from gateway.domain.delivery.credibility import LAGS
from gateway.domain.delivery.standing import Standing

NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
RULES = DeliveryRules()
FRESH = Course(event_key="u/e", correction=Correction(modification=0, at=NOON))


def minute(number: int, delivered: dict[str, float | None], asked_w: float = 20_000.0) -> Minute:
    return Minute(
        now=NOON + number * MINUTE,
        modification=0,
        settled_from=NOON + 5 * MINUTE,
        target_w=60_000.0,
        saturated=False,
        sites=[
            SiteMinute(
                site_id=site_id,
                offer_w=40_000.0,
                baseline_w=100_000.0,
                asked_w=[asked_w] * LAGS,
                delivered_w=delivered_w,
            )
            for site_id, delivered_w in delivered.items()
        ],
    )


def after(minutes: int) -> tuple[Course, dict[str, Standing]]:
    course, standings = FRESH, dict[str, Standing]()
    for number in range(1, minutes + 1):
        seen = minute(number, {"a": 20_000.0, "b": 20_000.0, "c": 0.0})
        course, standings = lived(course, standings, seen, RULES)
    return course, standings


def test_nothing_is_corrected_before_the_sites_could_follow() -> None:
    course, _ = after(4)
    assert course.asked_more == 0.0
    assert course.recent == pytest.approx(2 / 3)
    assert course.words == "asked as wanted: 67 % delivered over the last 4 minutes"


def test_then_what_is_missing_is_asked_of_all_within_the_bound() -> None:
    course, _ = after(5)
    assert course.asked_more == pytest.approx(0.30)
    assert course.words == "asked 30 % more: 67 % delivered over the last 5 minutes"


@pytest.mark.row("portfolio:A6")
def test_who_is_left_out_passes_from_the_correction_to_the_split() -> None:
    out = next(n for n in range(1, 30) if after(n)[1]["c"].quarantine is not None)
    before, left = after(out - 1)[0], after(out)[0]
    assert before.asked_more == pytest.approx(0.30)
    assert left.asked_more < 0.1, "two thirds are asked of two sites now, not of three"


def test_the_split_asks_more_where_less_is_expected() -> None:
    course = Course(event_key="u/e", correction=FRESH.correction, expected=0.8)
    assert course.asked_more == pytest.approx(0.25)


def test_a_course_keeps_two_hours() -> None:
    course, _ = after(KEPT + 3)
    assert len(course.minutes) == KEPT
    assert course.minutes[-1].interval.end == NOON + timedelta(minutes=KEPT + 3)
