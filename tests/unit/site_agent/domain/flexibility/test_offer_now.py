"""What the site can offer now for an hour."""

from __future__ import annotations

from dataclasses import replace

import pytest

from site_agent.domain.decide.control import DEFAULT_POLICY
from site_agent.domain.device import Lapse
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.flexibility.now import down_w
from site_agent.domain.site import SiteSnapshot
from support.site import battery, charger, envelope, meter, model, need, pv, snapshot

FULL_W = 22_080.0


def offer(depot: SiteSnapshot, building_w: float | None = 10_000.0, **asked: float) -> float | None:
    return down_w(depot, envelope(depot.model, **asked), building_w, DEFAULT_POLICY)  # type: ignore[arg-type]  # watts only


def charging(*needs: VehicleNeed, contract_w: float = 200_000.0) -> SiteSnapshot:
    chargers = [charger(one.evse_id, drawn_a=32.0, limit_a=32.0) for one in needs]
    of = model([c.spec for c in chargers], contract_w=contract_w)
    return snapshot(chargers=chargers, needs=needs, of=of)


class TestOffer:
    def test_a_lax_vehicle_can_wait_altogether(self) -> None:
        assert offer(charging(need(wh=20_000, hours=4))) == pytest.approx(FULL_W)

    def test_one_that_cannot_wait_offers_nothing(self) -> None:
        assert offer(charging(need(wh=22_080, hours=1))) == pytest.approx(0.0)

    def test_in_between_it_keeps_what_the_hour_must_bring(self) -> None:
        # 30 kWh in 2 h: the second hour takes 22.08 kWh, so this one must bring 7.92 kWh
        assert offer(charging(need(wh=30_000, hours=2))) == pytest.approx(FULL_W - 7_920)

    def test_what_must_come_is_at_least_the_legal_minimum(self) -> None:
        assert offer(charging(need(wh=23_080, hours=2))) == pytest.approx(FULL_W - 6 * 690)

    def test_a_vehicle_that_needs_nothing_can_stop(self) -> None:
        assert offer(charging(need(wh=0, hours=0.5))) == pytest.approx(FULL_W)

    def test_together_they_must_still_fit_through_the_connection_later(self) -> None:
        # alone each could wait; later 2 x 22 kWh would have to pass 20 kW in one hour
        both = charging(
            need("a", wh=22_000, hours=2), need("b", wh=22_000, hours=2), contract_w=30_000
        )
        assert offer(both) == pytest.approx(2 * FULL_W - 24_000)

    def test_a_battery_gives_what_it_can_sustain_for_the_hour(self) -> None:
        assert offer(snapshot(building_w=90_000, batteries=[battery(soc_pct=40)])) == pytest.approx(
            30_000
        )

    @pytest.mark.row("truth:L3")
    @pytest.mark.parametrize("lapse", [Lapse.NONE, Lapse.UNKNOWN])
    def test_a_battery_that_would_go_on_without_us_is_not_promised(self, lapse: Lapse) -> None:
        stored = battery(soc_pct=80, power_w=20_000, lapse=lapse)
        assert offer(snapshot(building_w=90_000, batteries=[stored])) == pytest.approx(20_000)

    @pytest.mark.row("truth:L3")
    def test_nor_is_a_charger_that_would_keep_its_limit(self) -> None:
        depot = charging(need("a", wh=0, hours=4), need("b", wh=0, hours=4))
        keeper, other = depot.chargers
        kept = replace(depot, chargers=(replace(keeper, lapse=Lapse.NONE), other))
        assert offer(kept) == pytest.approx(FULL_W)

    def test_and_no_more_than_its_power(self) -> None:
        assert offer(
            snapshot(building_w=90_000, batteries=[battery(soc_pct=100)])
        ) == pytest.approx(50_000)

    def test_a_charging_battery_can_stop_first(self) -> None:
        depot = snapshot(building_w=90_000, batteries=[battery(soc_pct=40, power_w=10_000)])
        assert offer(depot) == pytest.approx(40_000)

    def test_a_battery_at_its_reserve_gives_nothing(self) -> None:
        assert offer(snapshot(building_w=90_000, batteries=[battery(soc_pct=10)])) == 0.0

    def test_never_more_than_the_present_import(self) -> None:
        assert offer(snapshot(building_w=5_000, batteries=[battery(soc_pct=90)])) == 5_000

    def test_a_load_limit_is_taken_to_last(self) -> None:
        # alone each could wait; later 2 x 22 kWh would have to pass 20 kW in one hour
        both = charging(need("a", wh=22_000, hours=2), need("b", wh=22_000, hours=2))
        assert offer(both) == pytest.approx(2 * FULL_W)
        assert offer(both, load_w=20_000) == pytest.approx(2 * FULL_W - 24_000)

    def test_under_an_order_to_stop_only_what_still_charges_is_on_offer(self) -> None:
        depot = snapshot(building_w=90_000, batteries=[battery(soc_pct=90, power_w=8_000)])
        assert offer(depot, energize=False) == pytest.approx(8_000)
        assert offer(snapshot(building_w=90_000), energize=False) == 0.0

    def test_a_battery_offers_what_pv_leaves_of_a_generation_limit(self) -> None:
        depot = snapshot(building_w=90_000, batteries=[battery(soc_pct=90)], pv_states=[pv(-5_000)])
        assert offer(depot) == pytest.approx(50_000)
        assert offer(depot, generation_w=-20_000) == pytest.approx(15_000)
        assert offer(depot, generation_w=-3_000) == 0.0

    @pytest.mark.parametrize("target_w", [-20_000, 0, 20_000])
    def test_a_battery_with_a_target_is_taken(self, target_w: float) -> None:
        depot = snapshot(building_w=90_000, batteries=[battery(soc_pct=90, power_w=8_000)])
        assert offer(depot, storage_w=target_w) == 0.0

    def test_a_silent_battery_offers_nothing(self) -> None:
        depot = snapshot(building_w=90_000, batteries=[battery(power_w=8_000, online=False)])
        assert offer(depot) == 0.0

    @pytest.mark.parametrize("trouble", [{"online": False}, {"obeys": False}])
    def test_chargers_that_cannot_be_moved_offer_nothing(self, trouble: dict[str, bool]) -> None:
        state = charger(drawn_a=32.0, limit_a=32.0, **trouble)  # type: ignore[arg-type]  # flags only
        assert offer(snapshot(chargers=[state], needs=[need()])) == 0.0

    def test_without_a_meter_there_is_no_offer(self) -> None:
        assert offer(snapshot(building_w=None), None) is None

    def test_vehicles_wait_or_a_battery_helps_but_not_both(self) -> None:
        # an import limit has the battery serve what vehicles need to stay on schedule
        depot = charging(need(wh=20_000, hours=4))
        stored = battery(soc_pct=40)
        both = replace(depot, batteries=(stored,), pcc=meter(90_000 + FULL_W))
        assert offer(both) == pytest.approx(FULL_W - 5_000 + 30_000)
        little = replace(both, batteries=(battery(soc_pct=12),))
        assert offer(little) == pytest.approx(FULL_W)
