"""What a station refuses, and what its personality changes about that."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from depot_sim.chargers.acceptance import Case, Refusal, refusal
from depot_sim.chargers.personality import PERSONALITIES, Personality, compose
from depot_sim.chargers.profiles import ChargingProfile, Period, Purpose, RateUnit

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PROFILE = ChargingProfile(
    id=1,
    evse_id=1,
    stack_level=0,
    purpose=Purpose.TX_DEFAULT,
    unit=RateUnit.AMPERE,
    periods=(Period(start_s=0, limit=10),),
    received_at=NOW,
)
CASE = Case(
    profile=PROFILE,
    personality=Personality(),
    evse_ids=frozenset({1}),
    in_transaction=True,
    transaction_id="7",
    tx_id_required=False,
)
TX = {"purpose": Purpose.TX}
CAP = {"purpose": Purpose.STATION_MAX, "evse_id": 0}
ZERO = {"periods": (Period(start_s=0, limit=0),)}

TABLE: dict[str, tuple[dict[str, Any], dict[str, Any], Refusal | None]] = {
    "plain default": ({}, {}, None),
    "unknown outlet": ({"evse_id": 2}, {}, Refusal.UNKNOWN_EVSE),
    "station's maximum on an outlet": (CAP | {"evse_id": 1}, {}, Refusal.INVALID_PROFILE),
    "station's maximum": (CAP, {}, None),
    "no-cpmax": (CAP, {"personality": compose(["no-cpmax"])}, Refusal.UNSUPPORTED_PURPOSE),
    "transaction's on the station": (TX | {"evse_id": 0}, {}, Refusal.INVALID_PROFILE),
    "transaction's without id, 1.6": (TX, {}, None),
    "transaction's without id, 2.0.1": (TX, {"tx_id_required": True}, Refusal.NO_TRANSACTION),
    "transaction's with id": (TX | {"transaction_id": "7"}, {"tx_id_required": True}, None),
    "another transaction's": (TX | {"transaction_id": "8"}, {}, Refusal.NO_TRANSACTION),
    "no transaction": (TX, {"in_transaction": False}, Refusal.NO_TRANSACTION),
    "stack too high": ({"stack_level": 9}, {}, Refusal.INVALID_STACK_LEVEL),
    "stack below zero": ({"stack_level": -1}, {}, Refusal.INVALID_STACK_LEVEL),
    "stack-zero-only": (
        {"stack_level": 1},
        {"personality": compose(["stack-zero-only"])},
        Refusal.INVALID_STACK_LEVEL,
    ),
    "rejects-max-stack": (
        {"stack_level": 3},
        {"personality": compose(["rejects-max-stack"])},
        Refusal.INVALID_STACK_LEVEL,
    ),
    "rejects-max-stack, one lower": (
        {"stack_level": 2},
        {"personality": compose(["rejects-max-stack"])},
        None,
    ),
    "no periods": ({"periods": ()}, {}, Refusal.INVALID_SCHEDULE),
    "late first period": ({"periods": (Period(start_s=5, limit=6),)}, {}, Refusal.INVALID_SCHEDULE),
    "periods out of order": (
        {"periods": tuple(Period(start_s=s, limit=6) for s in (0, 20, 10))},
        {},
        Refusal.INVALID_SCHEDULE,
    ),
    "too many periods": (
        {"periods": tuple(Period(start_s=s, limit=6) for s in range(25))},
        {},
        Refusal.INVALID_SCHEDULE,
    ),
    "negative limit": ({"periods": (Period(start_s=0, limit=-1),)}, {}, Refusal.INVALID_SCHEDULE),
    "negative limit, both ways": (
        {"periods": (Period(start_s=0, limit=-1),)},
        {"bidirectional": True},
        None,
    ),
    "zero": (ZERO, {}, None),
    "rejects-zero": (ZERO, {"personality": compose(["rejects-zero"])}, Refusal.INVALID_SCHEDULE),
    "amps-only, in ampere": ({}, {"personality": compose(["amps-only"])}, None),
    "amps-only, in watt": (
        {"unit": RateUnit.WATT},
        {"personality": compose(["amps-only"])},
        Refusal.UNSUPPORTED_RATE_UNIT,
    ),
    "watts-only, in ampere": (
        {},
        {"personality": compose(["watts-only"])},
        Refusal.UNSUPPORTED_RATE_UNIT,
    ),
}


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
def test_refusal(row: tuple[dict[str, Any], dict[str, Any], Refusal | None]) -> None:
    in_profile, in_case, expected = row
    assert refusal(replace(CASE, profile=replace(PROFILE, **in_profile), **in_case)) is expected


def test_personalities_compose() -> None:
    both = compose(["amps-only", "slow-30s", "rejects-zero"])
    assert both.rate_units == {RateUnit.AMPERE}
    assert both.apply_delay_s == 30
    assert not both.accepts_zero
    assert compose([]) == compose(["good"]) == Personality()


def test_every_name_builds() -> None:
    assert all(compose([name]) for name in PERSONALITIES)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"grumpy.*amps-only.*slow-<n>s"):
        compose(["grumpy"])


@pytest.mark.parametrize(
    ("name", "asked", "unit"),
    [
        ("good", None, RateUnit.AMPERE),
        ("good", "W", RateUnit.WATT),
        ("watts-only", None, RateUnit.WATT),
        ("amps-only", "W", RateUnit.AMPERE),
    ],
)
def test_unit_of_a_composite(name: str, asked: str | None, unit: RateUnit) -> None:
    assert compose([name]).unit_for(asked) is unit
