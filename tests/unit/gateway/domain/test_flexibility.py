from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from contracts.reading import Quality, Reading
from contracts.series import StepSeries
from gateway.domain.flexibility import SiteFlexibility, offer

At = Callable[[float], datetime]
Series = Callable[..., StepSeries]
Offer = Callable[..., SiteFlexibility]


@pytest.fixture
def make(at: At, series: Series) -> Offer:
    def made(
        power_w: float | None,
        down_w: float | None,
        age: float = 0,
        quality: Quality = Quality.GOOD,
        **changes: object,
    ) -> SiteFlexibility:
        def reading(value: float | None) -> Reading:
            return Reading(value=value, quality=quality, at=at(-age))

        fields: dict[str, object] = {
            "baseline": series((0, 30, 90.0), (30, 60, 100.0)),
            "note": "",
            "power": reading(power_w),
            "flex_down": reading(down_w),
            "now": at(0),
            "max_age": timedelta(minutes=1),
        }
        return offer("depot-1", **{**fields, **changes})  # type: ignore[arg-type]  # shorthand

    return made


@pytest.mark.parametrize(
    ("power_w", "down_w", "floor_w", "offered_w"),
    [
        (100.0, 60.0, 40.0, 60.0),  # before the event
        (70.0, 30.0, 40.0, 60.0),  # while it holds 70: the same floor, the same offer
        (140.0, 60.0, 80.0, 20.0),  # far above its baseline: little counts as delivery
        (30.0, 50.0, -20.0, 120.0),  # a battery that can take the site into export
        (150.0, 10.0, 140.0, 0.0),
        (100.0, -5.0, 100.0, 0.0),
    ],
)
def test_the_offer_is_what_lies_between_baseline_and_floor(
    make: Offer, power_w: float, down_w: float, floor_w: float, offered_w: float
) -> None:
    found = make(power_w, down_w)
    assert (found.floor_w, found.down_w, found.available) == (floor_w, offered_w, True)


@pytest.mark.parametrize(
    ("power_w", "down_w", "changes", "reason"),
    [
        (100.0, 60.0, {"power": None}, "never reported"),
        (100.0, 60.0, {"age": 2.5}, "the newest is 2 min 30 s old"),
        (None, 60.0, {}, "no usable load value"),
        (100.0, 60.0, {"quality": Quality.STALE}, "no usable load value"),
        (100.0, None, {}, "does not say how far"),
        (100.0, 60.0, {"baseline": StepSeries(), "note": "2 usable days"}, "no baseline: 2 usable"),
        (100.0, 60.0, {"blocked": "opted out"}, "opted out"),
    ],
)
def test_a_site_that_cannot_be_counted_on_says_why(
    make: Offer,
    power_w: float | None,
    down_w: float | None,
    changes: dict[str, object],
    reason: str,
) -> None:
    found = make(power_w, down_w, **changes)
    assert not found.available
    assert reason in found.reason


def test_an_estimate_is_good_enough_and_the_note_is_kept(make: Offer) -> None:
    found = make(100.0, 60.0, quality=Quality.ESTIMATED, note="recent mean")
    assert (found.available, found.reason) == (True, "recent mean")
