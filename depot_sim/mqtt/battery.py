"""A battery on MQTT; `depot_sim.mqtt.payloads` describes what it says and hears."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import aiomqtt
import structlog

from contracts.backoff import Backoff
from contracts.errors import ProtocolError
from contracts.tasks import first_of, heed_cancellation
from contracts.time import Clock
from depot_sim.faults import FaultKind, Faults
from depot_sim.mqtt import payloads
from depot_sim.physics.battery import Battery
from depot_sim.physics.lease import Lease
from depot_sim.physics.phases import PhaseWatts, spread
from depot_sim.reconnect import stay_connected

_log = structlog.get_logger(__name__)
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 15.0
_KEEPALIVE_S = 10
_TIMEOUT_S = 2.0
_QUEUED_COMMANDS = 100
_REFUSED = 0x80
"""SUBACK codes from here on are failures (MQTT 3.1.1 §3.9.3)."""


FAULTS = frozenset({FaultKind.DROP, FaultKind.FREEZE, FaultKind.UNRESPONSIVE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where the site's broker is, and the battery's login there if it asks for one."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None


class MqttBattery:
    """A battery of the plant. Knows the faults drop, freeze and unresponsive."""

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
    ) -> None:
        self.id = id
        self.battery = battery
        self._topic = f"depot/{site_id}/{id}"
        self._broker = broker
        self._clock = clock
        self._elapsed = elapsed
        self._interval_s = state_interval_s
        self._lease = Lease()
        self._seq = 0
        self._shown = battery
        self._last_id: str | None = None
        self._client: aiomqtt.Client | None = None
        self._faults = Faults(FAULTS, elapsed)
        self._log = _log.bind(battery=id)

    @property
    def phases_w(self) -> PhaseWatts:
        """What it draws, phase by phase; negative while it discharges."""
        return spread(self.battery.power_w, 3)

    def step(self, now_s: float, dt_s: float) -> None:
        """Let `dt_s` pass."""
        self.battery = self.battery.step(dt_s, setpoint_w=self._lease.at(now_s) or 0.0)

    def fail(self, kind: FaultKind, for_s: float | None, amount: float | None = None) -> None:
        """Let a fault begin, for some seconds or for good (None).

        Raises:
            ValueError: not a fault of this device.
        """
        self._faults.begin(kind, for_s, amount)
        if kind is FaultKind.DROP and self._client is not None:
            _cut(self._client)

    async def run(self) -> None:
        """Stay connected to the broker until cancelled; aiomqtt does not come back by itself."""
        backoff = Backoff(_FIRST_WAIT_S, _LONGEST_WAIT_S)
        await stay_connected(
            lambda: self._connected_once(backoff),
            errors=(aiomqtt.MqttError,),
            away_s=lambda: self._faults.remaining_s(FaultKind.DROP),
            backoff=backoff,
            clock=self._clock,
            log=self._log,
        )

    async def _connected_once(self, backoff: Backoff) -> None:
        async with self._new_client() as client:
            self._client = client
            if self._faults.active(FaultKind.DROP):
                _cut(client)
            try:
                await self._subscribe(client)
                await self._publish(client, "status", "online", qos=1, retain=True)
                backoff.reset()
                await first_of(self._obey(client), self._show(client))
            except asyncio.CancelledError:
                with suppress(aiomqtt.MqttError):
                    await client.publish(f"{self._topic}/status", "offline", qos=1, retain=True)
                raise
            finally:
                self._client = None

    async def _publish(
        self, client: aiomqtt.Client, leaf: str, text: str, *, qos: int = 0, retain: bool = False
    ) -> None:
        await client.publish(f"{self._topic}/{leaf}", text, qos=qos, retain=retain)
        heed_cancellation()

    def _new_client(self) -> aiomqtt.Client:
        return aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.username,
            password=self._broker.password,
            protocol=aiomqtt.ProtocolVersion.V311,
            will=aiomqtt.Will(f"{self._topic}/status", "offline", qos=1, retain=True),
            keepalive=_KEEPALIVE_S,
            timeout=_TIMEOUT_S,
            max_queued_incoming_messages=_QUEUED_COMMANDS,
        )

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        """A refused subscription raises nothing in aiomqtt: look at the codes."""
        codes = await client.subscribe(f"{self._topic}/cmd", qos=1)
        heed_cancellation()
        for code in codes:
            value = code if isinstance(code, int) else code.value
            if value >= _REFUSED:
                raise aiomqtt.MqttError(f"subscription to {self._topic}/cmd refused: {code}")

    async def _show(self, client: aiomqtt.Client) -> None:
        while True:
            if not self._faults.active(FaultKind.FREEZE):
                self._shown = self.battery
            self._seq += 1
            text = payloads.state(
                at=self._clock.now(),
                seq=self._seq,
                power_w=self._shown.power_w,
                soc_pct=self._shown.soc_pct,
                setpoint_w=self._lease.at(self._elapsed()),
            )
            await self._publish(client, "state", text, retain=True)
            await self._clock.sleep(self._interval_s)

    async def _obey(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            if self._faults.active(FaultKind.UNRESPONSIVE):
                continue
            try:
                command = payloads.command(bytes(message.payload))
            except ProtocolError as error:
                self._log.warning("mqtt-command-refused", reason=str(error)[:300])
                continue
            reason = self._take(command)
            text = payloads.ack(id=command.id, at=self._clock.now(), reason=reason)
            await self._publish(client, "ack", text, qos=1)

    def _take(self, command: payloads.Command) -> str:
        """Put the command in force, or say why not."""
        if command.id == self._last_id:
            return ""
        if self._clock.now() >= command.expires_at:
            return "expired"
        least_w, most_w = -self.battery.max_discharge_w, self.battery.max_charge_w
        if not least_w <= command.power_w <= most_w:
            return f"power_w outside {least_w:.0f}..{most_w:.0f}"
        self._last_id = command.id
        expires_s = self._elapsed() + command.valid_for_s
        self._lease = Lease(value=command.power_w, expires_s=expires_s)
        return ""


def _cut(client: aiomqtt.Client) -> None:
    """Part from the broker without a DISCONNECT, so that it sends the last will."""
    wire = client._client.socket()  # paho's own client is the only one who knows the socket
    if isinstance(wire, socket.socket):
        wire.shutdown(socket.SHUT_RDWR)
