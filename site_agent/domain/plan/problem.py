"""What a plan is made from, frozen: vehicles, batteries, limits, forecasts and prices by slot.

The first slot is the one that `now` lies in; what is said of it holds for the rest of it. Limits
and forecasts are powers, by the load convention: import and charging positive, PV negative.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from math import inf, isfinite

import numpy as np
from numpy.typing import NDArray

from site_agent.domain.horizon import Horizon, Series

MOST_SLOTS = 400
MOST_VEHICLES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanVehicle:
    """One stay: plugged in now, or expected."""

    key: str
    """Names this stay among all of the problem."""
    vehicle_id: str
    evse_id: str | None = None
    """Where it stands; None: not here yet, or not known where it will stand."""
    present: bool = True
    arrives: datetime
    """For one that is present, any time up to now."""
    departs: datetime
    required_wh: float
    """Still to be charged, Wh at the EVSE, >= 0."""
    max_power_w: float
    min_power_w: float = 0.0
    """Least it can charge with without a pause, W; the plan itself may ask for less."""
    rank: int = 0
    """Lower goes first when not all can be ready."""
    discharge_w: float = 0.0
    """Most it may give back, W as a magnitude; 0: it charges only."""
    spare_wh: float = 0.0
    """What it may give back of what it holds now before it is at its floor, Wh."""
    room_wh: float | None = None
    """What it can still hold, Wh; None: what it requires."""
    efficiency: float = 0.85
    """Of what is charged to replace what was given back, the share that was given back."""
    wear_per_kwh: float = 0.0
    """Of its battery for energy given back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanBattery:
    """A stationary battery. Powers are magnitudes at its terminals, W."""

    battery_id: str
    capacity_wh: float
    stored_wh: float
    """Now, Wh in its cells."""
    reserve_wh: float
    """It stays above; a battery found below it is brought back by the end of the plan."""
    max_charge_w: float
    max_discharge_w: float
    charge_efficiency: float = 1.0
    discharge_efficiency: float = 1.0
    wear_per_kwh: float = 0.0
    """For energy that comes out."""
    worth_per_kwh: float | None = None
    """Of what is stored at the end; None: what it costs to fill in the cheapest slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteLimits:
    """What the site must stay inside, by slot, each with its cause; see `envelope.Side`."""

    import_w: Series
    import_cause: tuple[str, ...]
    export_w: Series
    """<= 0; -inf: none."""
    export_cause: tuple[str, ...]
    load_w: Series
    """inf: none."""
    load_cause: tuple[str, ...]
    generation_w: Series
    """<= 0; -inf: none."""
    generation_cause: tuple[str, ...]
    storage_w: Series
    """What all batteries should do; NaN: free."""
    storage_cause: tuple[str, ...]
    store_w: Series
    """Most that all batteries may charge with; inf: as much as they can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeder:
    """One phase of a circuit node below the PCC: the current of all that hangs on it."""

    cause: str
    limit_a: float
    amps_per_w: Mapping[str, float]
    """By `PlanVehicle.key` or `battery_id`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandTerm:
    """A demand charge within one billing month."""

    name: str
    per_kw: float
    """What a kW more is taken to cost this plan."""
    so_far_w: float
    """The month's highest average so far, W: up to here demand costs nothing more."""
    windows: tuple[tuple[int, int], ...]
    """Slots `[first, end)` of each demand interval."""
    interval_h: float
    taken_wh: float = 0.0
    """Drawn so far in the interval that runs now, Wh."""
    counts_taken: bool = True
    """Whether the first window is the interval that runs now."""

    def members(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Every slot of every window: the number of the window, and the slot."""
        edges = np.array(self.windows, dtype=np.intp).reshape(-1, 2)
        first, length = edges[:, 0], edges[:, 1] - edges[:, 0]
        window = np.repeat(np.arange(len(edges)), length)
        begins = np.cumsum(length) - length
        return window, first[window] + np.arange(len(window)) - begins[window]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Everything a plan depends on.

    Raises:
        ValueError: a series has another length than the horizon, or holds what is no number, or
            there are too many slots or vehicles; the message says which.
    """

    now: datetime
    horizon: Horizon
    building_w: Series
    """Forecast of everything that cannot be moved, without PV."""
    pv_w: Series
    """Forecast of what PV could make, <= 0."""
    import_per_kwh: Series
    export_per_kwh: Series
    limits: SiteLimits
    vehicles: tuple[PlanVehicle, ...] = ()
    batteries: tuple[PlanBattery, ...] = ()
    feeders: tuple[Feeder, ...] = ()
    demand: tuple[DemandTerm, ...] = ()
    curtailable: bool = True
    """Whether PV takes limits."""
    currency: str = ""
    zone: tzinfo = field(default=UTC)
    """In which times are told to people."""

    def __post_init__(self) -> None:
        _checked_sizes(self)
        for name in ("building_w", "pv_w", "import_per_kwh", "export_per_kwh"):
            series: Series = getattr(self, name)
            if len(series) != self.horizon.count or not np.isfinite(series).all():
                raise ValueError(f"{name}: needs a number for each of {self.horizon.count} slots")
        if (self.pv_w > 0).any():
            raise ValueError("pv_w: generation is negative")
        for one in self.vehicles:
            numbers = (one.required_wh, one.max_power_w, one.discharge_w, one.spare_wh)
            if not all(isfinite(number) and number >= 0 for number in numbers):
                raise ValueError(f"{one.key}: energies and powers are numbers from 0 on")

    @property
    def present(self) -> Series:
        """How much of each slot is still to come, 0 to 1."""
        return self.horizon.share(self.now, self.horizon.end)


def _checked_sizes(problem: Problem) -> None:
    if problem.horizon.count > MOST_SLOTS:
        raise ValueError(f"a plan has at most {MOST_SLOTS} slots, not {problem.horizon.count}")
    if len(problem.vehicles) > MOST_VEHICLES:
        raise ValueError(f"a plan has at most {MOST_VEHICLES} stays, not {len(problem.vehicles)}")
    keys = {one.key for one in problem.vehicles}
    if len(keys) < len(problem.vehicles):
        raise ValueError("two stays have the same key")


def free_limits(horizon: Horizon, import_w: float, cause: str) -> SiteLimits:
    """An import limit and nothing else."""
    none = ("",) * horizon.count
    return SiteLimits(
        import_w=horizon.filled(import_w),
        import_cause=(cause,) * horizon.count,
        export_w=horizon.filled(-inf),
        export_cause=none,
        load_w=horizon.filled(inf),
        load_cause=none,
        generation_w=horizon.filled(-inf),
        generation_cause=none,
        storage_w=horizon.filled(np.nan),
        storage_cause=none,
        store_w=horizon.filled(inf),
    )
