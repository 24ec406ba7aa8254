"""A charging station's side of OCPP 2.1."""

from __future__ import annotations

from depot_sim.chargers.answers import Answers
from depot_sim.chargers.cabinet import Cabinet
from depot_sim.chargers.json_rpc import Json
from depot_sim.chargers.ocpp21.charging import Charging21
from depot_sim.chargers.ocpp21.needs import needs
from depot_sim.chargers.ocpp21.schema import check_request, check_response
from depot_sim.chargers.ocpp21.variables import entries21
from depot_sim.chargers.ocpp201.answers import common
from depot_sim.chargers.ocpp201.charging_station import ChargingStation201
from depot_sim.chargers.outlet import Outlet
from depot_sim.physics.vehicle import Vehicle


class ChargingStation21(ChargingStation201):
    """`Dialect` of OCPP 2.1."""

    subprotocol = "ocpp2.1"

    def check_answer(self, action: str, payload: Json) -> None:
        """Raises CallError unless the central system answered by the schema."""
        check_response(action, payload)

    def _needs(self, outlet: Outlet, vehicle: Vehicle) -> Json:
        return needs(outlet, vehicle)

    def _served(self, cabinet: Cabinet) -> Answers:
        shared = common(cabinet, entries21(cabinet.station))
        return Answers(check_request, *shared, Charging21(cabinet).served)
