"""One picture with everything in it at hand by its name, so that many questions cost little."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from site_agent.domain.device import (
    BatterySetpoint,
    BatteryState,
    ChargerSetpoint,
    ChargerState,
    PvSetpoint,
    PvState,
)
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.leases import LeaseHeld, leases
from site_agent.domain.protect.circuit import PhaseLoads
from site_agent.domain.why.answer import Prospect, Seen
from site_agent.domain.why.limits import Use, granted, node_loads, use_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A picture, indexed. The keys are the ids of devices and vehicles, or causes of limits."""

    seen: Seen
    chargers: Mapping[str, ChargerState]
    limits: Mapping[str, ChargerSetpoint]
    batteries: Mapping[str, tuple[BatteryState, BatterySetpoint]]
    pv: Mapping[str, tuple[PvState, PvSetpoint]]
    needs: Mapping[str, VehicleNeed]
    """By EVSE."""
    vehicles: Mapping[str, VehicleNeed]
    prospects: Mapping[str, Prospect]
    leases: Mapping[str, LeaseHeld]
    uses: Mapping[str, Use]
    """Of the limits that bind any charger."""
    charging: Counter[str]
    """How many charge under each limit that binds them."""
    waiting: Counter[str]
    """How many get nothing because of it."""
    loads: PhaseLoads
    """Measured, by node and phase; see `node_loads`."""


def index_of(seen: Seen) -> Index:
    """Everything of a picture by its name."""
    snapshot, decision = seen.snapshot, seen.decision
    given = granted(seen)
    causes = {one.bound_by for one in decision.chargers if one.bound_by}
    uses = ((cause, use_of(seen, cause, given)) for cause in causes)
    return Index(
        seen=seen,
        chargers={one.spec.evse_id: one for one in snapshot.chargers},
        limits={one.evse_id: one for one in decision.chargers},
        batteries={
            told.battery_id: (state, told)
            for state, told in zip(snapshot.batteries, decision.batteries, strict=True)
        },
        pv={
            told.pv_id: (state, told) for state, told in zip(snapshot.pv, decision.pv, strict=True)
        },
        needs={need.evse_id: need for need in snapshot.needs},
        vehicles={need.vehicle_id: need for need in reversed(snapshot.needs)},
        prospects={one.vehicle_id: one for one in reversed(seen.prospects)},
        leases={lease.device_id: lease for lease in leases(snapshot)},
        uses={cause: use for cause, use in uses if use is not None},
        charging=Counter(one.bound_by for one in decision.chargers if one.limit_a > 0),
        waiting=Counter(one.bound_by for one in decision.chargers if one.limit_a == 0),
        loads=node_loads(snapshot),
    )
