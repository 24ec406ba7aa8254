"""What a run is judged by: demand, limits, energy, who was ready."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from gridyard.simulate.world import World

WINDOW_S = 900.0
"""Of the demand that is measured and billed: a quarter of an hour."""
_TINY_W = 1.0
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stayed:
    """A vehicle at a plug, as it really was."""

    vehicle_id: str
    evse_id: str
    since: datetime
    until: datetime
    energy_wh: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A vehicle as it left."""

    vehicle_id: str
    departs: datetime
    required_soc_pct: float
    soc_pct: float
    missing_wh: float
    """At the plug, up to what it needed, Wh; 0: ready."""
    arrived_soc_pct: float
    plugs: int
    """At how many plugs it was."""

    @property
    def ready(self) -> bool:
        """Whether it had what it needed, within a tenth of a per cent of its charge."""
        return self.soc_pct >= self.required_soc_pct - 0.1


@dataclass(slots=True)
class Over:
    """Time above a bound: the longest at a stretch, the whole, and the most."""

    limit: float
    longest_s: float = 0.0
    total_s: float = 0.0
    most: float = 0.0
    _since_s: float = 0.0

    def note(self, value: float, dt_s: float) -> None:
        """`value` held for `dt_s`."""
        self.most = max(self.most, value)
        if value <= self.limit:
            self._since_s = 0.0
            return
        self._since_s += dt_s
        self.total_s += dt_s
        self.longest_s = max(self.longest_s, self._since_s)


@dataclass(slots=True)
class Trace:
    """One value a minute of what flows, W."""

    minute: list[float] = field(default_factory=list)
    import_w: list[float] = field(default_factory=list)
    building_w: list[float] = field(default_factory=list)
    pv_w: list[float] = field(default_factory=list)
    storage_w: list[float] = field(default_factory=list)
    charging_w: list[float] = field(default_factory=list)

    def note(self, world: World, import_w: float) -> None:
        """As it is now."""
        self.minute.append(world.t_s / 60.0)
        self.import_w.append(import_w)
        self.building_w.append(world.building_w)
        self.pv_w.append(world.pv_w)
        self.storage_w.append(world.storage_w)
        self.charging_w.append(world.charging_w)


class Recorder:
    """Notes what flows in every step."""

    def __init__(self, limit_w: float, node_limits_a: dict[str, float]) -> None:
        self._times: list[float] = [0.0]
        self._energy_wh: list[float] = [0.0]
        self.power = Over(limit_w)
        self.nodes = {name: Over(limit_a) for name, limit_a in node_limits_a.items()}
        self.trace = Trace()
        self.export_wh = self.import_wh = 0.0
        self._next_s = 0.0

    def note(self, world: World, dt_s: float) -> None:
        """What the world shows has flowed for `dt_s` up to now."""
        import_w, nodes_a = world.import_w, world.node_a()
        self.power.note(import_w - _TINY_W, dt_s)
        for name, over in self.nodes.items():
            over.note(nodes_a.get(name, 0.0) - 0.01, dt_s)
        self._times.append(world.t_s)
        self._energy_wh.append(self._energy_wh[-1] + import_w * dt_s / 3600.0)
        self.import_wh += max(0.0, import_w) * dt_s / 3600.0
        self.export_wh += max(0.0, -import_w) * dt_s / 3600.0
        if world.t_s >= self._next_s:
            self._next_s = world.t_s + 60.0
            self.trace.note(world, import_w)

    def demand_w(self, *, rolling: bool = True) -> Array:
        """Mean of every quarter of an hour, W: of every minute's last 15, or (not `rolling`) each.

        Linear between notes, which is exact: power is constant in a step.
        """
        step = 60.0 if rolling else WINDOW_S
        ends = np.arange(WINDOW_S, self._times[-1] + 0.5, step)
        energy = np.interp(ends, self._times, self._energy_wh)
        before = np.interp(ends - WINDOW_S, self._times, self._energy_wh)
        mean: Array = (energy - before) * 3600.0 / WINDOW_S
        return mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One run."""

    scenario: str
    strategy: str
    seed: int
    begin: datetime
    left: tuple[Left, ...]
    stays: tuple[Stayed, ...]
    limit_w: float
    demand_w: float
    """Highest mean of any 15 minutes, W."""
    peak_w: float
    over_s: float
    """Longest time above the limit at a stretch, s."""
    over_total_s: float
    nodes_over_s: float
    """The same of the worst node of the circuit tree."""
    import_wh: float
    export_wh: float
    pv_wh: float
    pv_used_wh: float
    charged_wh: float
    swaps: int
    decisions: int
    decide_s: float
    """Computing time of all decisions, s."""
    wall_s: float
    quarters_w: tuple[float, ...]
    """Mean of every quarter of an hour from `begin` on, W."""
    trace: Trace
    cost: float | None = None
    """In the tariff's currency; None without a tariff."""

    @property
    def ready(self) -> int:
        """How many vehicles were."""
        return sum(one.ready for one in self.left)

    @property
    def all_ready(self) -> bool:
        """Whether every vehicle was."""
        return all(one.ready for one in self.left)

    @property
    def missing_wh(self) -> float:
        """What all together missed, Wh at the plug."""
        return sum(one.missing_wh for one in self.left)

    @property
    def within_limit(self) -> bool:
        """15-minute demand never above the limit, and never above it for more than a second."""
        return self.demand_w <= self.limit_w + _TINY_W and self.over_s <= 1.0 + 1e-6

    def quarter_ends(self) -> list[datetime]:
        """When the quarters of `quarters_w` end."""
        return [
            self.begin + timedelta(seconds=WINDOW_S * (i + 1)) for i in range(len(self.quarters_w))
        ]
