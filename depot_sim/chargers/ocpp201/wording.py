"""2.0.1 words for what a station knows, and back. Pure."""

from __future__ import annotations

from datetime import datetime

from depot_sim.chargers import schedules
from depot_sim.chargers.events import EndReason, Sample, Status
from depot_sim.chargers.json_rpc import Json, instant, timestamp
from depot_sim.chargers.local_list import Listed
from depot_sim.chargers.profiles import ChargingProfile, Purpose, Selection

PURPOSES = {
    "ChargingStationMaxProfile": Purpose.STATION_MAX,
    "TxDefaultProfile": Purpose.TX_DEFAULT,
    "TxProfile": Purpose.TX,
}
CHARGING_STATES = {
    Status.AVAILABLE: "Idle",
    Status.PREPARING: "EVConnected",
    Status.CHARGING: "Charging",
    Status.SUSPENDED_EV: "SuspendedEV",
    Status.SUSPENDED_EVSE: "SuspendedEVSE",
    Status.FINISHING: "EVConnected",
    Status.RESERVED: "Idle",
    Status.UNAVAILABLE: "Idle",
}
END_REASONS = {
    EndReason.LOCAL: ("StopAuthorized", "Local"),
    EndReason.REMOTE: ("RemoteStop", "Remote"),
    EndReason.EV_DISCONNECTED: ("EVDeparted", "EVDisconnected"),
    EndReason.DE_AUTHORIZED: ("Deauthorized", "DeAuthorized"),
    EndReason.POWER_LOSS: ("AbnormalCondition", "PowerLoss"),
    EndReason.RESET: ("ResetCommand", "ImmediateReset"),
}
"""Trigger reason and stopped reason of the last TransactionEvent."""


def connector_status(status: Status) -> str:
    """A connector's own states; the rest is occupied, told by the transaction's charging state."""
    own = {Status.AVAILABLE, Status.RESERVED, Status.UNAVAILABLE}
    return status.value if status in own else "Occupied"


def id_token(id_tag: str, kind: str) -> Json:
    """A token of this type; without authorisation it is empty (C15)."""
    return {"idToken": "" if kind == "NoAuthorization" else id_tag, "type": kind}


def listed(info: Json) -> Listed:
    """An idTokenInfo.

    Raises:
        CallError: a timestamp is not one.
    """
    return Listed(
        accepted=info["status"] == "Accepted",
        group=info.get("groupIdToken", {}).get("idToken"),
        expires_at=instant(info.get("cacheExpiryDateTime")),
    )


def meter_value(sample: Sample) -> Json:
    """One MeterValueType: power, energy, current and voltage per phase, state of charge."""
    values = [
        _value(sample, "Power.Active.Import", sample.power_w, "W"),
        _value(sample, "Energy.Active.Import.Register", sample.register_wh, "Wh"),
    ]
    for phase, current_a in enumerate(sample.currents_a, start=1):
        current = _value(sample, "Current.Import", current_a, "A")
        voltage = _value(sample, "Voltage", sample.voltage_v, "V")
        values += [{**current, "phase": f"L{phase}"}, {**voltage, "phase": f"L{phase}-N"}]
    if sample.soc_pct is not None:
        values.append({**_value(sample, "SoC", sample.soc_pct, "Percent"), "location": "EV"})
    return {"timestamp": timestamp(sample.at), "sampledValue": values}


def profile(payload: Json, evse_id: int, now: datetime) -> ChargingProfile:
    """The installed form of a chargingProfile; of several schedules the first is taken.

    Raises:
        CallError: a timestamp is not one.
        KeyError: a purpose no central system may set (external constraints).
    """
    return schedules.read(
        payload,
        payload["chargingSchedule"][0],
        profile_id=payload["id"],
        evse_id=evse_id,
        purpose=PURPOSES[payload["chargingProfilePurpose"]],
        now=now,
    )


def selection(payload: Json) -> Selection:
    """What ClearChargingProfile selects."""
    criteria = payload.get("chargingProfileCriteria", {})
    return Selection(
        id=payload.get("chargingProfileId"),
        evse_id=criteria.get("evseId"),
        purpose=PURPOSES.get(criteria.get("chargingProfilePurpose", "")),
        stack_level=criteria.get("stackLevel"),
    )


def _value(sample: Sample, measurand: str, value: float, unit: str) -> Json:
    return {
        "value": round(value, 2),
        "context": sample.context.value,
        "measurand": measurand,
        "unitOfMeasure": {"unit": unit},
    }
