"""What a sample says, and what it refuses to say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.reading import Quality, Reading
from contracts.site_link import codec
from contracts.site_link.messages import Measurement, Notice, VehicleReadiness
from contracts.testing import FakeClock
from site_agent.domain.decide.control import DEFAULT_POLICY, decide
from site_agent.domain.fleet.agreed import FleetVehicle, LeavesAfter, Target
from site_agent.domain.fleet.identity import Roster
from site_agent.domain.site import SiteSnapshot
from site_agent.flows.control.control_loop import Cycle
from site_agent.flows.fleet.sessions import Fleet, Sessions
from site_agent.flows.report.notices import NoticeBoard
from site_agent.flows.report.prospects import Prospects
from site_agent.flows.report.rows import measurement
from site_agent.flows.report.telemetry import Telemetry, measurements
from site_agent.store.memory import MemoryKeyValues, MemoryOutbox
from support.site import NOON, battery, charger, envelope, meter, need, pv, snapshot

FULL = snapshot(
    building_w=20_000,
    chargers=[
        charger("a", drawn_a=16.0, limit_a=16.0, soc_pct=40.0),
        charger("b", drawn_a=0.0, limit_a=6.0, plugged=False),
    ],
    batteries=[battery(power_w=-5_000, soc_pct=40), battery(soc_pct=80, capacity_wh=300_000)],
    pv_states=[pv(-8_000)],
    needs=[need("a")],
)


def cycle(depot: SiteSnapshot, event_w: float | None = None) -> Cycle:
    return Cycle(snapshot=depot, decision=decide(depot, envelope(depot.model, event_w)))


def said(depot: SiteSnapshot, event_w: float | None = None) -> dict[str, Measurement]:
    return {row.point: row for row in measurements(cycle(depot, event_w), DEFAULT_POLICY)}


def values(depot: SiteSnapshot, event_w: float | None = None) -> dict[str, float | None]:
    return {point: row.value for point, row in said(depot, event_w).items()}


class TestValues:
    def test_every_point_of_the_link(self) -> None:
        flexibility = 16 * 690 - 5_000 + 50_000 + 50_000  # more than the import
        assert flexibility > 18_040
        assert values(FULL, 30_000) == pytest.approx(
            {
                "pcc_power_w": 20_000 + 16 * 690 - 5_000 - 8_000,
                "pcc_import_wh": 0,
                "building_power_w": 20_000 - 8_000,
                "charging_power_w": 16 * 690,
                "battery_power_w": -5_000,
                "battery_soc_pct": 70,
                "pv_power_w": -8_000,
                "load_power_w": 16 * 690,
                "generation_power_w": -13_000,
                "flex_down_w": 20_000 + 16 * 690 - 5_000 - 8_000,
                "site_limit_w": 30_000,
                "chargers_online": 2,
                "chargers_total": 2,
                "vehicles_charging": 1,
                "evse/a/power_w": 16 * 690,
                "evse/a/limit_w": 16 * 690,
                "evse/b/power_w": 0,
                "evse/b/limit_w": 6 * 690,
            }
        )

    def test_all_at_one_instant(self) -> None:
        assert {row.at for row in said(FULL).values()} == {NOON}

    def test_what_there_is_none_of_is_not_told(self) -> None:
        points = set(values(snapshot()))
        assert not points & {"battery_power_w", "battery_soc_pct", "pv_power_w", "charging_power_w"}
        assert not points & {"load_power_w", "generation_power_w"}

    def test_batteries_load_while_they_charge_and_generate_while_they_discharge(self) -> None:
        both = [battery(power_w=7_000, battery_id="x"), battery(power_w=-4_000, battery_id="y")]
        told = said(snapshot(batteries=both, pv_states=[pv(-1_000)]))
        assert (told["load_power_w"].value, told["load_power_w"].quality) == (7_000, Quality.GOOD)
        assert told["generation_power_w"].value == -5_000
        assert told["generation_power_w"].quality is Quality.GOOD


class TestHonesty:
    def test_a_stale_meter_has_no_power_no_building_and_no_offer(self) -> None:
        rows = said(snapshot(building_w=10_000, pcc_at=NOON - timedelta(seconds=10)))
        for point in ("pcc_power_w", "building_power_w", "flex_down_w"):
            assert (rows[point].value, rows[point].quality) == (None, Quality.STALE)

    def test_a_reading_that_was_never_there_says_why(self) -> None:
        rows = said(snapshot(building_w=None))
        assert (rows["pcc_power_w"].value, rows["pcc_power_w"].quality) == (None, Quality.OFFLINE)

    def test_the_building_is_not_told_while_chargers_are_moving(self) -> None:
        moving = charger(drawn_a=32.0, limit_a=6.0, since=NOON)
        assert values(snapshot(chargers=[moving]))["building_power_w"] is None

    def test_a_sum_with_a_part_missing_is_an_estimate(self) -> None:
        depot = snapshot(
            chargers=[
                charger("a", drawn_a=10.0, limit_a=10.0),
                charger("b", drawn_a=None, online=False),
            ]
        )
        rows = said(depot)
        charging = rows["charging_power_w"]
        assert (charging.value, charging.quality) == (6_900, Quality.ESTIMATED)
        assert rows["evse/b/power_w"].value is None
        assert rows["evse/b/limit_w"].value is None
        assert rows["chargers_online"].value == 1

    def test_what_limits_bound_is_an_estimate_while_a_device_is_silent(self) -> None:
        silent = battery(power_w=None, online=False, battery_id="y")
        rows = said(snapshot(batteries=[battery(power_w=-4_000), silent], pv_states=[pv(-1_000)]))
        generation = rows["generation_power_w"]
        assert (generation.value, generation.quality) == (-5_000, Quality.ESTIMATED)
        assert rows["load_power_w"].quality is Quality.ESTIMATED

    def test_a_sum_with_every_part_missing_is_none(self) -> None:
        rows = said(snapshot(batteries=[battery(power_w=None, soc_pct=None, online=False)]))
        assert rows["battery_power_w"].value is None
        assert rows["battery_soc_pct"].value is None

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e16])
    def test_a_number_that_is_none_is_no_value(self, value: float) -> None:
        row = measurement(NOON, "p", Reading(value=value, quality=Quality.GOOD, at=NOON))
        assert (row.value, row.quality) == (None, Quality.INVALID)


class Bench:
    """Telemetry over whatever cycle a test puts in front of it."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOON)
        self.outbox = MemoryOutbox()
        self.memory = MemoryKeyValues()
        self.latest: Cycle | None = None
        self.restart()

    def restart(self) -> None:
        stranger = FleetVehicle(
            vehicle_id="x", departure=LeavesAfter(stay=timedelta(hours=1)), target=Target()
        )
        self.board = NoticeBoard(self.memory)
        self.telemetry = Telemetry(
            latest=lambda: self.latest,
            outbox=self.outbox,
            board=self.board,
            prospects=Prospects(),
            sessions=Sessions(Fleet(vehicles={}, roster=Roster(), stranger=stranger), self.memory),
            clock=self.clock,
            policy=DEFAULT_POLICY,
            every_s=2.0,
        )

    async def see(
        self, depot: SiteSnapshot, seconds: float = 0.0, *, load_w: float | None = None
    ) -> None:
        """Sample this depot as it is `seconds` after noon, under a load limit if any."""
        at = NOON + timedelta(seconds=seconds)
        seen = replace(depot, at=at, pcc=meter(depot.pcc.power_w.value, at))
        limits = envelope(seen.model, load_w=load_w)
        self.latest = Cycle(snapshot=seen, decision=decide(seen, limits))
        await self.telemetry.sample()

    def notices(self) -> list[tuple[str, str, bool]]:
        rows = (numbered.row for numbered in self.outbox.rows)
        return [(r.code, r.subject, r.raised) for r in rows if isinstance(r, Notice)]

    def outlooks(self) -> list[tuple[str, bool]]:
        rows = (numbered.row for numbered in self.outbox.rows)
        return [(r.vehicle_id, r.on_track) for r in rows if isinstance(r, VehicleReadiness)]


