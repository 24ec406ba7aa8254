"""Who will be ready, who will not, why, and what would help."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.fleet.readiness import Outlook, Readiness, readiness
from site_agent.domain.fleet.stay import ExpectedStay
from site_agent.domain.flexibility.ahead import Ahead, steady_ahead
from site_agent.domain.site import CircuitNode, SiteSnapshot
from support.site import NOON, charger, charger_spec, envelope, model, need, snapshot

FULL_W = 22_080.0
ROOT_W = "the connection contract cannot charge everyone who leaves by then"


def ahead_of(
    depot: SiteSnapshot, building_w: float | None = 10_000.0, **asked: float | None
) -> Ahead:
    limits = envelope(depot.model, asked.pop("event_w", None))
    return steady_ahead(depot, building_w, lambda _: limits)


def charging(*needs: VehicleNeed, contract_w: float = 200_000.0) -> SiteSnapshot:
    chargers = [charger(one.evse_id, drawn_a=32.0, limit_a=32.0, soc_pct=40.0) for one in needs]
    of = model([c.spec for c in chargers], contract_w=contract_w)
    return snapshot(chargers=chargers, needs=needs, of=of)


def only(depot: SiteSnapshot, building_w: float | None = 10_000.0) -> Readiness:
    (one,) = readiness(depot, ahead_of(depot, building_w))
    return one


def reasons(depot: SiteSnapshot, building_w: float | None = 10_000.0) -> dict[str, str]:
    found = readiness(depot, ahead_of(depot, building_w))
    return {one.need.evse_id: "" if one.on_track else one.reason for one in found}


def stay(hours: float, until: float, wh: float, evse_id: str | None = None) -> ExpectedStay:
    return ExpectedStay(
        vehicle_id="van-late",
        arrives=NOON + timedelta(hours=hours),
        departs=NOON + timedelta(hours=until),
        required_wh=wh,
        max_power_w=FULL_W,
        evse_id=evse_id,
    )


@pytest.mark.row("site:E17")
class TestOutlook:
    def test_time_to_spare_is_on_track(self) -> None:
        one = only(charging(need(wh=20_000, hours=4)))
        assert (one.outlook, one.reason) == (Outlook.ON_TRACK, "20000 Wh to go, 3.1 h to spare")
        assert one.soc_pct == 40.0

    def test_when_it_will_be_ready(self) -> None:
        one = only(charging(need(wh=33_120, hours=4)))
        assert one.ready_at == NOON + timedelta(hours=1.5)
        assert (one.missing_wh, one.late_by) == (0.0, timedelta(0))

    def test_enough_energy_is_ready(self) -> None:
        one = only(charging(need(wh=0, hours=-3)))
        assert (one.outlook, one.reason, one.ready_at) == (Outlook.READY, "ready", NOON)

    @pytest.mark.parametrize(
        ("hours", "outlook"),
        [(1.05, Outlook.AT_RISK), (1.3, Outlook.ON_TRACK), (0.95, Outlook.AT_RISK)],
    )
    def test_little_to_spare_is_a_risk(self, hours: float, outlook: Outlook) -> None:
        assert only(charging(need(wh=FULL_W, hours=hours))).outlook is outlook

    def test_a_building_that_may_take_more_is_a_risk(self) -> None:
        depot = charging(need(wh=20_000, hours=2), contract_w=30_000)
        assert only(depot, 10_000).outlook is Outlook.AT_RISK
        assert "if the building takes more" in only(depot, 10_000).reason

    def test_what_leaves_beyond_the_hours_looked_at_is_no_trouble(self) -> None:
        depot = charging(need(wh=500_000, hours=40), contract_w=25_000)
        assert only(depot).outlook is Outlook.ON_TRACK


@pytest.mark.row("site:E17")
class TestWhy:
    def test_too_late_even_at_full_power(self) -> None:
        one = only(charging(need(wh=FULL_W, hours=0.5)))
        assert (one.outlook, one.reason) == (
            Outlook.WILL_MISS,
            "late by 30 min even at full power",
        )
        assert one.missing_wh == pytest.approx(FULL_W / 2)
        assert one.late_by == timedelta(minutes=30)
        assert one.helps == "let it leave 30 min later"

    def test_one_that_should_have_left_already(self) -> None:
        one = only(charging(need(wh=FULL_W, hours=-0.5)))
        assert one.reason == "late by 90 min even at full power"
        assert one.missing_wh == pytest.approx(FULL_W)

    def test_the_connection_serves_earlier_departures_first(self) -> None:
        depot = charging(
            need("a", wh=20_000, hours=3), need("b", wh=20_000, hours=2), contract_w=22_000
        )
        assert reasons(depot) == {"b": "", "a": ROOT_W}

    def test_or_who_ranks_higher(self) -> None:
        depot = charging(
            need("a", wh=20_000, hours=3), need("b", wh=20_000, hours=2, rank=5), contract_w=22_000
        )
        assert reasons(depot)["a"] == ""
        assert reasons(depot)["b"] == ROOT_W

    def test_an_event_is_named(self) -> None:
        depot = charging(need(wh=30_000, hours=2))
        (one,) = readiness(depot, ahead_of(depot, event_w=15_000.0))
        assert one.outlook is Outlook.WILL_MISS
        assert one.reason.startswith("the import limit of event e1")

    def test_a_row_fuse_is_named(self) -> None:
        specs = [charger_spec(name, "row") for name in "ab"]
        row = CircuitNode(node_id="row", parent="pcc", limit_a=32.0)
        chargers = [charger(spec, drawn_a=16.0, limit_a=16.0) for spec in specs]
        needs = [need(name, wh=20_000, hours=1.2) for name in "ab"]
        depot = snapshot(chargers=chargers, needs=needs, of=model(specs, nodes=[row]))
        assert reasons(depot)["b"] == "the fuse of row cannot charge everyone who leaves by then"

    def test_without_a_meter_the_building_counts_as_its_largest(self) -> None:
        depot = charging(need(wh=20_000, hours=3), contract_w=55_000)
        assert reasons(depot) == {"a": ""}
        assert reasons(depot, None)["a"] == ROOT_W

    def test_a_silent_charger_gives_only_its_fail_safe_share(self) -> None:
        state = charger(online=False)
        alone = snapshot(chargers=[state], needs=[need(wh=20_000, hours=4)])
        assert "does not answer, and the fail-safe share is too little" in reasons(alone)["a"]
        patient = snapshot(chargers=[state], needs=[need(wh=20_000, hours=6)])
        assert reasons(patient) == {"a": ""}

    def test_others_allow_it_nothing(self) -> None:
        depot = charging(need(wh=20_000, hours=4))
        held = replace(depot, chargers=(replace(depot.chargers[0], ceiling_a=0.0),))
        assert only(held).outlook is Outlook.WILL_MISS


class TestHelp:
    def slow(self, *, free: bool) -> SiteSnapshot:
        slow = charger(charger_spec("slow", max_a=10.0), drawn_a=10.0, limit_a=10.0)
        fast = charger(charger_spec("fast", max_a=63.0), drawn_a=0.0, plugged=not free)
        needs = [need("slow", wh=20_000, hours=2, max_w=6_900)]
        needs += [] if free else [need("fast", wh=5_000, hours=9)]
        return snapshot(chargers=[slow, fast], needs=needs, of=model([slow.spec, fast.spec]))

    def test_a_free_faster_plug_while_that_is_early_enough(self) -> None:
        depot = self.slow(free=True)
        one = only(depot)
        assert one.swap_to == "fast"
        assert one.swap_by == NOON + timedelta(hours=2 - 20_000 / (63 * 690))
        assert one.helps.startswith("plug it into fast within 92 min, or let it leave ")

    def test_not_one_that_another_needs(self) -> None:
        depot = self.slow(free=False)
        found = {one.need.evse_id: one for one in readiness(depot, ahead_of(depot))}
        assert found["slow"].swap_to is None

    def test_nor_where_the_vehicle_is_what_is_slow(self) -> None:
        depot = self.slow(free=True)
        weak = replace(depot, needs=(replace(depot.needs[0], max_power_w=5_000.0),))
        assert only(weak).swap_to is None

    def test_away_from_a_silent_charger(self) -> None:
        dead, free = charger("a", online=False), charger("b", plugged=False)
        depot = snapshot(
            chargers=[dead, free],
            needs=[need(wh=20_000, hours=3)],
            of=model([dead.spec, free.spec]),
        )
        assert only(depot).helps.startswith("plug it into b within ")


class TestExpected:
    def look(self, *stays: ExpectedStay, contract_w: float = 200_000.0) -> dict[str, Readiness]:
        depot = charging(need("a", wh=20_000, hours=4), contract_w=contract_w)
        ahead = replace(ahead_of(depot), expected=stays)
        return {one.need.vehicle_id: one for one in readiness(depot, ahead)}

    def test_a_vehicle_that_comes_in_time(self) -> None:
        late = self.look(stay(1, 4, 11_040))["van-late"]
        assert (late.outlook, late.here, late.soc_pct) == (Outlook.ON_TRACK, False, None)
        assert late.ready_at == NOON + timedelta(hours=1.5)

    def test_one_that_comes_too_late_misses(self) -> None:
        late = self.look(stay(3.5, 4, 22_080))["van-late"]
        assert (late.outlook, late.reason) == (
            Outlook.WILL_MISS,
            "comes late: late by 30 min even at full power",
        )

    def test_what_comes_takes_from_what_is_here(self) -> None:
        both = self.look(stay(0.25, 1.25, 14_000), contract_w=26_000)
        assert both["van-a"].on_track
        assert both["van-late"].on_track
        short = self.look(stay(0.25, 3.5, 48_000), contract_w=26_000)
        assert short["van-a"].reason == ROOT_W

    def test_a_guess_of_history_is_not_told_of(self) -> None:
        guess = replace(stay(1, 4, 11_040), probability=0.6)
        assert set(self.look(guess)) == {"van-a"}


def test_a_plan_that_has_it_wait_moves_the_end_but_not_the_promise() -> None:
    depot = charging(need(wh=FULL_W, hours=6))
    ahead = ahead_of(depot)
    wish = ahead.horizon.filled(0.0)
    wish[12:] = FULL_W
    (waits,) = readiness(depot, replace(ahead, wishes_w={"a": wish}))
    assert waits.ready_at == NOON + timedelta(hours=4)
    never = replace(ahead, wishes_w={"a": ahead.horizon.filled(0.0)})
    (pressed,) = readiness(depot, never)
    assert pressed.on_track
