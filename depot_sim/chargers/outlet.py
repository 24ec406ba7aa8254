"""One outlet of a station: the physics of it plus what OCPP knows about it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from depot_sim.chargers.events import Context, Sample, Status, Transaction
from depot_sim.chargers.profiles import Limit, Situation
from depot_sim.physics.evse import Evse

RECENT_SAMPLES = 3
"""So many samples of the past are remembered."""


@dataclass(slots=True, kw_only=True)
class Outlet:
    """An EVSE with its one connector.

    `tag_shown` is a tag still waiting for the central system's word; `finished` says that the
    vehicle on the cable has had its transaction.
    """

    id: int
    evse: Evse
    status: Status = Status.AVAILABLE
    transaction: Transaction | None = None
    tag_shown: str | None = None
    finished: bool = False
    operative: bool = True
    operative_next: bool | None = None
    """Availability that waits for the end of the transaction."""
    sampled_at: datetime | None = None
    recent: deque[Sample] = field(default_factory=lambda: deque(maxlen=RECENT_SAMPLES))
    meter_stuck_at: Evse | None = None
    """While the meter is stuck it shows this."""

    def situation(self, sharing: int) -> Situation:
        """What the profiles need to know; `sharing` outlets share the station's maximum."""
        transaction = self.transaction
        return Situation(
            evse_id=self.id,
            phases=self.evse.usable_phases,
            in_transaction=transaction is not None,
            transaction_id=transaction.ref if transaction else None,
            started_at=transaction.started_at if transaction else None,
            voltage_v=self.evse.voltage_v,
            rated_a=self.evse.rated_a,
            sharing=sharing,
        )

    def status_under(self, limit: Limit, *, reserved: bool = False) -> Status:
        """The status this outlet shows under a limit."""
        vehicle = self.evse.vehicle
        if not self.operative and self.transaction is None:
            return Status.UNAVAILABLE
        if vehicle is None:
            return Status.RESERVED if reserved else Status.AVAILABLE
        if self.transaction is None:
            return Status.FINISHING if self.finished else Status.PREPARING
        if self.evse.suspends(limit.current_a):
            return Status.SUSPENDED_EVSE
        if limit.current_a < 0.0:
            return Status.CHARGING if vehicle.max_discharge_w else Status.SUSPENDED_EV
        return Status.CHARGING if vehicle.acceptance_w(dc=self.evse.dc) else Status.SUSPENDED_EV

    def is_free(self, *, plugged: bool) -> bool:
        """Whether a transaction could begin: at once, or as soon as a vehicle comes."""
        there = self.evse.vehicle is not None
        return self.operative and self.transaction is None and there == plugged

    def over(self) -> None:
        """Its transaction has ended."""
        self.transaction, self.finished = None, True
        if self.operative_next is not None:
            self.set_operative(operative=self.operative_next)

    def set_operative(self, *, operative: bool) -> None:
        """Take it in or out of service, now or after its transaction."""
        if self.transaction is None:
            self.operative, self.operative_next = operative, None
        else:
            self.operative_next = None if operative == self.operative else operative

    def sample(self, now: datetime, context: Context) -> Sample:
        """The meter as it stands."""
        evse = self.meter_stuck_at or self.evse
        vehicle = evse.vehicle
        return Sample(
            at=now,
            context=context,
            power_w=evse.power_w,
            register_wh=evse.register_wh,
            export_wh=evse.export_wh,
            currents_a=tuple(
                evse.current_a if phase < evse.phases_in_use else 0.0
                for phase in range(evse.phases)
            ),
            voltage_v=evse.voltage_v,
            soc_pct=vehicle.soc_pct if vehicle and vehicle.reports_soc else None,
        )

    def sample_due(self, now: datetime, interval_s: int) -> bool:
        """Whether a periodic sample is due; keeps to the interval's own grid when asked in time."""
        if self.transaction is None or interval_s <= 0:
            return False
        interval = timedelta(seconds=interval_s)
        last = self.sampled_at or self.transaction.started_at
        if timedelta() <= now - last < interval:  # below: the clock was set back
            return False
        self.sampled_at = last + interval if interval <= now - last < 2 * interval else now
        return True
