"""NotifyEVChargingNeeds of 2.1 (part 2, K15 and Q01): also what a vehicle can give back."""

from __future__ import annotations

from depot_sim.chargers.json_rpc import Json
from depot_sim.chargers.ocpp201 import iso15118
from depot_sim.chargers.outlet import Outlet
from depot_sim.physics.vehicle import Vehicle


def needs(outlet: Outlet, vehicle: Vehicle) -> Json:
    """As 2.0.1; with a bidirectional outlet and vehicle the transfer is bidirectional too."""
    told = iso15118.needs(outlet, vehicle)
    if not (outlet.evse.bidirectional and vehicle.max_discharge_w > 0):
        return told
    asked: Json = told["chargingNeeds"]
    transfer = "DC_BPT" if outlet.evse.dc else "AC_BPT"
    asked["availableEnergyTransfer"] = [asked["requestedEnergyTransfer"], transfer]
    asked["requestedEnergyTransfer"] = transfer
    asked["controlMode"] = "DynamicControl"
    asked["v2xChargingParameters"] = {
        "maxChargePower": vehicle.max_dc_w if outlet.evse.dc else vehicle.max_ac_w,
        "maxDischargePower": vehicle.max_discharge_w,
        "evTargetEnergyRequest": iso15118.wanted_wh(vehicle),
        "evMinV2XEnergyRequest": vehicle.capacity_wh
        * (vehicle.min_soc_pct - vehicle.soc_pct)
        / 100.0,
        "targetSoC": round(vehicle.required_soc_pct),
    }
    return told
