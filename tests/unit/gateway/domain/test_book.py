from datetime import UTC, datetime, timedelta

import pytest

from contracts.time import Interval
from gateway.domain.book import BookedSlot, SiteOffers, page

T0 = datetime(2026, 3, 4, 16, tzinfo=UTC)
HOUR, QUARTER = timedelta(hours=1), timedelta(minutes=15)
HOURS = [Interval.lasting(T0 + n * HOUR, HOUR) for n in range(2)]


def site(site_id: str, *downs_w: float, out: str = "", group: str = "north") -> SiteOffers:
    return SiteOffers(
        site_id=site_id,
        groups=frozenset({group}),
        told_at=T0 - QUARTER,
        data_age=timedelta(seconds=10),
        slots=tuple(
            BookedSlot(
                interval=Interval.lasting(T0 + n * QUARTER, QUARTER),
                down_w=down_w,
                sure_w=down_w / 2,
                up_w=10.0,
                energy_wh=2 * down_w,
            )
            for n, down_w in enumerate(downs_w)
        ),
        out=out,
    )


def test_an_hour_is_the_sum_of_the_least_that_each_site_offers_in_it() -> None:
    sites = [site("a", 40, 60, 50, 60, 80), site("b", 10, 10, 10, 10)]
    first, second = page("p", "", sites, HOURS, T0).lines
    assert (first.sites, first.down_w, first.sure_w, first.up_w) == (2, 50, 25, 20)
    assert first.energy_wh == 100
    # A quarter of the second hour is no offer for the hour.
    assert (second.sites, second.down_w) == (0, 0)


def test_who_is_counted_out_is_named_and_adds_nothing() -> None:
    found = page("p", "", [site("a", *[40] * 4), site("b", out="it is offline")], HOURS, T0)
    assert found.out == (("b", "it is offline"),)
    assert (found.lines[0].sites, found.lines[0].down_w) == (1, 40)
    assert found.oldest == QUARTER + timedelta(seconds=10)
    assert page("p", "", [site("b", out="it is offline")], HOURS, T0).oldest is None


@pytest.mark.parametrize(("group", "down_w"), [("", 70), ("north", 40), ("south", 30), ("x", 0)])
def test_a_page_of_a_group_holds_its_sites_alone(group: str, down_w: float) -> None:
    sites = [site("a", *[40] * 4), site("b", *[30] * 4, group="south")]
    assert page("p", group, sites, HOURS, T0).lines[0].down_w == down_w
