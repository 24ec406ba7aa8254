"""What rules look at, as numbers of one instant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from site_agent.domain.decide.battery import charge_available_w, discharge_available_w
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.mode import Mode, surplus
from site_agent.domain.price import NO_PRICE, PriceView
from site_agent.domain.protect.envelope import Envelope
from site_agent.domain.site import SiteSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """A vehicle at a charger, as rules see it."""

    evse_id: str
    rated_w: float
    """Of the EVSE."""
    need: VehicleNeed | None = None
    """None: nothing is known of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """One instant; None is what is not known."""

    local: datetime
    """In the site's own zone."""
    price: PriceView = NO_PRICE
    soc_pct: float | None = None
    building_w: float | None = None
    surplus_w: float | None = None
    drawn_w: float | None = None
    """What the site draws beside its batteries, W; negative: it would export."""
    can_charge_w: float = 0.0
    can_discharge_w: float = 0.0
    """What batteries can do now, magnitudes."""
    event: bool = False
    mode: Mode | None = None
    present: tuple[Present, ...] = ()
    spare: timedelta | None = None
    """How long all vehicles together could wait and still be ready; None: not known."""


def circumstances(
    snapshot: SiteSnapshot,
    envelope: Envelope,
    zone: tzinfo,
    *,
    price: PriceView = NO_PRICE,
    mode: Mode | None = None,
) -> Circumstances:
    """What rules may look at, from one picture of the site and the limits that hold."""
    now, max_age = snapshot.at, snapshot.model.device_max_age
    drawn_w, building_w = _drawn(snapshot)
    needs = {need.evse_id: need for need in snapshot.needs}
    return Circumstances(
        local=now.astimezone(zone),
        price=price,
        soc_pct=_soc(snapshot),
        building_w=building_w,
        surplus_w=surplus(snapshot),
        drawn_w=drawn_w,
        can_charge_w=sum(charge_available_w(b, now, max_age) for b in snapshot.batteries),
        can_discharge_w=sum(discharge_available_w(b, now, max_age) for b in snapshot.batteries),
        event=envelope.event,
        mode=mode,
        present=tuple(
            Present(
                evse_id=one.spec.evse_id,
                rated_w=one.spec.max_current_a * one.spec.voltage_v * len(one.spec.phases),
                need=needs.get(one.spec.evse_id),
            )
            for one in snapshot.chargers
            if one.plugged or one.transaction_id is not None
        ),
        spare=None
        if building_w is None
        else spare(snapshot.needs, envelope.import_w.value - building_w, now),
    )


def spare(needs: Iterable[VehicleNeed], room_w: float, now: datetime) -> timedelta:
    """How long nobody need charge, so that all are ready with `room_w` from then on.

    Of every departure d: the energy due by d fits into the time to d. That is the demand bound of
    earliest-deadline-first scheduling (Baruah et al. 1990) with one machine of `room_w`; each
    vehicle alone has its laxity as well. Negative: not all will be ready.
    """
    order = sorted(needs, key=lambda need: need.departure)
    least = min((need.laxity(now) for need in order if need.required_wh > 0), default=_LONG)
    due_wh = 0.0
    for need in order:
        due_wh += need.required_wh
        if due_wh <= 0:
            continue
        if room_w <= 0:
            return -_LONG
        least = min(least, need.departure - now - timedelta(hours=due_wh / room_w))
    return least


_LONG = timedelta(days=365)


def _drawn(snapshot: SiteSnapshot) -> tuple[float | None, float | None]:
    """(what is drawn beside batteries, and beside chargers too), W."""
    now, max_age = snapshot.at, snapshot.model.device_max_age
    power = snapshot.pcc.power_w.fresh(now, snapshot.model.meter_max_age)
    stored = [one.power_w.fresh(now, max_age) for one in snapshot.batteries]
    if power is None or None in stored:
        return None, None
    drawn_w = power - sum(value for value in stored if value is not None)
    charging = sum(one.power_w.fresh(now, max_age) or 0.0 for one in snapshot.chargers)
    return drawn_w, drawn_w - charging


def _soc(snapshot: SiteSnapshot) -> float | None:
    """State of charge of all batteries that tell theirs, by capacity; None: nobody tells."""
    now, max_age = snapshot.at, snapshot.model.device_max_age
    known = [
        (soc, one.spec.capacity_wh)
        for one in snapshot.batteries
        if (soc := one.soc_pct.fresh(now, max_age)) is not None
    ]
    capacity_wh = sum(size for _, size in known)
    return sum(soc * size for soc, size in known) / capacity_wh if capacity_wh > 0 else None
