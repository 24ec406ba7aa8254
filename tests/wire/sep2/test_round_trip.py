"""Whatever we can hold survives the wire and is valid by the official schema."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.sep2.codec import decode, encode
from contracts.sep2.dialect import PLAIN, Dialect
from contracts.sep2.resources import ResourceList, ResponseList, Time
from contracts.sep2.xml.plan import DOCUMENTS
from support.sep2_samples import T0
from support.sep2_samples_more import STARTED
from support.sep2_schema import DIALECTS, faults
from support.sep2_strategies import resources

FEW = settings(
    max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
AUSTRALIAN = ("ConnectionPoint", "EndDevice", "DERControl", "DERCapability", "DERSettings")
UNSAID: dict[str, Any] = {
    "dst_end_time": T0,
    "dst_start_time": T0,
    "dst_offset": timedelta(0),
    "tz_offset": timedelta(0),
    "quality": 7,
}
CASES = [(name, PLAIN) for name in DOCUMENTS if name != "ConnectionPoint"] + [
    (name, dialect) for name in AUSTRALIAN for dialect in DIALECTS if dialect != PLAIN
]


@pytest.mark.parametrize(("name", "dialect"), CASES)
def test_every_resource_round_trips_and_is_valid(name: str, dialect: Dialect) -> None:
    cls = DOCUMENTS[name]

    @FEW
    @given(resources(cls, dialect), resources(cls, dialect, complete=True))
    def check(some: Any, complete: Any) -> None:
        for resource in (some, complete):
            data = encode(resource, dialect)
            assert faults(data, dialect) == []
            assert as_sent(decode(data, cls)) == as_sent(resource)

    check()


def as_sent(resource: Any) -> Any:
    """Without what the writer counts for its caller."""
    if isinstance(resource, ResourceList):
        return replace(resource, all=None, results=None)
    return resource


def test_a_list_counts_its_items_unless_told() -> None:
    written = decode(encode(ResponseList(items=(STARTED, STARTED))), ResponseList)
    assert (written.all, written.results) == (2, 2)
    written = decode(encode(ResponseList(items=(STARTED,), all=7, results=1)), ResponseList)
    assert (written.all, written.results) == (7, 1)


@FEW
@given(st.integers(-(2**31), 2**31), st.integers(1, 999_999))
def test_an_instant_is_written_down_to_its_second(second: int, micros: int) -> None:
    instant = T0 + timedelta(seconds=second, microseconds=micros)
    read = decode(encode(Time(current_time=instant, **UNSAID)), Time).current_time
    assert timedelta(0) < instant - read < timedelta(seconds=1)


def test_an_instant_of_another_zone_is_written_in_utc() -> None:
    local = T0.astimezone(timezone(timedelta(hours=10)))
    assert decode(encode(Time(current_time=local, **UNSAID)), Time).current_time == T0
