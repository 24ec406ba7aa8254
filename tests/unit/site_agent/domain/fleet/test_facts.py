"""Data of vehicles, each with its source: what replaces what."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.domain.fleet.facts import Change, Facts, Source, told, values
from support.site import NOON

BASE = {"vehicle_id": "van", "departure": "06:30", "required_soc_pct": 80.0, "rank": 1}


def change(at: datetime = NOON, source: Source = Source.API, **more: Any) -> Change:
    measured, whole = more.pop("measured_at", None), more.pop("whole", False)
    return Change(
        vehicle_id="van", values=more, source=source, at=at, measured_at=measured, whole=whole
    )


def after(*changes: Change) -> Facts:
    facts: Facts = {}
    for one in changes:
        facts = told(facts, one, BASE)
    return facts


def test_the_settings_hold_until_something_is_told() -> None:
    facts = after(change(rank=5))
    assert values(BASE, facts) == BASE | {"rank": 5}
    assert (facts["rank"].source, facts["rank"].at) == (Source.API, NOON)


def test_what_repeats_what_holds_is_no_change() -> None:
    first = after(change(rank=5))
    again = told(first, change(NOON + timedelta(hours=1), rank=5), BASE)
    assert again == first
    assert after(change(rank=1, departure="06:30")) == {}


def test_none_takes_a_datum_back() -> None:
    assert values(BASE, after(change(rank=None))) == {
        "vehicle_id": "van", "departure": "06:30", "required_soc_pct": 80.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "held"),
    [
        ({"in_hours": 8.0}, {"in_hours": 8.0, "required_soc_pct": 80.0}),
        ({"required_wh": 9e3}, {"departure": "06:30", "required_wh": 9e3}),
    ],
)
def test_saying_it_one_way_takes_the_other_back(given: Any, held: Any) -> None:
    assert values(BASE, after(change(**given))) == {"vehicle_id": "van", "rank": 1} | held


def test_a_whole_replaces_everything() -> None:
    facts = after(change(bay="b1"), change(whole=True, in_hours=4.0, required_wh=5.0))
    assert values(BASE, facts) == {"vehicle_id": "van", "in_hours": 4.0, "required_wh": 5.0}


def test_an_older_measurement_never_replaces_a_newer_one() -> None:
    hour = timedelta(hours=1)
    facts = after(
        change(soc_pct=50.0, measured_at=NOON - hour),
        change(NOON + hour, Source.GEOTAB, soc_pct=60.0, measured_at=NOON - 2 * hour, rank=7),
    )
    assert (facts["soc_pct"].value, facts["rank"].value) == (50.0, 7)
    newer = told(facts, change(source=Source.SAMSARA, soc_pct=50.0, measured_at=NOON), BASE)
    assert (newer["soc_pct"].at, newer["soc_pct"].source) == (NOON, Source.SAMSARA)


@given(
    st.permutations([(50.0, -3), (40.0, -2), (45.0, -1), (45.0, 0)]),
    st.lists(st.sampled_from(list(Source)), min_size=4, max_size=4),
)
def test_measurements_may_come_in_any_order(
    told_in: list[tuple[float, int]], sources: list[Source]
) -> None:
    changes = [
        change(source=source, soc_pct=pct, measured_at=NOON + timedelta(hours=h))
        for (pct, h), source in zip(told_in, sources, strict=True)
    ]
    facts = after(*changes)
    assert (facts["soc_pct"].value, facts["soc_pct"].at) == (45.0, NOON)
    assert after(*changes, *changes) == facts
