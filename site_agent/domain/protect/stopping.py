"""Which charger that knows no limits must be stopped, because nothing else is left to give way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from site_agent.domain.device import PHASES, ChargerState
from site_agent.domain.protect.envelope import Envelope
from site_agent.domain.site import ROOT, SiteSnapshot


def must_stop(
    snapshot: SiteSnapshot, envelope: Envelope, limits: Mapping[str, float]
) -> str | None:
    """The `evse_id` of the charger to stop now, one at a time; None: none.

    Only when the site is measured above its limit or its fuse while every vehicle that can be
    paused already is: ending a transaction costs a vehicle its departure. Who ranks last, and
    among equals who leaves last, goes first.
    """
    running = [c for c in snapshot.chargers if not c.controllable and c.transaction_id is not None]
    if not running or not _exceeded(snapshot, envelope):
        return None
    paused = all(
        limits.get(c.spec.evse_id, 0.0) <= 0 and not c.confirmed_limit_a
        for c in snapshot.chargers
        if c.controllable and c.online and c.pausable and c.transaction_id is not None
    )
    if not paused:
        return None
    needs = {need.evse_id: (need.rank, need.departure) for need in snapshot.needs}

    def order(charger: ChargerState) -> tuple[int, datetime, str]:
        rank, departure = needs.get(charger.spec.evse_id, (0, snapshot.at))
        return rank, departure, charger.spec.evse_id

    return max(running, key=order).spec.evse_id


def _exceeded(snapshot: SiteSnapshot, envelope: Envelope) -> bool:
    max_age = snapshot.model.meter_max_age
    power_w = snapshot.pcc.power_w.fresh(snapshot.at, max_age)
    if power_w is not None and power_w > envelope.import_w.value:
        return True
    currents = (snapshot.pcc.current_a[phase - 1].fresh(snapshot.at, max_age) for phase in PHASES)
    fuse_a = envelope.node_current_a[ROOT].value
    return any(current is not None and current > fuse_a for current in currents)
