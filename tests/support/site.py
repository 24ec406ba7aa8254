"""Short ways to say a depot, its devices and its limits in the site agent's tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from contracts.reading import Quality, Reading
from contracts.site_link.messages import Fallback, Instruction, InstructionStep
from contracts.time import Interval
from site_agent.domain.device import (
    PHASES,
    BatterySpec,
    BatteryState,
    ChargerSpec,
    ChargerState,
    Lapse,
    MeterState,
    PvSpec,
    PvState,
)
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.instruction import Bounds, ScheduleStep, SiteInstruction
from site_agent.domain.protect.envelope import Envelope, combine
from site_agent.domain.protect.limits import limits_at
from site_agent.domain.site import ROOT, CircuitNode, SiteModel, SiteSnapshot

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
LONG_AGO = NOON - timedelta(hours=1)
W_PER_A = 690.0
"""Of a three-phase charger at nominal voltage."""


def reading(value: float | None, at: datetime = NOON) -> Reading:
    return (
        Reading.missing(at) if value is None else Reading(value=value, quality=Quality.GOOD, at=at)
    )


def charger_spec(
    evse_id: str = "a",
    node: str = ROOT,
    *,
    phases: tuple[int, ...] = PHASES,
    max_a: float = 32.0,
    fail_safe_a: float = 6.0,
) -> ChargerSpec:
    return ChargerSpec(
        evse_id=evse_id,
        node=node,
        phases=phases,
        max_current_a=max_a,
        fail_safe_current_a=fail_safe_a,
    )


def charger(
    spec: ChargerSpec | str = "a",
    *,
    drawn_a: float | None = 0.0,
    limit_a: float | None = None,
    since: datetime = LONG_AGO,
    plugged: bool = True,
    online: bool = True,
    obeys: bool = True,
    at: datetime = NOON,
    tag: str | None = None,
    soc_pct: float | None = None,
    energy_wh: float | None = None,
) -> ChargerState:
    """A charger; with a vehicle unless told otherwise, its limit long in force."""
    spec = charger_spec(spec) if isinstance(spec, str) else spec
    power = None if drawn_a is None else drawn_a * spec.voltage_v * len(spec.phases)
    return ChargerState(
        spec=spec,
        online=online,
        plugged=plugged,
        transaction_id="t" if plugged else None,
        id_tag=tag,
        power_w=reading(power, at),
        current_a=reading(drawn_a, at),
        energy_wh=reading(energy_wh, at),
        soc_pct=reading(soc_pct, at),
        confirmed_limit_a=limit_a,
        limit_in_force_since=None if limit_a is None else since,
        obeys=obeys,
    )


def battery(
    *,
    power_w: float | None = 0.0,
    soc_pct: float | None = 50.0,
    online: bool = True,
    confirmed_w: float | None = None,
    since: datetime = LONG_AGO,
    capacity_wh: float = 100_000.0,
    rated_w: float = 50_000.0,
    battery_id: str = "battery",
    lapse: Lapse = Lapse.DEVICE,
) -> BatteryState:
    spec = BatterySpec(
        battery_id=battery_id,
        node=ROOT,
        capacity_wh=capacity_wh,
        max_charge_w=rated_w,
        max_discharge_w=rated_w,
        lapse=lapse,
    )
    return BatteryState(
        spec=spec,
        online=online,
        power_w=reading(power_w),
        soc_pct=reading(soc_pct),
        confirmed_w=confirmed_w,
        in_force_since=None if confirmed_w is None else since,
    )


def pv(
    power_w: float | None = 0.0,
    *,
    rated_w: float = 40_000.0,
    online: bool = True,
    takes_limits: bool = True,
    obeys: bool = True,
    pv_id: str = "pv",
) -> PvState:
    spec = PvSpec(pv_id=pv_id, node=ROOT, rated_w=rated_w, lapse=Lapse.DEVICE)
    return PvState(
        spec=spec,
        online=online,
        power_w=reading(power_w),
        takes_limits=takes_limits,
        obeys=obeys,
    )


def meter(
    power_w: float | None, at: datetime = NOON, current_a: Sequence[float | None] = (None,) * 3
) -> MeterState:
    one, two, three = (reading(amps, at) for amps in current_a)
    return MeterState(
        power_w=reading(power_w, at), current_a=(one, two, three), import_wh=reading(0.0, at)
    )


def need(
    evse_id: str = "a",
    *,
    wh: float = 20_000.0,
    hours: float = 4.0,
    max_w: float = 22_080.0,
    rank: int = 0,
    known: bool = True,
) -> VehicleNeed:
    return VehicleNeed(
        evse_id=evse_id,
        vehicle_id=f"van-{evse_id}",
        required_wh=wh,
        departure=NOON + timedelta(hours=hours),
        max_power_w=max_w,
        rank=rank,
        known=known,
    )


def model(
    chargers: Iterable[ChargerSpec] = (),
    *,
    nodes: Sequence[CircuitNode] = (),
    root_a: float = 400.0,
    contract_w: float = 200_000.0,
    max_building_w: float = 50_000.0,
    batteries: Iterable[BatterySpec] = (),
    pv_specs: Iterable[PvSpec] = (),
) -> SiteModel:
    return SiteModel(
        site_id="depot",
        nodes=(CircuitNode(node_id=ROOT, parent=None, limit_a=root_a), *nodes),
        chargers=tuple(chargers),
        batteries=tuple(batteries),
        pv=tuple(pv_specs),
        contract_limit_w=contract_w,
        max_building_w=max_building_w,
    )


def snapshot(
    *,
    building_w: float | None = 10_000.0,
    chargers: Sequence[ChargerState] = (),
    batteries: Sequence[BatteryState] = (),
    pv_states: Sequence[PvState] = (),
    needs: Sequence[VehicleNeed] = (),
    of: SiteModel | None = None,
    pcc_at: datetime = NOON,
) -> SiteSnapshot:
    """A depot at noon whose meter shows the building and all that is drawn; None: stale meter."""
    drawn = [c.power_w.value or 0.0 for c in chargers]
    drawn += [b.power_w.value or 0.0 for b in batteries]
    drawn += [p.power_w.value or 0.0 for p in pv_states]
    pcc_w = None if building_w is None else building_w + sum(drawn)
    return SiteSnapshot(
        at=NOON,
        model=of
        or model(
            [c.spec for c in chargers],
            batteries=[b.spec for b in batteries],
            pv_specs=[p.spec for p in pv_states],
        ),
        pcc=meter(pcc_w, pcc_at),
        chargers=tuple(chargers),
        batteries=tuple(batteries),
        pv=tuple(pv_states),
        needs=tuple(needs),
    )


def envelope(
    of: SiteModel,
    event_w: float | None = None,
    export_w: float | None = None,
    *,
    load_w: float | None = None,
    generation_w: float | None = None,
    storage_w: float | None = None,
    energize: bool | None = None,
    standing: bool = False,
) -> Envelope:
    """The standing limits of a site, and what an event `e1` asks for."""
    bounds = Bounds(
        import_w=event_w,
        export_w=export_w,
        load_w=load_w,
        generation_w=generation_w,
        storage_w=storage_w,
        energize=energize,
    )
    hour = Interval(start=NOON, end=NOON + timedelta(hours=1))
    event = SiteInstruction(
        instruction_id="i1",
        event_id="e1",
        site_seq=1,
        start=NOON,
        expires_at=NOON + timedelta(hours=1),
        steps=(ScheduleStep(interval=hour, bounds=bounds),),
        fallback=Bounds(),
        standing=standing,
    )
    return combine(limits_at(of, [event], NOON))


def instruction(
    *limits_w: float | None,
    seq: int = 1,
    event_id: str = "e1",
    start: datetime = NOON,
    step: timedelta = timedelta(minutes=30),
    expires_at: datetime | None = None,
    fallback_w: float | None = None,
    export_w: float | None = None,
    load_w: float | None = None,
    generation_w: float | None = None,
    storage_w: float | None = None,
    energize: bool | None = None,
    site_id: str = "depot",
    cause: str = "",
) -> Instruction:
    """Consecutive steps of these import limits; expires with the last one unless told otherwise."""
    steps = tuple(
        InstructionStep(
            start=start + n * step,
            end=start + (n + 1) * step,
            import_limit_w=limit_w,
            export_limit_w=export_w,
            load_limit_w=load_w,
            generation_limit_w=generation_w,
            storage_power_w=storage_w,
            energize=energize,
        )
        for n, limit_w in enumerate(limits_w)
    )
    return Instruction(
        instruction_id=f"i{seq}",
        site_id=site_id,
        site_seq=seq,
        event_id=event_id,
        program_id="program",
        issued_at=start - timedelta(minutes=5),
        start=start,
        expires_at=expires_at or start + max(1, len(steps)) * step,
        steps=steps,
        fallback=Fallback(import_limit_w=fallback_w),
        cause=cause,
    )
