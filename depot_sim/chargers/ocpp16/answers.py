"""What the central system asks of a 1.6 charge point, and what it answers."""

from __future__ import annotations

from depot_sim.chargers.answers import Answers
from depot_sim.chargers.cabinet import Cabinet
from depot_sim.chargers.json_rpc import Json
from depot_sim.chargers.ocpp16.authorization import Authorization16
from depot_sim.chargers.ocpp16.charging import Charging16
from depot_sim.chargers.ocpp16.core import Core16
from depot_sim.chargers.ocpp16.maintenance import Maintenance16
from depot_sim.chargers.ocpp16.schema import check_request
from depot_sim.chargers.ocpp16.security import Security16
from depot_sim.chargers.triggers import trigger


def answers(cabinet: Cabinet) -> Answers:
    """Every CALL of 1.6 and of its security white paper that goes to a charge point."""
    maintenance, security = Maintenance16(cabinet), Security16(cabinet)
    own = {**maintenance.triggers, **security.triggers}

    def trigger_message(payload: Json) -> Json:
        message, connector_id = payload["requestedMessage"], payload.get("connectorId")
        return {"status": trigger(cabinet.station, message, connector_id, cabinet.now(), own)}

    return Answers(
        check_request,
        Core16(cabinet).served,
        Charging16(cabinet).served,
        Authorization16(cabinet).served,
        maintenance.served,
        security.served,
        {"ExtendedTriggerMessage": trigger_message, "TriggerMessage": trigger_message},
    )
