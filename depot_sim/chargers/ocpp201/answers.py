"""What the central system asks of a charging station, and the answers (2.0.1, most of 2.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from depot_sim.chargers.answers import Answers, Served
from depot_sim.chargers.cabinet import Cabinet
from depot_sim.chargers.json_rpc import Json
from depot_sim.chargers.ocpp201.authorization import Authorization201
from depot_sim.chargers.ocpp201.charging import Charging201
from depot_sim.chargers.ocpp201.device_model import DeviceModel, Entry, Key
from depot_sim.chargers.ocpp201.maintenance import Maintenance201
from depot_sim.chargers.ocpp201.monitoring import Monitoring201
from depot_sim.chargers.ocpp201.provisioning import Provisioning201
from depot_sim.chargers.ocpp201.schema import check_request
from depot_sim.chargers.ocpp201.security import Security201
from depot_sim.chargers.ocpp201.transactions import Transactions201
from depot_sim.chargers.ocpp201.variables import entries
from depot_sim.chargers.triggers import trigger


def answers(cabinet: Cabinet) -> Answers:
    """Every CALL of 2.0.1 a charging station without a display or a local controller serves."""
    return Answers(check_request, *common(cabinet, entries(cabinet.station)))


def common(cabinet: Cabinet, variables: Mapping[Key, Entry]) -> tuple[Served, ...]:
    """What 2.0.1 and 2.1 serve alike."""
    model = DeviceModel(cabinet.station, variables)
    maintenance, security = Maintenance201(cabinet), Security201(cabinet)
    return (
        Provisioning201(cabinet, model).served,
        Transactions201(cabinet).served,
        Charging201(cabinet).served,
        Authorization201(cabinet).served,
        maintenance.served,
        security.served,
        Monitoring201(model).served,
        _triggers(cabinet, {**maintenance.triggers, **security.triggers}),
    )


def _triggers(cabinet: Cabinet, own: Mapping[str, Callable[[], None]]) -> Served:
    def trigger_message(payload: Json) -> Json:
        message, evse_id = payload["requestedMessage"], payload.get("evse", {}).get("id")
        return {"status": trigger(cabinet.station, message, evse_id, cabinet.now(), own)}

    return {"TriggerMessage": trigger_message}
