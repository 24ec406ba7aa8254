from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.devices.ocpp.limits.profiles import (
    Capabilities,
    Kind,
    LeaseTerms,
    Purpose,
    RateUnit,
    Supply,
    in_unit,
    lease_forms,
    lease_profile,
    legal_a,
    rate_units,
    resting_forms,
    resting_profile,
)
from site_agent.domain.device import ChargerSpec

A, W = RateUnit.AMPERE, RateUnit.WATT
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


def spec(**changes: Any) -> ChargerSpec:
    return ChargerSpec(evse_id="evse-1", node="pcc", **changes)


@pytest.mark.parametrize(
    ("advertised", "order"),
    [
        (None, (A, W)),
        ("Current", (A, W)),
        ("Power", (W, A)),
        ("Current,Power", (A, W)),
        ("Power, Current", (A, W)),
        ("W", (W, A)),
        ("A,W", (A, W)),
        ("nonsense", (A, W)),
    ],
)
def test_both_units_are_always_tried_the_advertised_one_first(
    advertised: str | None, order: tuple[RateUnit, ...]
) -> None:
    assert rate_units(advertised) == order


@pytest.mark.parametrize(
    ("asked", "legal"),
    [(16.15, 16.1), (6.0, 6.0), (5.99, 0.0), (5.9999999999, 6.0), (0.0, 0.0), (-3.0, 0.0),
     (99.0, 32.0), (0.3, 0.0)],
)  # fmt: skip
def test_legal_limits(asked: float, legal: float) -> None:
    assert legal_a(asked, spec()) == legal


def test_no_number_is_no_limit() -> None:
    with pytest.raises(ValueError, match="NaN"):
        legal_a(float("nan"), spec())


@given(st.floats(0, 80), st.sampled_from([A, W]), st.sampled_from([(1,), (1, 2, 3)]))
def test_a_sent_limit_is_never_above_the_asked_one(
    limit_a: float, unit: RateUnit, phases: tuple[int, ...]
) -> None:
    charger = spec(phases=phases)
    factor = 1.0 if unit is A else 230.0 * len(phases)
    sent = in_unit(limit_a, unit, Supply.of(charger))
    assert limit_a * factor - 0.1 < sent <= limit_a * factor + 1e-6
    assert round(sent * 10) == pytest.approx(sent * 10)


def test_the_fail_safe_share_is_tried_without_a_clock_and_for_the_station_first() -> None:
    forms = resting_forms(Capabilities(max_stack_level=3), 1, alone=True)
    first = forms[0]
    assert (first.kind, first.connector, first.unit, first.stack_level) == (Kind.RELATIVE, 0, A, 0)
    assert len(set(forms)) == len(forms)
    plain = [f for f in forms if f.purpose is Purpose.TX_DEFAULT and not f.phases_told]
    assert len(plain) == 2 * 2 * 2 * 2
    assert forms[: len(plain)] == tuple(plain)  # numberPhases and the station's maximum go last
    assert {f.connector for f in forms if f.purpose is Purpose.STATION_MAX} == {0}
    assert all(f.connector == 2 for f in resting_forms(Capabilities(), 2, alone=False))


@pytest.mark.parametrize(("most", "levels"), [(8, [8, 7, 0]), (1, [1, 0]), (0, [0]), (None, [0])])
def test_the_ladder_of_stack_levels(most: int | None, levels: list[int]) -> None:
    forms = lease_forms(Capabilities(max_stack_level=most), 1, None)
    assert [f.stack_level for f in forms if f.unit is A and not f.phases_told] == levels
    assert all(f.purpose is Purpose.TX and f.connector == 1 for f in forms)


def test_with_room_for_one_profile_only_the_default_is_left() -> None:
    rest = resting_forms(Capabilities(), 1, alone=True)[0]
    [form] = lease_forms(Capabilities(max_profiles=1), 1, rest)
    assert (form.purpose, form.kind) == (Purpose.TX_DEFAULT, Kind.ABSOLUTE)


def terms(max_periods: int | None) -> LeaseTerms:
    return LeaseTerms(
        supply=Supply.of(spec()),
        connector=1,
        lasting_s=300,
        rest_a=6,
        max_periods=max_periods,
        transaction_ref="42",
    )


@pytest.mark.parametrize("max_periods", [None, 1, 2, 24])
def test_a_lease_always_ends_by_itself(max_periods: int | None) -> None:
    rest = resting_forms(Capabilities(), 1, alone=True)[0]
    for form in lease_forms(Capabilities(max_periods=max_periods), 1, rest):
        profile = lease_profile(form, 16, terms(max_periods), NOW)
        assert profile.start is not None
        begun_s = (NOW - profile.start).total_seconds()
        assert begun_s > 0  # also for a clock that lags
        ends = [p.start_s - begun_s for p in profile.periods[1:]]
        if form.purpose is Purpose.TX:
            assert profile.transaction_ref == "42"
            assert profile.duration_s is not None
            assert 300 <= profile.duration_s - begun_s <= 301
        else:
            assert profile.duration_s is None
            assert ends == [300]
        assert not ends or ends == [300]


def test_profile_ids_never_meet() -> None:
    ids = []
    for connector in (1, 2, 3):
        rest = resting_forms(Capabilities(), connector, alone=False)[0]
        form = lease_forms(Capabilities(), connector, rest)[0]
        held = LeaseTerms(
            supply=Supply.of(spec()), connector=connector, lasting_s=9, rest_a=6, max_periods=1,
            transaction_ref="1",
        )  # fmt: skip
        ids += [
            resting_profile(rest, 6, Supply.of(spec()), connector, NOW).profile_id,
            lease_profile(form, 9, held, NOW).profile_id,
        ]
    assert len(set(ids)) == 6
    assert 0 not in ids


def test_a_stranger_higher_in_the_stack_is_outranked() -> None:
    forms = resting_forms(Capabilities(max_stack_level=5), 1, alone=True, high=True)
    assert forms[0].stack_level == 5


def test_the_maximum_of_the_station_never_carries_a_limit() -> None:
    rest = resting_forms(Capabilities(), 1, alone=True)[-1]
    assert rest.purpose is Purpose.STATION_MAX
    assert {f.purpose for f in lease_forms(Capabilities(), 1, rest)} == {Purpose.TX}


def test_watts_follow_the_phases_in_use() -> None:
    one = Supply(phases=1, voltage_v=225.0)
    assert in_unit(16, W, one) == 3600.0
    form = lease_forms(Capabilities(units=(W, A)), 1, None)[0]
    held = LeaseTerms(
        supply=one, connector=1, lasting_s=9, rest_a=6, max_periods=2, transaction_ref="1"
    )
    assert [p.limit for p in lease_profile(form, 16, held, NOW).periods] == [3600.0, 1350.0]
    told = replace(form, phases_told=True)
    assert [p.phases for p in lease_profile(told, 16, held, NOW).periods] == [1, 1]
