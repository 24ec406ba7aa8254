"""1.6 words for what a station knows, and back. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from depot_sim.chargers import schedules
from depot_sim.chargers.events import EndReason, Sample
from depot_sim.chargers.json_rpc import Json, instant, timestamp
from depot_sim.chargers.local_list import Listed
from depot_sim.chargers.profiles import ChargingProfile, Purpose, Selection

PURPOSES = {
    "ChargePointMaxProfile": Purpose.STATION_MAX,
    "TxDefaultProfile": Purpose.TX_DEFAULT,
    "TxProfile": Purpose.TX,
}
END_REASONS = {reason: reason.value for reason in EndReason} | {EndReason.RESET: "HardReset"}
"""Reasons of StopTransaction."""


def meter_value(sample: Sample) -> Json:
    """One MeterValue element: power, energy, current and voltage per phase, state of charge."""
    values = [
        _value(sample, "Power.Active.Import", f"{sample.power_w:.1f}", "W"),
        _value(sample, "Energy.Active.Import.Register", f"{sample.register_wh:.1f}", "Wh"),
        *_by_phase(sample, "Current.Import", sample.currents_a, "A"),
        *_by_phase(sample, "Voltage", [sample.voltage_v for _ in sample.currents_a], "V"),
    ]
    if sample.soc_pct is not None:
        soc = _value(sample, "SoC", f"{sample.soc_pct:.1f}", "Percent")
        values.append({**soc, "location": "EV"})
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
        expires_at=instant(info.get("expiryDate")),
    )


def selection(payload: Json) -> Selection:
    """What ClearChargingProfile selects."""
    return Selection(
        id=payload.get("id"),
        evse_id=payload.get("connectorId"),
        purpose=PURPOSES.get(payload.get("chargingProfilePurpose", "")),
        stack_level=payload.get("stackLevel"),
    )


def _value(sample: Sample, measurand: str, value: str, unit: str) -> Json:
    return {"value": value, "context": sample.context.value, "measurand": measurand, "unit": unit}


def _by_phase(sample: Sample, measurand: str, values: Iterable[float], unit: str) -> list[Json]:
    return [
        {**_value(sample, measurand, f"{value:.2f}", unit), "phase": f"L{phase}"}
        for phase, value in enumerate(values, start=1)
    ]
