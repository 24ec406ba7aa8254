"""A PV inverter on MQTT: its limit lapses by itself, and it generates freely again."""

from __future__ import annotations

from collections.abc import Callable

from contracts.time import Clock
from depot_sim.mqtt import victron
from depot_sim.mqtt.device import SETPOINT_FAULTS, Broker, MqttDevice
from depot_sim.mqtt.own import OwnWords
from depot_sim.mqtt.payloads import limit
from depot_sim.mqtt.victron import GxWords
from depot_sim.mqtt.words import Facts, Order, Words
from depot_sim.physics.lease import Lease
from depot_sim.physics.phases import PhaseWatts, spread
from depot_sim.physics.pv import Pv


class MqttPv(MqttDevice):
    """An inverter, speaking our own JSON or as one that a Victron GX sees (`portal`; read only)."""

    FAULTS = SETPOINT_FAULTS

    def __init__(
        self,
        *,
        id: str,
        site_id: str,
        broker: Broker,
        pv: Pv,
        clock: Clock,
        elapsed: Callable[[], float],
        state_interval_s: float = 1.0,
        portal: str | None = None,
    ) -> None:
        self.pv = pv
        self._elapsed = elapsed
        self._lease = Lease()
        self._on_gx = portal is not None
        words: Words = OwnWords(site_id, id, limit) if portal is None else GxWords(portal)
        super().__init__(
            id=id, broker=broker, words=words, clock=clock, interval_s=state_interval_s
        )

    @property
    def phases_w(self) -> PhaseWatts:
        """What it draws, phase by phase: negative while it generates."""
        return spread(self.pv.power_w, 3)

    def step(self, now_s: float, dt_s: float) -> None:
        """Let `dt_s` pass."""
        self.pv = self.pv.step(now_s, dt_s, limit_w=self._lease.at(now_s))

    def _facts(self) -> Facts:
        pv = self.pv
        if self._on_gx:
            return {
                f"{victron.PVINVERTER}/Ac/Power": -pv.power_w,
                f"{victron.PVINVERTER}/Ac/Energy/Forward": pv.generated_wh / 1000.0,
            }
        return {
            "power_w": -pv.power_w,
            "available_w": pv.available_w,
            "energy_wh": pv.generated_wh,
        }

    def _ordered(self) -> Facts:
        return {} if self._on_gx else {"limit_w": self._lease.at(self._elapsed())}

    def _take(self, order: Order) -> str:
        self._lease = Lease(value=order.value, expires_s=self._elapsed() + order.valid_for_s)
        return ""
