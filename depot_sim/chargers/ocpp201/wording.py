"""2.0.1 words for what a station knows, and back. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from depot_sim.chargers import schedules
from depot_sim.chargers.events import EndReason, Sample, Status
from depot_sim.chargers.json_rpc import Json, instant_in, timestamp
from depot_sim.chargers.local_list import Listed
from depot_sim.chargers.profiles import ChargingProfile, Purpose, Selection

_WATT, _WATT_HOUR, _AMPERE, _VOLT, _PERCENT = (
    {"unit": unit} for unit in ("W", "Wh", "A", "V", "Percent")
)
_PHASES = (("L1", "L1-N"), ("L2", "L2-N"), ("L3", "L3-N"))
"""Where a current flows, and between what a voltage lies."""
CONNECTOR_ID = 1
"""Every EVSE has one connector."""
EXTERNAL_SOURCE = "EMS"
PURPOSES = {
    "ChargingStationMaxProfile": Purpose.STATION_MAX,
    "TxDefaultProfile": Purpose.TX_DEFAULT,
    "TxProfile": Purpose.TX,
}
_PURPOSE_WORDS = {purpose: word for word, purpose in PURPOSES.items()} | {
    Purpose.EXTERNAL: "ChargingStationExternalConstraints"
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
    EndReason.SOFT_RESET: ("ResetCommand", "ImmediateReset"),
    EndReason.UNLOCK: ("UnlockCommand", "Other"),
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
        expires_at=instant_in(info, "cacheExpiryDateTime"),
    )


def meter_value(sample: Sample) -> Json:
    """One MeterValueType: power, energy, current and voltage per phase, state of charge."""
    word = sample.context.value
    values = [
        _value(word, "Power.Active.Import", max(0.0, sample.power_w), _WATT),
        _value(word, "Energy.Active.Import.Register", sample.register_wh, _WATT_HOUR),
    ]
    if sample.power_w < 0.0 or sample.export_wh:
        values.append(_value(word, "Power.Active.Export", max(0.0, -sample.power_w), _WATT))
        energy_wh = sample.export_wh
        values.append(_value(word, "Energy.Active.Export.Register", energy_wh, _WATT_HOUR))
    for (line, to_neutral), current_a in zip(_PHASES, sample.currents_a, strict=False):
        way = "Current.Import" if current_a >= 0.0 else "Current.Export"
        values.append(_value(word, way, abs(current_a), _AMPERE, phase=line))
        values.append(_value(word, "Voltage", sample.voltage_v, _VOLT, phase=to_neutral))
    if sample.soc_pct is not None:
        values.append(_value(word, "SoC", sample.soc_pct, _PERCENT, location="EV"))
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


def wanted(payload: Json) -> Callable[[ChargingProfile], bool]:
    """What GetChargingProfiles selects."""
    criteria, evse_id = payload["chargingProfile"], payload.get("evseId")
    ids, sources = criteria.get("chargingProfileId"), criteria.get("chargingLimitSource")

    def holds(profile: ChargingProfile) -> bool:
        return (
            evse_id in (None, profile.evse_id)
            and (ids is None or profile.id in ids)
            and (sources is None or limit_source(profile) in sources)
            and criteria.get("stackLevel", profile.stack_level) == profile.stack_level
            and criteria.get("chargingProfilePurpose") in (None, _PURPOSE_WORDS[profile.purpose])
        )

    return holds


def limit_source(profile: ChargingProfile) -> str:
    """Who has set a profile."""
    return EXTERNAL_SOURCE if profile.purpose is Purpose.EXTERNAL else "CSO"


def profile_words(profile: ChargingProfile) -> Json:
    """An installed profile as it is reported."""
    words = {
        "id": profile.id,
        "stackLevel": profile.stack_level,
        "chargingProfilePurpose": _PURPOSE_WORDS[profile.purpose],
    }
    return words | schedules.described(profile)


def placed(evse_id: int, start: str, schedule: Json) -> Json:
    """A composite schedule with its place and start."""
    return {"schedule": {**schedule, "evseId": evse_id, "scheduleStart": start}}


def _value(context: str, measurand: str, value: float, unit: Json, **more: str) -> Json:
    return {
        "value": round(value, 2),
        "context": context,
        "measurand": measurand,
        "unitOfMeasure": unit,
        **more,
    }
