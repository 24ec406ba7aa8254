"""What is expected of the coming hours, as far as readiness and offers depend on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

import numpy as np

from site_agent.domain.fleet.stay import ExpectedStay
from site_agent.domain.horizon import Horizon, Series
from site_agent.domain.protect.envelope import Bound, Envelope
from site_agent.domain.site import SiteSnapshot

LENGTH = timedelta(hours=24)
"""How far readiness and offers look ahead."""
_RISES = 0.5
"""How far a building of which nothing is known may rise towards its largest load."""
EnvelopeAt = Callable[[datetime], Envelope]
"""What bounds the site at an instant, as far as it is known now."""
ChangeAfter = Callable[[datetime], datetime | None]
"""When that next changes; None: never."""


def _never(_: datetime) -> datetime | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """The site's coming hours beside its chargers and batteries, in slots of a horizon."""

    horizon: Horizon
    """The slot that the present lies in comes first."""
    building_w: Series
    """All that cannot be steered, PV included, W: as likely more as less."""
    building_high_w: Series
    """The same, W: less in nine cases of ten."""
    import_w: Series
    """The import limit, W: contract, fuses, and every event known."""
    causes: tuple[str, ...]
    """What the import limit of each slot comes from."""
    expected: tuple[ExpectedStay, ...] = ()
    """Vehicles that are not plugged in yet."""
    wishes_w: Mapping[str, Series] = field(default_factory=dict)
    """What a plan wishes vehicles to charge with, W, by `evse_id`; absent: as soon as they can."""
    stored_wh: Mapping[str, Series] = field(default_factory=dict)
    """What a plan has in each battery at the start of every slot, Wh, by `battery_id`; absent: as
    much as now."""
    pv_w: Series | None = None
    """What PV is expected to make, W >= 0, which `building_w` includes; None: not known."""


def steady_ahead(
    snapshot: SiteSnapshot,
    building_w: float | None,
    envelope_at: EnvelopeAt,
    change_after: ChangeAfter = _never,
    *,
    length: timedelta = LENGTH,
    expected: tuple[ExpectedStay, ...] = (),
) -> Ahead:
    """Without a forecast: the building goes on as now, or at its largest without a meter (None)."""
    horizon = Horizon.around(snapshot.at, length)
    most_w = snapshot.model.max_building_w
    limits = import_limits(horizon, snapshot.at, envelope_at, change_after)
    likely_w = horizon.filled(most_w if building_w is None else building_w)
    high_w = likely_w + _RISES * max(0.0, most_w - float(likely_w[0]))
    return Ahead(
        horizon=horizon,
        building_w=likely_w,
        building_high_w=high_w,
        import_w=np.array([limit.value for limit in limits]),
        causes=tuple(limit.cause for limit in limits),
        expected=expected,
    )


def import_limits(
    horizon: Horizon, now: datetime, envelope_at: EnvelopeAt, change_after: ChangeAfter
) -> tuple[Bound, ...]:
    """The tightest import limit that holds at any time in each slot, from `now` on."""
    at: datetime | None = now
    limits: list[Bound | None] = [None] * horizon.count
    while at is not None and at < horizon.end:
        bound, until = envelope_at(at).import_w, change_after(at)
        first = max(0, horizon.slot(at))
        last = horizon.count if until is None else ceil((until - horizon.start) / horizon.step)
        for slot in range(first, min(horizon.count, last)):
            present = limits[slot]
            limits[slot] = bound if present is None or bound.value < present.value else present
        at = until
    return tuple(limit for limit in limits if limit is not None)
