"""Stations whose first word after a reconnect is the end of a transaction."""

from __future__ import annotations

import uuid
from datetime import datetime

from depot_sim.chargers.events import Context, EndReason, Transaction, TransactionEnded
from depot_sim.chargers.outlet import RECENT_SAMPLES
from depot_sim.chargers.station import Station


def end_something(station: Station, now: datetime) -> bool:
    """Put an end first in the queue, as the personality has it; whether there is one."""
    match station.personality.ends_first:
        case None:
            return False
        case "running":
            for outlet in station.outlets.values():
                station.end(outlet.id, EndReason.LOCAL, now)
        case _:
            _end_unknown(station, now)
    return station.outbox.ends_first()


def _end_unknown(station: Station, now: datetime) -> None:
    """End a transaction the central system has never heard of."""
    outlet = next(iter(station.outlets.values()))
    number = uuid.uuid4()
    unknown = Transaction(
        evse_id=outlet.id,
        id_tag="UNKNOWN",
        started_at=now,
        start_wh=0.0,
        ref=str(number if station.rules.own_transaction_ids else number.int % 2**31),
    )
    sample = station.sample(outlet, now, Context.END)
    station.outbox.put(
        TransactionEnded(
            at=now,
            transaction=unknown,
            reason=EndReason.LOCAL,
            sample=sample,
            earlier=(sample,) * RECENT_SAMPLES,
        )
    )
