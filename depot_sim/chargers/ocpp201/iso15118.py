"""What a vehicle says by ISO 15118, and a station hands on (2.0.1 part 2, C07, K15-K17, M01)."""

from __future__ import annotations

import base64
from datetime import datetime

from depot_sim.chargers.certificates import hash_data, read_chain
from depot_sim.chargers.json_rpc import Json, timestamp
from depot_sim.chargers.outlet import Outlet
from depot_sim.physics.evse import Evse
from depot_sim.physics.vehicle import Vehicle

RESPONDER = "http://ocsp.invalid"
"""Nobody: the central system asks in the station's place."""
_SCHEMA = "urn:iso:15118:2:2013:MsgDef"
_TRANSFERS = {1: "AC_single_phase", 2: "AC_two_phase", 3: "AC_three_phase"}
_CONTRACT = "eMAID"


def speaks(vehicle: Vehicle | None) -> bool:
    """Whether a vehicle talks ISO 15118: it has a contract or can give back."""
    return vehicle is not None and (vehicle.tag_type == _CONTRACT or vehicle.max_discharge_w > 0)


def wants_contract(vehicle: Vehicle | None) -> bool:
    """Whether it comes without the contract certificate that its eMAID belongs to."""
    return vehicle is not None and vehicle.tag_type == _CONTRACT and vehicle.contract is None


def contract_request(vehicle: Vehicle) -> Json:
    """Get15118EVCertificate. The EXI is opaque to both sides; here it is the vehicle's name."""
    exi = base64.b64encode(vehicle.id.encode()).decode()
    return {"iso15118SchemaVersion": _SCHEMA, "action": "Install", "exiRequest": exi}


def contract_words(vehicle: Vehicle | None, now: datetime) -> Json:
    """What Authorize says of a contract certificate, if there is a good one (C07)."""
    if vehicle is None or vehicle.contract is None:
        return {}
    try:
        chain = read_chain(vehicle.contract, now)
    except ValueError:
        return {}
    identity = {**hash_data(chain), "responderURL": RESPONDER}
    return {"certificate": vehicle.contract, "iso15118CertificateHashData": [identity]}


def needs(outlet: Outlet, vehicle: Vehicle) -> Json:
    """NotifyEVChargingNeeds: whole numbers in Wh, A, V and W."""
    evse = outlet.evse
    asked: Json = {"requestedEnergyTransfer": "DC" if evse.dc else _TRANSFERS[evse.usable_phases]}
    energy_wh = round(wanted_wh(vehicle))
    if evse.dc:
        asked["dcChargingParameters"] = _dc(evse, vehicle, energy_wh)
    else:
        asked["acChargingParameters"] = {
            "energyAmount": energy_wh,
            "evMinCurrent": round(vehicle.min_current_a),
            "evMaxCurrent": round(vehicle.max_ac_w / evse.usable_phases / evse.voltage_v),
            "evMaxVoltage": round(evse.voltage_v),
        }
    if vehicle.departure is not None:
        asked["departureTime"] = timestamp(vehicle.departure)
    return {"evseId": outlet.id, "chargingNeeds": asked}


def wanted_wh(vehicle: Vehicle) -> float:
    """Energy at the outlet up to the fleet's plan."""
    missing_pct = max(0.0, vehicle.required_soc_pct - vehicle.soc_pct)
    return missing_pct / 100.0 * vehicle.capacity_wh / vehicle.efficiency


def _dc(evse: Evse, vehicle: Vehicle, energy_wh: int) -> Json:
    return {
        "evMaxCurrent": round(evse.rated_a * evse.phases),
        "evMaxVoltage": round(evse.voltage_v),
        "energyAmount": energy_wh,
        "evMaxPower": round(vehicle.max_dc_w),
        "stateOfCharge": round(vehicle.soc_pct),
        "evEnergyCapacity": round(vehicle.capacity_wh),
    }
