"""1.6 words for what a station knows, and back. Pure."""

from __future__ import annotations

from datetime import datetime

from depot_sim.chargers import schedules
from depot_sim.chargers.events import EndReason, Sample
from depot_sim.chargers.json_rpc import Json, instant_in, timestamp
from depot_sim.chargers.local_list import Listed
from depot_sim.chargers.profiles import ChargingProfile, Purpose, Selection

_PHASES = ("L1", "L2", "L3")
PURPOSES = {
    "ChargePointMaxProfile": Purpose.STATION_MAX,
    "TxDefaultProfile": Purpose.TX_DEFAULT,
    "TxProfile": Purpose.TX,
}
END_REASONS = {reason: reason.value for reason in EndReason} | {EndReason.RESET: "HardReset"}
"""Reasons of StopTransaction."""


def meter_value(sample: Sample) -> Json:
    """One MeterValue element: power, energy, current and voltage per phase, state of charge."""
    word, voltage = sample.context.value, f"{sample.voltage_v:.2f}"
    values = [
        _value(word, "Power.Active.Import", f"{max(0.0, sample.power_w):.1f}", "W"),
        _value(word, "Energy.Active.Import.Register", f"{sample.register_wh:.1f}", "Wh"),
    ]
    if sample.power_w < 0.0 or sample.export_wh:
        power, energy = f"{max(0.0, -sample.power_w):.1f}", f"{sample.export_wh:.1f}"
        values.append(_value(word, "Power.Active.Export", power, "W"))
        values.append(_value(word, "Energy.Active.Export.Register", energy, "Wh"))
    for phase, current_a in zip(_PHASES, sample.currents_a, strict=False):
        way = "Current.Import" if current_a >= 0.0 else "Current.Export"
        values.append(_value(word, way, f"{abs(current_a):.2f}", "A", phase=phase))
        values.append(_value(word, "Voltage", voltage, "V", phase=phase))
    if sample.soc_pct is not None:
        values.append(_value(word, "SoC", f"{sample.soc_pct:.1f}", "Percent", location="EV"))
    return {"timestamp": timestamp(sample.at), "sampledValue": values}


def profile(payload: Json, connector_id: int, now: datetime) -> ChargingProfile:
    """The installed form of `csChargingProfiles`, already checked against the schema.

    Raises:
        CallError: a timestamp is not one.
    """
    return schedules.read(
        payload,
        payload["chargingSchedule"],
        profile_id=payload["chargingProfileId"],
        evse_id=connector_id,
        purpose=PURPOSES[payload["chargingProfilePurpose"]],
        now=now,
    )


def listed(info: Json) -> Listed:
    """An idTagInfo.

    Raises:
        CallError: a timestamp is not one.
    """
    return Listed(
        accepted=info["status"] == "Accepted",
        group=info.get("parentIdTag"),
        expires_at=instant_in(info, "expiryDate"),
    )


def selection(payload: Json) -> Selection:
    """What ClearChargingProfile selects."""
    return Selection(
        id=payload.get("id"),
        evse_id=payload.get("connectorId"),
        purpose=PURPOSES.get(payload.get("chargingProfilePurpose", "")),
        stack_level=payload.get("stackLevel"),
    )


def placed(connector_id: int, start: str, schedule: Json) -> Json:
    """A composite schedule with its place and start."""
    return {
        "connectorId": connector_id,
        "scheduleStart": start,
        "chargingSchedule": {**schedule, "startSchedule": start},
    }


def _value(context: str, measurand: str, value: str, unit: str, **more: str) -> Json:
    return {"value": value, "context": context, "measurand": measurand, "unit": unit, **more}
