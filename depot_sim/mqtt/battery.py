"""A battery on MQTT: its command lapses by itself, and it returns to 0 W."""

from __future__ import annotations

from collections.abc import Callable

from contracts.time import Clock
from depot_sim.mqtt import victron
from depot_sim.mqtt.device import SETPOINT_FAULTS, Broker, MqttDevice
from depot_sim.mqtt.own import OwnWords
from depot_sim.mqtt.payloads import power
from depot_sim.mqtt.victron import GxWords
from depot_sim.mqtt.words import Facts, Order, Words
from depot_sim.physics.battery import Battery
from depot_sim.physics.lease import Lease
from depot_sim.physics.phases import PhaseWatts, spread


class MqttBattery(MqttDevice):
    """A battery of the plant, speaking our own JSON or as one behind a Victron GX (`portal`)."""

    FAULTS = SETPOINT_FAULTS

    def __init__(
        self,
        *,
        id: str,
        site_id: str,
        broker: Broker,
        battery: Battery,
        clock: Clock,
        elapsed: Callable[[], float],
        state_interval_s: float = 1.0,
        portal: str | None = None,
    ) -> None:
        self.battery = battery
        self._elapsed = elapsed
        self._lease = Lease()
        self._on_gx = portal is not None
        words: Words = OwnWords(site_id, id, power)
        if portal is not None:
            words = GxWords(portal, [f"{victron.VEBUS}/Hub4/L1/AcPowerSetpoint"])
        super().__init__(
            id=id, broker=broker, words=words, clock=clock, interval_s=state_interval_s
        )

    @property
    def phases_w(self) -> PhaseWatts:
        """What it draws, phase by phase; negative while it discharges."""
        return spread(self.battery.power_w, 3)

    def step(self, now_s: float, dt_s: float) -> None:
        """Let `dt_s` pass."""
        self.battery = self.battery.step(dt_s, setpoint_w=self._lease.at(now_s) or 0.0)

    def _facts(self) -> Facts:
        return self._gx() if self._on_gx else self._own()

    def _ordered(self) -> Facts:
        return {} if self._on_gx else {"setpoint_w": self._lease.at(self._elapsed())}

    def _own(self) -> Facts:
        return {"power_w": self.battery.power_w, "soc_pct": self.battery.soc_pct}

    def _gx(self) -> Facts:
        return {
            f"{victron.VEBUS}/Ac/ActiveIn/P": self.battery.power_w,
            f"{victron.BATTERY}/Soc": self.battery.soc_pct,
            f"{victron.BATTERY}/Dc/0/Temperature": 21.0,
        }

    def _take(self, order: Order) -> str:
        least_w, most_w = -self.battery.max_discharge_w, self.battery.max_charge_w
        if order.value is None or not least_w <= order.value <= most_w:
            return f"power_w outside {least_w:.0f}..{most_w:.0f}"
        self._lease = Lease(value=order.value, expires_s=self._elapsed() + order.valid_for_s)
        return ""
