"""Builders of metered months, sessions and tariffs, small enough to be checked by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np

from contracts.reading import Quality
from contracts.site_link.points import PCC_POWER_W
from contracts.time import Interval
from gateway.domain.accounts.balance import Metered
from gateway.domain.accounts.grid import Numbers, SlotGrid
from gateway.domain.accounts.session import ChargingSession
from gateway.domain.accounts.terms import DemandTerm, PricePeriod, Terms

START = datetime(2026, 10, 1, tzinfo=UTC)
STEP = timedelta(minutes=15)


def grid_of(count: int, start: datetime = START, step: timedelta = STEP) -> SlotGrid:
    return SlotGrid(window=Interval.lasting(start, count * step), step=step)


def metered(
    count: int,
    *,
    pcc: Sequence[float] = (),
    pv: Sequence[float] = (),
    battery: Sequence[float] = (),
    evses: Mapping[str, Sequence[float]] | None = None,
    soc: Sequence[float] = (),
    covered: Mapping[str, Sequence[float]] | None = None,
) -> Metered:
    """Wh a slot, by the load convention; what is not given is 0 and known."""
    grid = grid_of(count)

    def wh(values: Sequence[float]) -> Numbers:
        return np.array(values, dtype=np.float64) if len(values) else np.zeros(count)

    at_evses = {name: wh(values) for name, values in (evses or {}).items()}
    whole = np.full(count, grid.seconds)
    covered_s = {PCC_POWER_W: whole, **dict.fromkeys(at_evses, whole)}
    covered_s |= {name: wh(values) for name, values in (covered or {}).items()}
    back = [np.maximum(0.0, -one) for one in at_evses.values()]
    return Metered(
        grid=grid,
        import_wh=np.maximum(0.0, wh(pcc)),
        export_wh=np.maximum(0.0, -wh(pcc)),
        pv_wh=np.maximum(0.0, -wh(pv)),
        charged_wh=np.maximum(0.0, wh(battery)),
        discharged_wh=np.maximum(0.0, -wh(battery)),
        evse_wh={name: np.maximum(0.0, one) for name, one in at_evses.items()},
        from_evse_wh=sum(back, start=np.zeros(count)),
        soc_pct=wh(soc) if len(soc) else np.full(count, np.nan),
        covered_s=covered_s,
    )


def session(
    name: str, evse_id: str, first: int, end: int, *, vehicle: str = "van-1", wh: float = 1e4
) -> ChargingSession:
    """One over the slots `first` to `end`."""
    return ChargingSession(
        session_id=name,
        evse_id=evse_id,
        vehicle_id=vehicle,
        started_at=START + first * STEP,
        ended_at=START + end * STEP,
        register_wh=wh,
        quality=Quality.GOOD,
    )


def terms(
    count: int,
    *,
    prices: Sequence[tuple[int, str, str]] = ((0, "flat", "0.20"),),
    per_kw: str | None = None,
    fixed: str = "0",
    export: str | None = None,
) -> Terms:
    """`prices`: from which slot on, name, per kWh."""
    end = START + count * STEP
    starts = [START + first * STEP for first, _, _ in prices] + [end]
    window = Interval(start=START, end=end)
    return Terms(
        tariff="test",
        source="made up",
        currency="EUR",
        imports=tuple(
            PricePeriod(
                interval=Interval(start=starts[i], end=starts[i + 1]),
                per_kwh=Decimal(price),
                name=name,
            )
            for i, (_, name, price) in enumerate(prices)
        ),
        exports=()
        if export is None
        else (PricePeriod(interval=window, per_kwh=Decimal(export), name="fed in"),),
        demand=()
        if per_kw is None
        else (DemandTerm(name="any hour", per_kw=Decimal(per_kw), hours=(window,)),),
        fixed=Decimal(fixed),
    )
