"""Two programs and one kWh: whatever is delivered, no kWh of a site is paid twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.time import Interval
from gateway.domain.measure.rows import kilowatts, seconds_of
from gateway.domain.program import Program
from gateway.domain.settle.credit import Claimed, Credit, credit
from gateway.domain.settle.event_account import EventAccount, SiteAccount, Step
from support.deliveries import QUARTER, from_template, hours

DAY = hours("2026-07-14 12:00", 2)
SLOTS = tuple(DAY.split(QUARTER))
TINY = Decimal("1e-6")
SITES = ("a", "b", "c")


def program(template: str, **more: Any) -> Program:
    return replace(from_template(template), program_id=template, name=template, **more)


def claimed(of: Program, given_kw: Mapping[str, Sequence[float | None]], first: int = 0) -> Claimed:
    """An event from a quarter-hour on; what its sites gave in each."""
    length = max(len(each) for each in given_kw.values())
    slots = SLOTS[first : first + length]

    def whole(n: int) -> float | None:
        known = [each[n] for each in given_kw.values() if each[n] is not None]
        return 1000 * sum(one or 0.0 for one in known) if known else None

    return Claimed(
        program=of,
        event_key=f"u/{of.program_id}",
        account=EventAccount(
            steps=tuple(
                Step(interval=slot, asked_w=100_000.0, delivered_w=whole(n))
                for n, slot in enumerate(slots)
            ),
            sites={
                site: SiteAccount(
                    delivered_w=tuple(None if kw is None else 1000 * kw for kw in each),
                    load_w=tuple(0.0 for _ in each),
                )
                for site, each in given_kw.items()
            },
        ),
    )


ELRP, CBP, CSRP, DLRP = (program(f"{name}-type") for name in ("elrp", "cbp-sce", "csrp", "dlrp"))


def test_what_another_program_is_credited_first_is_shown_and_not_paid_again() -> None:
    """ELRP is an emergency program; CBP is paid what its own claim has beyond it."""
    both = {"a": [40.0] * 4, "b": [40.0] * 4}
    mine, other = claimed(CBP, both), claimed(ELRP, {"a": [30.0] * 4})
    found = credit(mine, [other])
    assert found.by_site_kwh == {"a": 10, "b": 40}
    assert found.words == ("30 kWh are credited to elrp-type first",)
    assert credit(other, [mine]).by_site_kwh == {"a": 30}


def test_a_site_that_takes_part_in_one_program_alone_is_in_nobodys_way() -> None:
    found = credit(claimed(CBP, {"a": [40.0] * 4}), [claimed(ELRP, {"b": [90.0] * 4})])
    assert found.by_site_kwh == {"a": 40}
    assert found.words == ()


def test_hours_that_do_not_overlap_are_paid_to_both() -> None:
    mine, other = claimed(CBP, {"a": [40.0] * 4}), claimed(ELRP, {"a": [40.0] * 4}, first=2)
    assert credit(mine, [other]).by_site_kwh == {"a": 20}
    assert credit(other, [mine]).by_site_kwh == {"a": 40}


kilowatt = st.one_of(st.none(), st.integers(-60, 200).map(float))
deliveries = st.integers(1, 6).flatmap(
    lambda n: st.dictionaries(
        st.sampled_from(SITES), st.lists(kilowatt, min_size=n, max_size=n), min_size=1
    )
)
events = st.lists(
    st.tuples(st.sampled_from((ELRP, CBP, CSRP, DLRP)), st.integers(0, 2), deliveries),
    min_size=1,
    max_size=4,
    unique_by=lambda one: one[0].program_id,
)


def paid_at(found: Credit, slot: Interval) -> Decimal:
    return sum((one.kilowatt_seconds for one in found.paid if one.interval == slot), Decimal(0))


def kwh_of(found: Credit) -> Decimal:
    return sum((one.kilowatt_seconds for one in found.paid), Decimal(0)) / 3600


@pytest.mark.row("mv:M4")
@given(events)
def test_no_kwh_is_paid_twice(
    told: list[tuple[Program, int, dict[str, list[float | None]]]],
) -> None:
    """In every quarter-hour all programs together pay no more than each site's highest claim."""
    every = [claimed(of, given_kw, first) for of, first, given_kw in told]
    found = [credit(one, [other for other in every if other is not one]) for one in every]
    for slot in SLOTS:
        most = Decimal(0)
        for site in SITES:
            claims = [
                piece.kilowatt_seconds
                for one in every
                for piece in one.by_site().get(site, ())
                if piece.interval == slot
            ]
            most += max([Decimal(0), *claims])
        paid = sum((paid_at(one, slot) for one in found), Decimal(0))
        assert paid <= most + Decimal("1e-6")
    for one, mine in zip(every, found, strict=True):
        alone = credit(one, [])
        assert kwh_of(mine) <= kwh_of(alone) + TINY
        losses = sum((min(Decimal(0), p.kilowatt_seconds) for p in mine.paid), Decimal(0))
        assert sum(mine.by_site_kwh.values(), Decimal(0)) <= kwh_of(mine) - losses / 3600 + TINY
        for site, energy in mine.by_site_kwh.items():
            given_kw = one.account.sites[site].delivered_w
            most = sum(
                (
                    max(Decimal(0), kilowatts(kw or 0.0)) * seconds_of(step.interval)
                    for kw, step in zip(given_kw, one.account.steps, strict=True)
                ),
                Decimal(0),
            )
            assert energy <= most / 3600 + Decimal("1e-6")
