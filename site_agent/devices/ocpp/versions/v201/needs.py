"""What a vehicle asks for (ISO 15118-2 and -20 through K15 and 2.1 block Q)."""

from __future__ import annotations

from site_agent.devices.ocpp.known.inventory import VehicleNeeds
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import Json


def vehicle_needs(needs: Json) -> VehicleNeeds:
    """Read it. 2.0.1 has no word for discharging, so only 2.1 can say `bidirectional`.

    Raises:
        CallFaultError: it cannot be read.
    """
    transfer = fields.text(needs, "requestedEnergyTransfer", 50)
    ac, dc = fields.part(needs, "acChargingParameters"), fields.part(needs, "dcChargingParameters")
    holder = ac if ac.get("energyAmount") is not None else dc
    return VehicleNeeds(
        transfer=transfer,
        departure=fields.moment_or_none(needs, "departureTime"),
        energy_wh=None if holder.get("energyAmount") is None
        else fields.number(holder, "energyAmount"),
        bidirectional="_BPT" in transfer or discharges(fields.part(needs, "v2xChargingParameters")),
    )  # fmt: skip


def discharges(parameters: Json) -> bool:
    """Whether V2X parameters offer any discharge: magnitudes in W or A (2.1 Q01)."""
    offered = (parameters.get(key) for key in ("maxDischargePower", "maxDischargeCurrent"))
    return any(isinstance(value, int | float) and value > 0 for value in offered)
