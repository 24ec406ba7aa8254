"""What each personality makes a station do with its profiles, its power and its meter."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depot_sim.chargers.acceptance import Refusal
from depot_sim.chargers.events import (
    EndReason,
    Event,
    Metered,
    StatusChanged,
    TransactionEnded,
    TransactionStarted,
)
from depot_sim.chargers.false_ends import end_something
from depot_sim.chargers.personality import PERSONALITIES, Entry, compose
from depot_sim.chargers.profiles import ChargingProfile, Period, Purpose, RateUnit, Selection
from depot_sim.chargers.rules import Rules, StationSettings
from depot_sim.chargers.station import Station
from depot_sim.physics.evse import Evse
from depot_sim.physics.vehicle import Vehicle

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
VAN = Vehicle(id="van", id_tag="TAG1", capacity_wh=60_000, soc_pct=40.0, max_ac_w=22_080)
RULES = {
    "1.6": Rules(own_transaction_ids=False, tx_id_required=False, refuses_duplicates=False),
    "2.0.1": Rules(own_transaction_ids=True, tx_id_required=True, refuses_duplicates=True),
}
ALL = Selection()


class Bench:
    """A one-outlet station with a charging van, and a clock that only moves when told."""

    def __init__(self, *traits: Entry, version: str = "1.6", **van: object) -> None:
        self.now = NOON
        self.station = Station(
            evses={1: Evse(rated_a=32, bidirectional=True)},
            personality=compose(traits),
            rules=RULES[version],
            settings=StationSettings(meter_interval_s=10),
        )
        self.station.plug(1, replace(VAN, **van), self.now)  # type: ignore[arg-type]  # any field
        self.begin()
        self.run(3)

    @property
    def current_a(self) -> float:
        return self.station.outlets[1].evse.current_a

    def begin(self) -> None:
        transaction = self.station.begin(1, "TAG1", self.now)
        assert transaction is not None
        transaction.ref = transaction.ref or "7"

    def run(self, seconds: float) -> list[float]:
        """Let time pass; the current at every step."""
        seen = []
        for _ in range(round(seconds / 0.2)):
            self.now += timedelta(seconds=0.2)
            self.station.step(self.now, 0.2)
            seen.append(self.current_a)
        return seen

    def set(self, limit: float, purpose: Purpose = Purpose.TX_DEFAULT, **changes: object) -> None:
        assert self.ask(limit, purpose, **changes) is None

    def ask(
        self, limit: float, purpose: Purpose = Purpose.TX_DEFAULT, **changes: object
    ) -> Refusal | None:
        asked = ChargingProfile(
            id=len(purpose),
            evse_id=0 if purpose is Purpose.STATION_MAX else 1,
            stack_level=0,
            purpose=purpose,
            unit=RateUnit.AMPERE,
            periods=(Period(start_s=0, limit=limit),),
            received_at=self.now,
            start=self.now,
        )
        changed = replace(asked, **changes)  # type: ignore[arg-type]  # any field
        return self.station.set_profile(changed, self.now)

    def told(self) -> list[Event]:
        return list(self.station.outbox.waiting)


def test_good_follows() -> None:
    bench = Bench()
    assert bench.current_a == pytest.approx(32)
    bench.set(10)
    bench.run(3)
    assert bench.current_a == pytest.approx(10)


def test_limits_change_at_the_edges_of_a_schedule() -> None:
    bench = Bench()
    periods = (Period(start_s=0, limit=8), Period(start_s=20, limit=12))
    bench.set(8, periods=periods, duration_s=40)
    assert bench.run(19.8)[-1] == pytest.approx(8)
    assert bench.run(5)[-1] == pytest.approx(12)
    assert bench.run(12)[-1] == pytest.approx(12)
    assert bench.run(8)[-1] == pytest.approx(32)


def test_keeps_expired_profile() -> None:
    bench = Bench("keeps-expired-profile")
    bench.set(12, duration_s=20)
    assert bench.run(60)[-1] == pytest.approx(12)


def test_accepts_and_ignores() -> None:
    bench = Bench("accepts-and-ignores")
    bench.set(6)
    assert min(bench.run(30)) == pytest.approx(32)
    assert bench.station.composite(1, bench.now, timedelta(hours=1)) is None


def test_slow() -> None:
    bench = Bench({"slow": 20})
    bench.set(10)
    assert min(bench.run(19.8)) == pytest.approx(32)
    assert bench.run(3)[-1] == pytest.approx(10)


def test_spikes_on_every_update_and_not_out_of_a_suspension() -> None:
    bench = Bench({"spikes-on-update": {"for_s": 4}})
    bench.run(5)
    bench.set(10)
    seen = bench.run(8)
    assert max(seen) == pytest.approx(32)
    assert seen[-1] == pytest.approx(10)
    bench.set(11)
    assert max(bench.run(3)) == pytest.approx(32)
    assert bench.run(8)[-1] == pytest.approx(11)
    bench.set(0)
    bench.run(3)
    bench.set(0)
    assert max(bench.run(8)) == 0.0


def stuck(*traits: Entry) -> Bench:
    bench = Bench(*traits)
    bench.set(0)
    bench.run(3)
    bench.set(16)
    assert bench.run(60)[-1] == 0.0
    assert bench.station.outlets[1].status == "SuspendedEVSE"
    return bench


def test_stuck_suspended_until_cleared_and_set() -> None:
    bench = stuck({"stuck-suspended": "clear-and-set"})
    assert bench.station.wake(1) is None
    bench.station.clear_profiles(ALL, bench.now)
    assert bench.run(5)[-1] == 0.0
    bench.set(16)
    assert bench.run(3)[-1] == pytest.approx(16)


def test_stuck_suspended_until_a_remote_start() -> None:
    bench = stuck({"stuck-suspended": {"until": "remote-start"}})
    bench.station.clear_profiles(ALL, bench.now)
    bench.set(16)
    assert bench.run(5)[-1] == 0.0
    assert bench.station.wake(1) is bench.station.outlets[1].transaction
    assert bench.run(3)[-1] == pytest.approx(16)
    assert bench.station.wake(1) is None


def test_a_sleeping_vehicle_is_woken_by_a_remote_start() -> None:
    bench = Bench(sleeps_after_s=30.0)
    bench.set(0)
    bench.run(40)
    bench.set(16)
    assert bench.run(10)[-1] == 0.0
    assert bench.station.outlets[1].status == "SuspendedEV"
    assert bench.station.wake(None) is not None
    assert bench.run(3)[-1] == pytest.approx(16)


def test_waits_next_tx() -> None:
    bench = Bench("waits-next-tx")
    bench.set(10)
    assert bench.run(20)[-1] == pytest.approx(32)
    bench.set(14, Purpose.TX, transaction_id="7")
    assert bench.run(3)[-1] == pytest.approx(14)
    bench.station.end(1, EndReason.REMOTE, bench.now)
    bench.begin()
    assert bench.run(3)[-1] == pytest.approx(10)
    bench.station.clear_profiles(ALL, bench.now)
    assert bench.run(10)[-1] == pytest.approx(10)


@pytest.mark.parametrize(("traits", "kept"), [((), 10.0), (("loses-profile-on-reboot",), 32.0)])
def test_profiles_over_a_reboot(traits: tuple[str, ...], kept: float) -> None:
    bench = Bench(*traits)
    bench.set(10)
    bench.station.reboot(EndReason.POWER_LOSS, bench.now)
    bench.begin()
    assert bench.run(3)[-1] == pytest.approx(kept)


def test_stale_transaction_after_reboot() -> None:
    bench = Bench("stale-transaction-after-reboot")
    bench.station.reboot(EndReason.POWER_LOSS, bench.now)
    assert not [event for event in bench.told() if isinstance(event, TransactionEnded)]
    assert bench.station.outlets[1].transaction is None
    assert bench.station.outlets[1].tag_shown == "TAG1"
    statuses = [event.status for event in bench.told() if isinstance(event, StatusChanged)]
    assert statuses[-1] in {"Finishing", "Preparing"}
    assert bench.run(3)[-1] == 0.0


@pytest.mark.parametrize(("traits", "phases"), [((), 1), (("ignores-number-phases",), 3)])
def test_number_phases(traits: tuple[str, ...], phases: int) -> None:
    bench = Bench(*traits)
    bench.set(16, periods=(Period(start_s=0, limit=16, phases=1),))
    bench.run(3)
    assert bench.station.outlets[1].evse.phases_in_use == phases
    assert bench.current_a == pytest.approx(16)


def test_phase_switch_raises_the_current() -> None:
    bench = Bench("phase-switch")
    bench.set(16)
    assert bench.run(3)[-1] == pytest.approx(16)
    bench.set(16, periods=(Period(start_s=0, limit=16, phases=1),))
    assert bench.run(3)[-1] == pytest.approx(20)
    assert bench.station.outlets[1].evse.phases_in_use == 1


@pytest.mark.parametrize("version", RULES)
def test_power_reads_zero(version: str) -> None:
    bench = Bench("power-reads-zero", version=version)
    bench.run(25)
    metered = [event for event in bench.told() if isinstance(event, Metered)]
    assert [event.sample.power_w for event in metered] == [0.0, 0.0]
    assert metered[1].sample.register_wh - metered[0].sample.register_wh == pytest.approx(61, abs=2)
    assert (metered[0].transaction is None) is (version == "2.0.1")


@pytest.mark.parametrize("version", RULES)
def test_ends_first_of_a_transaction_nobody_knows(version: str) -> None:
    bench = Bench("ends-first", version=version)
    end_something(bench.station, bench.now)
    ended = bench.told()[0]
    assert isinstance(ended, TransactionEnded)
    assert len(ended.samples) == 4
    assert ended.transaction.ref != bench.station.outlets[1].transaction.ref  # type: ignore[union-attr]  # it runs
    assert bench.run(3)[-1] == pytest.approx(32)


def test_ends_first_of_the_running_transaction() -> None:
    bench = Bench({"ends-first": "running"})
    bench.run(45)
    end_something(bench.station, bench.now)
    ended = next(event for event in bench.told() if isinstance(event, TransactionEnded))
    assert ended.transaction.ref == "7"
    registers = [sample.register_wh for sample in ended.samples]
    assert len(registers) == 4
    assert registers == sorted(registers)


def test_a_negative_limit_discharges() -> None:
    bench = Bench(max_discharge_w=11_040.0)
    bench.set(-10)
    bench.run(15)
    assert bench.current_a == pytest.approx(-10)
    assert bench.station.outlets[1].status == "Charging"
    metered = [event for event in bench.told() if isinstance(event, Metered)]
    assert metered[-1].sample.power_w == pytest.approx(-6_900)
    assert metered[-1].sample.export_wh > 0.0


def test_a_vehicle_may_keep_its_charge_to_itself() -> None:
    bench = Bench(reports_soc=False)
    bench.run(12)
    started = next(event for event in bench.told() if isinstance(event, TransactionStarted))
    assert started.sample.soc_pct is None


def test_a_stuck_meter_shows_what_it_showed() -> None:
    bench = Bench()
    bench.run(10)
    outlet = bench.station.outlets[1]
    bench.station.stick_meter(stuck=True)
    shown = outlet.evse.register_wh
    bench.run(30)
    metered = [event for event in bench.told() if isinstance(event, Metered)]
    assert metered[-1].sample.register_wh == shown < outlet.evse.register_wh
    bench.station.stick_meter(stuck=False)
    bench.run(10)
    metered = [event for event in bench.told() if isinstance(event, Metered)]
    assert metered[-1].sample.register_wh > shown


def test_a_clock_set_back_does_not_stop_the_meter() -> None:
    bench = Bench()
    bench.run(12)
    bench.now -= timedelta(hours=1)
    before = len(bench.told())
    bench.run(11)
    assert len(bench.told()) > before


OBEDIENT = sorted(set(PERSONALITIES) - {"spikes-on-update", "phase-switch", "accepts-and-ignores"})
limits = st.one_of(st.just(0.0), st.floats(6, 32), st.floats(-20, -1))


@settings(max_examples=40, deadline=None)
@given(
    traits=st.lists(st.sampled_from(OBEDIENT), max_size=4),
    asked=st.lists(st.tuples(limits, st.floats(0.4, 20)), min_size=1, max_size=6),
)
def test_no_current_above_the_limits_of_the_last_second(
    traits: list[str], asked: list[tuple[float, float]]
) -> None:
    bench = Bench(*traits, max_discharge_w=11_040.0)
    outlet, exported_wh, imported_wh = bench.station.outlets[1], 0.0, 0.0
    lately: deque[float] = deque([32.0], maxlen=6)
    for limit, for_s in asked:
        bench.ask(limit)  # where it is refused the old one stays
        for _ in range(round(for_s / 0.2)):
            bench.run(0.2)
            lately.append(bench.station.limit(1, bench.now).current_a)
            assert min(0.0, *lately) - 1e-6 <= outlet.evse.current_a <= max(0.0, *lately) + 1e-6
            assert outlet.evse.register_wh >= imported_wh
            assert outlet.evse.export_wh >= exported_wh
            imported_wh, exported_wh = outlet.evse.register_wh, outlet.evse.export_wh
