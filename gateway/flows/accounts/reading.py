"""From stored points to the energies of a month's slots."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import numpy as np

from contracts.site_link import points
from contracts.time import Interval
from gateway.domain.accounts.balance import Metered
from gateway.domain.accounts.grid import Numbers, SlotGrid
from gateway.ports.accounts import SlotReader, Slots

STEP = timedelta(minutes=5)
"""Every demand interval and every offset of a time zone is a whole number of these."""
_SITE = (points.PCC_POWER_W, points.PV_POWER_W, points.BATTERY_POWER_W, points.BATTERY_SOC_PCT)
_EVSE, _POWER = "evse/", "/power_w"


async def metered_month(reader: SlotReader, site_id: str, window: Interval) -> Metered:
    """What was measured over a closed window of whole steps.

    A point the site never told is no gap: it has no such device. One that it told at another time
    and not now is.
    """
    grid = SlotGrid(window=window, step=STEP)
    known = set(await reader.points(site_id))
    wanted = [one for one in _SITE if one in known]
    wanted += sorted(one for one in known if evse_of(one) is not None)
    found = {one: await reader.slots(site_id, one, window, STEP) for one in wanted}
    nothing = Slots(
        above_h=np.zeros(grid.count), below_h=np.zeros(grid.count), seconds=np.zeros(grid.count)
    )
    pcc, pv, battery = (found.get(one, nothing) for one in _SITE[:3])
    evses = {evse: one for point, one in found.items() if (evse := evse_of(point)) is not None}
    return Metered(
        grid=grid,
        import_wh=pcc.above_h,
        export_wh=-pcc.below_h,
        pv_wh=-pv.below_h,
        charged_wh=battery.above_h,
        discharged_wh=-battery.below_h,
        evse_wh={evse: one.above_h for evse, one in evses.items()},
        from_evse_wh=sum((-one.below_h for one in evses.values()), start=np.zeros(grid.count)),
        soc_pct=_mean(found.get(points.BATTERY_SOC_PCT, nothing)),
        covered_s=_covered(found),
    )


def evse_of(point: str) -> str | None:
    """The EVSE whose power a point is; None: it is another point."""
    inner = point.removeprefix(_EVSE).removesuffix(_POWER)
    return inner if points.evse_power_w(inner) == point else None


def _covered(found: Mapping[str, Slots]) -> dict[str, Numbers]:
    """By point, or by EVSE."""
    return {evse_of(point) or point: one.seconds for point, one in found.items()}


def _mean(one: Slots) -> Numbers:
    """Time-weighted mean of each slot; NaN where nothing is known."""
    whole = (one.above_h + one.below_h) * 3600.0
    return np.divide(whole, one.seconds, out=np.full_like(whole, np.nan), where=one.seconds > 0)
