"""What hangs on the circuit tree, each as one small picture: chargers, batteries, PV, the building.

A cell's flow is "in" when it takes power, "out" when it gives, "none" when it rests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from site_agent.domain.device import BatteryState, ChargerState, PvSetpoint, PvState
from site_agent.domain.site import ROOT
from site_agent.domain.why.answer import Seen, amps, kw
from site_agent.domain.why.index import Index
from site_agent.web.words import NA, Mark, charger_mark, percent, power

_REST_W = 100.0
_LONGEST = 15
"""Characters of a name that fit a cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One device in the single-line picture."""

    key: str
    icon: str
    """plug, battery, sun or house."""
    name: str
    figure: str
    line: str
    """A second line: the vehicle, the state of charge, the limit."""
    mark: Mark
    flow: str
    """in, out or none."""
    share: float | None = None
    """How much of what it may is used, 0 to 1; None: no bar."""
    url: str | None = None

    @property
    def label(self) -> str:
        """All of it in words."""
        return ", ".join(one for one in (self.name, self.mark.word, self.figure, self.line) if one)


def why_url(name: str) -> str:
    """The page that explains something."""
    return f"/why/{quote(name, safe='')}"


def short(name: str, most: int = _LONGEST) -> str:
    """A name that fits."""
    return name if len(name) <= most else f"{name[: most - 1]}\N{HORIZONTAL ELLIPSIS}"


def cells_by_node(index: Index) -> Mapping[str, list[Cell]]:
    """What hangs directly on each circuit node: building first, then PV, batteries, chargers."""
    found: dict[str, list[Cell]] = {ROOT: [_building(index.seen)]}
    for inverter, most in index.pv.values():
        found.setdefault(inverter.spec.node, []).append(_pv(index.seen, inverter, most))
    for battery, _ in index.batteries.values():
        found.setdefault(battery.spec.node, []).append(_battery(index.seen, battery))
    for charger in index.chargers.values():
        found.setdefault(charger.spec.node, []).append(_charger(index, charger))
    return found


def _building(seen: Seen) -> Cell:
    """The rest of the site: what the meter shows less all that is told of itself."""
    known_w = seen.decision.building_w
    made_w = sum(
        one.power_w.fresh(seen.snapshot.at, seen.snapshot.model.device_max_age) or 0.0
        for one in seen.snapshot.pv
    )
    rest_w = None if known_w is None else known_w - made_w
    mark = Mark("Not measured", "triangle", "warn") if rest_w is None else Mark("", "dot", "idle")
    return Cell(
        key="building",
        icon="house",
        name="Building",
        figure=power(rest_w),
        line="the rest of the site",
        mark=mark,
        flow=_flow(rest_w),
    )


def _pv(seen: Seen, state: PvState, setpoint: PvSetpoint) -> Cell:
    made_w = state.power_w.fresh(seen.snapshot.at, seen.snapshot.model.device_max_age)
    limit_w = setpoint.limit_w
    if not state.online:
        mark = Mark("Offline", "cross", "bad")
    elif limit_w is not None:
        mark = Mark("Limited", "down", "warn")
    else:
        mark = Mark("Free", "check", "ok")
    return Cell(
        key=state.spec.pv_id,
        icon="sun",
        name=state.spec.pv_id,
        figure=NA if made_w is None else kw(max(0.0, -made_w)),
        line=f"of {kw(state.spec.rated_w if limit_w is None else limit_w)}",
        mark=mark,
        flow=_flow(made_w),
        share=None if made_w is None else _share(-made_w, state.spec.rated_w),
        url=why_url(state.spec.pv_id),
    )


def _battery(seen: Seen, state: BatteryState) -> Cell:
    now, max_age = seen.snapshot.at, seen.snapshot.model.device_max_age
    power_w, soc = state.power_w.fresh(now, max_age), state.soc_pct.fresh(now, max_age)
    mark = Mark("Rests", "ring", "idle")
    if not state.online:
        mark = Mark("Offline", "cross", "bad")
    elif power_w is not None and power_w > _REST_W:
        mark = Mark("Charges", "play", "busy")
    elif power_w is not None and power_w < -_REST_W:
        mark = Mark("Discharges", "down", "busy")
    return Cell(
        key=state.spec.battery_id,
        icon="battery",
        name=state.spec.battery_id,
        figure=NA if power_w is None else kw(abs(power_w)),
        line=f"charge {percent(soc)}",
        mark=mark,
        flow=_flow(power_w),
        share=None if soc is None else _share(soc, 100.0),
        url=why_url(state.spec.battery_id),
    )


def _charger(index: Index, state: ChargerState) -> Cell:
    snapshot, name = index.seen.snapshot, state.spec.evse_id
    drawn_w = state.power_w.fresh(snapshot.at, snapshot.model.device_max_age)
    limit_a, need = index.limits[name].limit_a, index.needs.get(name)
    soc = state.soc_pct.value
    vehicle = "" if need is None else need.vehicle_id if need.known else "unknown vehicle"
    line = f"{short(vehicle, 12)} {soc:.0f} %" if vehicle and soc is not None else short(vehicle)
    limit_w = limit_a * state.spec.voltage_v * len(state.spec.phases)
    return Cell(
        key=name,
        icon="plug",
        name=name,
        figure=NA if drawn_w is None else kw(abs(drawn_w)),
        line=line or f"may take {amps(limit_a)}",
        mark=charger_mark(state, limit_a, need, drawn_w),
        flow=_flow(drawn_w),
        share=_share(drawn_w, limit_w) if drawn_w is not None and limit_w > 0 else None,
        url=why_url(name),
    )


def _flow(power_w: float | None) -> str:
    if power_w is None or abs(power_w) < _REST_W:
        return "none"
    return "in" if power_w > 0 else "out"


def _share(part: float, of: float) -> float:
    return min(1.0, max(0.0, part / of)) if of > 0 else 0.0
