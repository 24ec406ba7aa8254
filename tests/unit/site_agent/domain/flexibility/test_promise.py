"""Whatever slot of an offer is taken up at full size, nobody is left behind and it is delivered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from contracts.device_class import DeviceClass
from site_agent.domain.decide.control import DEFAULT_POLICY
from site_agent.domain.device import PHASES
from site_agent.domain.flexibility.ahead import steady_ahead
from site_agent.domain.flexibility.offer import Offer, OfferedSlot
from site_agent.domain.flexibility.offering import offer
from site_agent.domain.protect.envelope import Bound, Envelope, Limit, Side, combine
from site_agent.domain.protect.limits import standing_limits
from site_agent.domain.site import ROOT, CircuitNode, SiteSnapshot
from support import site
from support.examples import examples, fixed
from support.nights import STEP, Night, night

BUILDING_W = 15_000.0
HOURS = 6.5
ROWS = ("row-1", "row-2")
FOLLOWS_W = 1_000.0
"""Deadbands and steps of 0.1 A."""


@dataclass(frozen=True)
class Case:
    depot: SiteSnapshot
    pick: float


@st.composite
def cases(draw: st.DrawFn) -> Case:
    count = draw(st.integers(1, 6))
    specs = [
        site.charger_spec(
            f"c{n}",
            draw(st.sampled_from((ROOT, *ROWS))),
            phases=draw(st.sampled_from([PHASES, PHASES, PHASES, (1,), (2,)])),
            max_a=draw(st.sampled_from([16.0, 32.0])),
        )
        for n in range(count)
    ]
    needs = []
    for spec in specs:
        power_w = spec.max_current_a * spec.voltage_v * len(spec.phases)
        hours = draw(st.integers(2, 12)) / 2.0
        share = draw(st.floats(0.05, 0.9))
        needs.append(
            site.need(
                spec.evse_id,
                wh=share * hours * power_w,
                hours=hours,
                max_w=power_w,
                rank=draw(st.integers(0, 2)),
            )
        )
    rows = [
        CircuitNode(node_id=row, parent=ROOT, limit_a=draw(st.sampled_from([40.0, 63.0, 200.0])))
        for row in ROWS
    ]
    store = [site.battery(soc_pct=draw(st.floats(0, 100)), rated_w=20_000.0, capacity_wh=40_000.0)]
    batteries = draw(st.sampled_from([[], store]))
    of = site.model(
        specs,
        nodes=rows,
        contract_w=draw(st.sampled_from([40_000.0, 60_000.0, 100_000.0])),
        batteries=[one.spec for one in batteries],
    )
    depot = site.snapshot(
        building_w=BUILDING_W,
        chargers=[site.charger(spec, drawn_a=0.0, limit_a=6.0) for spec in specs],
        batteries=batteries,
        needs=needs,
        of=of,
    )
    return Case(depot, draw(st.floats(0, 1)))


def standing(depot: SiteSnapshot) -> Envelope:
    return combine(standing_limits(depot.model))


def offered(depot: SiteSnapshot) -> Offer:
    limits = standing(depot)
    found = offer(depot, steady_ahead(depot, BUILDING_W, lambda _: limits), DEFAULT_POLICY)
    assert found is not None
    return found


def taken_up(depot: SiteSnapshot, given_: Offer, slot: OfferedSlot) -> Night:
    """The night with the import held at what was expected less the offer, as long as it lasts."""
    expected = [(one.start, one.expected_w) for one in given_.slots]

    def envelope_at(now: datetime) -> Envelope:
        limits = standing_limits(depot.model)
        if slot.start <= now < slot.start + slot.lasts:
            expected_w = next(w for start, w in reversed(expected) if start <= now)
            limits.append(
                Limit(
                    side=Side.IMPORT,
                    bound=Bound(value=expected_w - slot.down_w, cause="the event"),
                    event=True,
                )
            )
        return combine(limits)

    return night(depot, envelope_at, BUILDING_W, HOURS)


@pytest.mark.row("site:X5")
@given(cases())
@settings(max_examples=examples(10), deadline=None, derandomize=fixed())
def test_an_offer_taken_up_leaves_nobody_behind_and_is_delivered(case: Case) -> None:
    depot, found = case.depot, offered(case.depot)
    slots = [one for one in found.slots if one.down_w > 0]
    assume(slots)
    slot = slots[round(case.pick * (len(slots) - 1))]
    limits = standing(depot)
    without = night(depot, lambda _: limits, BUILDING_W, HOURS)
    held = taken_up(depot, found, slot)
    assert held.late(depot.needs) <= without.late(depot.needs), (slot, held.left_wh)
    expected = [(one.start, one.expected_w) for one in found.slots]
    for at, power_w in held.import_w:
        if slot.start + STEP <= at < slot.start + slot.lasts:
            asked_w = next(w for start, w in reversed(expected) if start <= at) - slot.down_w
            assert power_w <= asked_w + FOLLOWS_W, (at, power_w, slot)


@pytest.mark.row("site:A4")
@given(cases())
@settings(max_examples=examples(10), deadline=None, derandomize=fixed())
def test_an_offer_says_how_large_how_long_and_what_follows(case: Case) -> None:
    for one in offered(case.depot).slots:
        assert 0 <= one.down_sure_w <= one.down_w
        assert one.up_w >= 0
        assert (one.lasts >= timedelta(minutes=15)) == (one.down_w > 0)
        most_wh = (one.expected_w + 20_000.0) * (one.lasts / timedelta(hours=1))
        assert 0 <= one.rebound_wh <= most_wh + 1.0
        if one.rebound_at is not None:
            assert one.rebound_at >= one.start
            assert one.again_at is None or one.again_at > one.rebound_at


def test_an_empty_depot_offers_nothing_and_breaks_nothing() -> None:
    empty = site.snapshot(building_w=BUILDING_W, chargers=[site.charger(plugged=False)])
    assert {one.down_w for one in offered(empty).slots} == {0.0}
    assert offered(empty).proved == 1.0
    assert {one.down_w for one in offered(site.snapshot(building_w=BUILDING_W)).slots} == {0.0}


@pytest.mark.row("portfolio:A5")
@given(cases())
@settings(max_examples=examples(10), deadline=None, derandomize=fixed())
def test_parts_by_class_add_up_to_no_more_than_the_offer(case: Case) -> None:
    for one in offered(case.depot).slots:
        assert len({p.device_class for p in one.parts}) == len(one.parts)
        assert sum(p.down_w for p in one.parts) <= one.down_w + 1e-6
        assert sum(p.down_sure_w for p in one.parts) <= one.down_sure_w + 1e-6
        assert sum(p.up_w for p in one.parts) <= one.up_w + 1e-6
        assert all(0 <= p.down_sure_w <= p.down_w for p in one.parts)


@pytest.mark.row("portfolio:A5")
@given(cases())
@settings(max_examples=examples(10), deadline=None, derandomize=fixed())
def test_what_chargers_alone_offer_leaves_nobody_behind(case: Case) -> None:
    """Told as a load limit: no battery helps."""
    depot = case.depot
    slots = [
        (slot, part)
        for slot in offered(depot).slots
        for part in slot.parts
        if part.device_class is DeviceClass.EVSE and part.down_w > 0
    ]
    assume(slots)
    slot, part = slots[round(case.pick * (len(slots) - 1))]
    allowed_w = {
        s.start: p.expected_w - part.down_w
        for s in offered(depot).slots
        for p in s.parts
        if p.device_class is DeviceClass.EVSE
    }

    def envelope_at(now: datetime) -> Envelope:
        limits = standing_limits(depot.model)
        if slot.start <= now < slot.start + slot.lasts:
            most_w = next(w for start, w in reversed(allowed_w.items()) if start <= now)
            bound = Bound(value=max(0.0, most_w), cause="the event")
            limits.append(Limit(side=Side.LOAD, bound=bound, event=True))
        return combine(limits)

    without = night(depot, lambda _: standing(depot), BUILDING_W, HOURS)
    held = night(depot, envelope_at, BUILDING_W, HOURS)
    assert held.late(depot.needs) <= without.late(depot.needs), (slot, held.left_wh)