@pytest.fixture
def bench() -> Bench:
    return Bench()


LOST = snapshot(building_w=None)
OFFLINE = snapshot(chargers=[charger(online=False)])
ONLINE = snapshot(chargers=[charger(limit_a=10.0, plugged=False)])


class TestNotices:
    async def test_nothing_is_said_before_the_first_cycle(self, bench: Bench) -> None:
        await bench.telemetry.sample()
        assert bench.outbox.rows == []

    async def test_a_meter_not_read_yet_is_no_news(self, bench: Bench) -> None:
        await bench.see(LOST)
        assert bench.outbox.rows == []
        await bench.see(snapshot(), 1)
        assert bench.notices() == []
        assert bench.outbox.rows != []

    async def test_a_meter_that_is_never_read_is_told_in_the_end(self, bench: Bench) -> None:
        await bench.see(LOST)
        await bench.clock.advance(10)
        await bench.see(LOST, 10)
        await bench.see(LOST, 12)
        assert bench.notices() == [("meter-stale", "pcc", True)]

    async def test_a_lost_meter_is_told_once(self, bench: Bench) -> None:
        await bench.see(snapshot(), -1)
        for seconds in range(4):
            await bench.see(LOST, seconds)
        await bench.see(snapshot(), 4)
        await bench.see(snapshot(), 5)
        assert bench.notices() == [("meter-stale", "pcc", True), ("meter-stale", "pcc", False)]

    async def test_a_charger_may_be_away_for_a_moment(self, bench: Bench) -> None:
        await bench.see(OFFLINE)
        await bench.see(OFFLINE, 14)
        await bench.see(ONLINE, 14.5)
        assert bench.notices() == []
        await bench.see(OFFLINE, 20)
        await bench.see(OFFLINE, 35)
        assert bench.notices() == [("charger-offline", "a", True)]

    async def test_disobedience_is_an_alarm_with_figures(self, bench: Bench) -> None:
        await bench.see(snapshot(chargers=[charger(drawn_a=32.0, limit_a=6.0, obeys=False)]))
        (notice,) = (n.row for n in bench.outbox.rows if isinstance(n.row, Notice))
        assert (notice.code, notice.severity) == ("limit-not-obeyed", "alarm")
        assert notice.text == "draws 32 A a phase under a limit of 6 A"

    async def test_an_inverter_above_its_limit_is_an_alarm(self, bench: Bench) -> None:
        await bench.see(snapshot(pv_states=[pv(-9_000, obeys=False)]))
        (notice,) = (n.row for n in bench.outbox.rows if isinstance(n.row, Notice))
        assert (notice.code, notice.subject, notice.severity) == ("limit-not-obeyed", "pv", "alarm")
        assert notice.text == "makes 9000 W, more than the limit it has accepted"

    async def test_a_limit_out_of_reach_is_an_alarm_once_it_lasts(self, bench: Bench) -> None:
        silent = snapshot(chargers=[charger(limit_a=20.0, online=False)])
        for seconds in (0, 14, 15):
            await bench.see(silent, seconds, load_w=5_000)
        await bench.see(silent, 16)
        of_limits = [one for one in bench.notices() if one[0] == "limit-unmet"]
        assert of_limits == [("limit-unmet", "load", True), ("limit-unmet", "load", False)]
        rows = [n.row for n in bench.outbox.rows if isinstance(n.row, Notice)]
        (text,) = [row.text for row in rows if row.code == "limit-unmet" and row.raised]
        assert text == (
            "the load limit of event e1 cannot be kept: what cannot be moved may draw more"
        )

    async def test_a_vehicle_that_will_be_late_is_told_with_the_reason(self, bench: Bench) -> None:
        late = snapshot(chargers=[charger(limit_a=32.0)], needs=[need(wh=80_000, hours=1)])
        await bench.see(late)
        await bench.see(late, 30)
        assert bench.notices() == [("departure-at-risk", "van-a", True)]

    async def test_of_strangers_no_departure_is_promised(self, bench: Bench) -> None:
        stranger = need(wh=80_000, hours=1, known=False)
        late = snapshot(chargers=[charger(limit_a=32.0)], needs=[stranger])
        await bench.see(late)
        await bench.see(late, 60)
        assert bench.notices() == []

    async def test_what_ended_while_we_were_dead_is_cleared(self, bench: Bench) -> None:
        await bench.see(snapshot(), -1)
        await bench.see(LOST)
        await bench.see(LOST, 2)
        bench.restart()
        await bench.board.load()
        await bench.see(snapshot(), 3)
        assert bench.notices() == [("meter-stale", "pcc", True), ("meter-stale", "pcc", False)]

    async def test_and_what_still_stands_is_not_said_again(self, bench: Bench) -> None:
        await bench.see(snapshot(), -1)
        await bench.see(LOST)
        await bench.see(LOST, 2)
        bench.restart()
        await bench.board.load()
        await bench.see(LOST, 3)
        await bench.see(LOST, 9)
        assert bench.notices() == [("meter-stale", "pcc", True)]


