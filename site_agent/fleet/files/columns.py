"""Which column means what, under the names that fleets' exports use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from site_agent.fleet.files.faults import FileFaultsError, LineFault

VEHICLE: Mapping[str, tuple[str, ...]] = {
    "vehicle_id": ("vehicle", "id", "unit", "unit_id", "asset", "fleet_number", "fahrzeug"),
    "vin": ("vehicle_identification_number", "fin", "fahrgestellnummer"),
    "id_tags": ("id_tag", "idtag", "card", "cards", "rfid", "karte"),
    "evccids": ("evccid", "mac", "mac_address"),
    "emaids": ("emaid", "contract", "contract_id", "vertrag"),
    "group": ("gruppe",),
    "capacity_wh": ("battery_wh",),
    "capacity_kwh": ("battery_kwh", "capacity", "battery_capacity_kwh", "kapazitaet_kwh"),
    "max_power_w": (),
    "max_power_kw": ("max_ac_kw", "ac_kw", "max_ac_power_kw"),
    "max_dc_power_w": (),
    "max_dc_power_kw": ("max_dc_kw", "dc_kw"),
    "soc_pct": ("soc", "state_of_charge", "ladestand"),
    "soc_at": ("soc_time", "measured_at"),
    "required_soc_pct": ("required_soc", "target_soc", "target_soc_pct", "ziel_soc"),
    "required_wh": (),
    "required_kwh": ("energy_kwh", "required_energy_kwh"),
    "arrival_soc_pct": ("arrival_soc", "return_soc"),
    "departure": ("departs_daily", "daily_departure", "abfahrt"),
    "days": ("weekdays", "wochentage"),
    "in_hours": ("stay_h", "stay_hours"),
    "arrival": ("daily_arrival", "ankunft"),
    "arrives": ("eta", "expected_arrival"),
    "time_zone": ("timezone", "tz", "zeitzone"),
    "rank": ("priority", "prio", "prioritaet"),
    "bay": ("evse", "evse_id", "parking_bay", "stellplatz"),
}
"""By name in the settings (with kW and kWh beside W and Wh), the other names it is known under."""
TRIP: Mapping[str, tuple[str, ...]] = {
    "vehicle_id": VEHICLE["vehicle_id"],
    "trip_id": ("trip", "route", "route_id", "tour", "umlauf"),
    "departs": ("departure_time", "trip_start", "start", "starts", "abfahrtszeit"),
    "returns": ("return_time", "trip_end", "end", "ends", "rueckkehr"),
    "required_soc_pct": VEHICLE["required_soc_pct"],
    "required_wh": (),
    "required_kwh": VEHICLE["required_kwh"],
    "arrival_soc_pct": VEHICLE["arrival_soc_pct"],
    "time_zone": VEHICLE["time_zone"],
}
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def meanings(columns: Iterable[str]) -> tuple[bool, Mapping[str, str]]:
    """Whether it is a file of trips, and what each column means.

    Raises:
        FileFaultsError: a column is not known, two mean the same, or there is no vehicle.
    """
    named = list(columns)
    trips = any(_meaning(name, TRIP) == "departs" for name in named)
    known = TRIP if trips else VEHICLE
    found: dict[str, str] = {}
    faults: list[LineFault] = []
    for name in named:
        meaning = _meaning(name, known)
        if meaning is None:
            what = "trips" if trips else "vehicles"
            detail = f"not known in a file of {what}; there are: {', '.join(known)}"
            faults.append(LineFault(line=1, column=name, detail=detail))
        elif meaning in found.values():
            detail = f"another column means {meaning} too"
            faults.append(LineFault(line=1, column=name, detail=detail))
        else:
            found[name] = meaning
    if "vehicle_id" not in found.values():
        detail = "there is no column vehicle_id"
        faults.append(LineFault(line=1, column="", detail=detail))
    if faults:
        raise FileFaultsError(faults)
    return trips, found


def _meaning(name: str, known: Mapping[str, tuple[str, ...]]) -> str | None:
    plain = re.sub(r"[^a-z0-9%]+", "_", name.strip().lower().translate(_UMLAUTS))
    plain = plain.replace("%", "pct").strip("_")
    for meaning, others in known.items():
        if plain == meaning or plain in others:
            return meaning
    return None
