"""A plan and the month's demand as text, so that a restart goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta, tzinfo
from typing import Any

import numpy as np

from contracts.time import as_utc
from site_agent.domain.horizon import Horizon, Series
from site_agent.domain.plan.schedule import BatteryPlan, Cost, DemandPlan, Schedule, VehiclePlan
from site_agent.domain.tariff.demand import DemandRecord

VERSION = 1
_SERIES = ("building_w", "pv_w", "curtailed_w", "net_w", "import_per_kwh", "export_per_kwh")


def schedule_text(schedule: Schedule) -> str:
    """The plan, its series rounded to a tenth of a watt and to prices of five digits."""
    return json.dumps(
        {
            "version": VERSION,
            "made_at": schedule.made_at.isoformat(),
            "currency": schedule.currency,
            "start": schedule.horizon.start.isoformat(),
            "count": schedule.horizon.count,
            "step_s": schedule.horizon.step.total_seconds(),
            "vehicles": [_vehicle_tree(one) for one in schedule.vehicles],
            "batteries": [
                {
                    "battery_id": one.battery_id,
                    "power_w": _listed(one.power_w),
                    "stored_wh": _listed(one.stored_wh),
                }
                for one in schedule.batteries
            ],
            "bound_by": schedule.bound_by,
            "demand": [{**asdict(one), "slots": sorted(one.slots)} for one in schedule.demand],
            "cost": asdict(schedule.cost),
            **{name: _listed(getattr(schedule, name)) for name in _SERIES},
        }
    )


def schedule_of(text: str, zone: tzinfo) -> Schedule | None:
    """The plan again, on the site's clock; None where another version wrote it.

    Raises:
        ValueError, KeyError, TypeError: it is no plan.
    """
    tree: dict[str, Any] = json.loads(text)
    if tree.get("version") != VERSION:
        return None
    horizon = Horizon(
        start=_instant(tree["start"]),
        count=int(tree["count"]),
        step=timedelta(seconds=float(tree["step_s"])),
    )
    return Schedule(
        made_at=_instant(tree["made_at"]),
        zone=zone,
        currency=str(tree["currency"]),
        horizon=horizon,
        vehicles=tuple(_vehicle(one, horizon) for one in tree["vehicles"]),
        batteries=tuple(
            BatteryPlan(
                battery_id=one["battery_id"],
                power_w=_series(one["power_w"], horizon),
                stored_wh=_series(one["stored_wh"], horizon),
            )
            for one in tree["batteries"]
        ),
        bound_by=tuple(tree["bound_by"]),
        demand=tuple(
            DemandPlan(**{**one, "slots": frozenset(one["slots"])}) for one in tree["demand"]
        ),
        cost=Cost(**tree["cost"]),
        building_w=_series(tree["building_w"], horizon),
        pv_w=_series(tree["pv_w"], horizon),
        curtailed_w=_series(tree["curtailed_w"], horizon),
        net_w=_series(tree["net_w"], horizon),
        import_per_kwh=_series(tree["import_per_kwh"], horizon),
        export_per_kwh=_series(tree["export_per_kwh"], horizon),
    )


def record_text(record: DemandRecord) -> str:
    """The month's demand so far."""
    return json.dumps(
        {
            "version": VERSION,
            "at": None if record.at is None else record.at.isoformat(),
            "power_w": record.power_w,
            "window": None if record.window is None else record.window.isoformat(),
            "taken_wh": record.taken_wh,
            "peaks_w": [[name, *month, watts] for (name, month), watts in record.peaks_w.items()],
        }
    )


def record_of(text: str) -> DemandRecord | None:
    """The month's demand again; raises as `schedule_of`."""
    tree: dict[str, Any] = json.loads(text)
    if tree.get("version") != VERSION:
        return None
    return DemandRecord(
        at=None if tree["at"] is None else _instant(tree["at"]),
        power_w=float(tree["power_w"]),
        window=None if tree["window"] is None else _instant(tree["window"]),
        taken_wh=float(tree["taken_wh"]),
        peaks_w={
            (str(name), (int(year), int(month))): float(watts)
            for name, year, month, watts in tree["peaks_w"]
        },
    )


def _vehicle_tree(one: VehiclePlan) -> dict[str, object]:
    tree = {name: getattr(one, name) for name in _VEHICLE}
    return {**tree, "departs": one.departs.isoformat(), "power_w": _listed(one.power_w)}


_VEHICLE = (
    "key",
    "vehicle_id",
    "evse_id",
    "present",
    "required_wh",
    "max_power_w",
    "min_power_w",
    "shortfall_wh",
    "later_wh",
    "reason",
)


def _vehicle(tree: Mapping[str, Any], horizon: Horizon) -> VehiclePlan:
    return VehiclePlan(
        departs=_instant(tree["departs"]),
        power_w=_series(tree["power_w"], horizon),
        **{name: tree[name] for name in _VEHICLE},
    )


def _listed(values: Series) -> list[float]:
    return [float(f"{value:.6g}") for value in values.tolist()]


def _series(values: list[float], horizon: Horizon) -> Series:
    series = np.array(values, dtype=np.float64)
    if series.shape != (horizon.count,):
        raise ValueError("a series of another length")
    return series


def _instant(text: str) -> datetime:
    return as_utc(datetime.fromisoformat(text))
