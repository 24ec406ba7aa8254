"""A meter at the point of common coupling, on MQTT."""

from __future__ import annotations

from collections.abc import Callable

from contracts.time import Clock
from depot_sim.faults import FaultKind
from depot_sim.mqtt import victron
from depot_sim.mqtt.device import METER_FAULTS, Broker, MqttDevice
from depot_sim.mqtt.own import OwnWords
from depot_sim.mqtt.victron import GxWords
from depot_sim.mqtt.words import Facts, Words
from depot_sim.physics.plant import Plant


class MqttMeter(MqttDevice):
    """Shows the plant in our own JSON, or as the grid meter of a Victron GX (`portal`).

    Besides the faults of every device it knows scaled and sign-flipped (of all phases).
    """

    FAULTS = METER_FAULTS

    def __init__(
        self,
        *,
        id: str,
        site_id: str,
        broker: Broker,
        plant: Callable[[], Plant],
        clock: Clock,
        state_interval_s: float = 1.0,
        portal: str | None = None,
    ) -> None:
        self._plant = plant
        self._on_gx = portal is not None
        words: Words = OwnWords(site_id, id, None) if portal is None else GxWords(portal)
        super().__init__(
            id=id, broker=broker, words=words, clock=clock, interval_s=state_interval_s
        )

    def _facts(self) -> Facts:
        plant, factor = self._plant(), self._factor()
        watts = {f"{n}": power_w * factor for n, power_w in enumerate(plant.phases_w, 1)}
        amperes = {f"{n}": current_a for n, current_a in enumerate(plant.phases_a, 1)}
        if not self._on_gx:
            return {
                "power_w": plant.power_w * factor,
                **{f"phases_w/{n}": value for n, value in watts.items()},
                **{f"currents_a/{n}": value for n, value in amperes.items()},
                "import_wh": plant.import_wh,
                "export_wh": plant.export_wh,
            }
        said = {
            "Power": plant.power_w * factor,
            **{f"L{n}/Power": value for n, value in watts.items()},
            **{f"L{n}/Current": value for n, value in amperes.items()},
            **{f"L{n}/Voltage": value for n, value in enumerate(plant.phases_v, 1)},
            "Energy/Forward": plant.import_wh / 1000.0,
            "Energy/Reverse": plant.export_wh / 1000.0,
        }
        return {f"{victron.GRID}/Ac/{path}": value for path, value in said.items()}

    def _factor(self) -> float:
        scaled = self.faults.active(FaultKind.SCALED)
        factor = self.faults.amount(FaultKind.SCALED) if scaled else 1.0
        return -factor if self.faults.active(FaultKind.SIGN_FLIPPED) else factor