class TestProspects:
    def depot(self, *, wh: float) -> SiteSnapshot:
        return snapshot(chargers=[charger(limit_a=32.0)], needs=[need(wh=wh, hours=2)])

    async def test_a_new_vehicle_is_told_at_once_and_then_only_when_its_outlook_changes(
        self, bench: Bench
    ) -> None:
        for n in range(5):
            await bench.see(self.depot(wh=20_000 - n), n)
        assert bench.outlooks() == [("van-a", True)]
        await bench.see(self.depot(wh=80_000), 10)
        assert len(bench.outlooks()) == 1, "it flickers while limits move"
        await bench.see(self.depot(wh=80_000), 31)
        assert bench.outlooks() == [("van-a", True), ("van-a", False)]

    async def test_a_flicker_is_not_told(self, bench: Bench) -> None:
        for n in range(10):
            await bench.see(self.depot(wh=80_000 if n % 2 else 20_000), n * 5)
        assert [outlook for _, outlook in bench.outlooks()][:1] == [True]
        assert len(bench.outlooks()) <= 2, "worse is taken at once, better only once it lasts"

    async def test_the_next_vehicle_is_told_anew(self, bench: Bench) -> None:
        await bench.see(self.depot(wh=20_000))
        await bench.see(ONLINE, 5)
        await bench.see(self.depot(wh=20_000), 10)
        assert bench.outlooks() == [("van-a", True)] * 2


async def test_every_row_can_travel(bench: Bench) -> None:
    long = "v" * 300
    vehicle = replace(need(wh=1e9, hours=1), vehicle_id=long)
    broken = charger(drawn_a=float("nan"), limit_a=16.0, soc_pct=104.0)
    await bench.see(replace(FULL, chargers=(broken,), needs=(vehicle,)))
    await bench.see(replace(FULL, chargers=(broken,), needs=(vehicle,)), 60)
    for numbered in bench.outbox.rows:
        codec.decode_row(numbered.seq, codec.encode_row(numbered.row))
