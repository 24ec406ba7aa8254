"""A device on MQTT: some words, a connection that comes back, and faults."""

from __future__ import annotations

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import aiomqtt
import structlog

from contracts.backoff import Backoff
from contracts.errors import ProtocolError
from contracts.tasks import first_of, heed_cancellation
from contracts.time import Clock
from depot_sim.faults import FaultKind, Faults
from depot_sim.mqtt.words import Facts, Message, Order, Words
from depot_sim.reconnect import stay_connected

_log = structlog.get_logger(__name__)
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 15.0
_KEEPALIVE_S = 10
_TIMEOUT_S = 2.0
_QUEUED_COMMANDS = 100
_REFUSED = 0x80
"""SUBACK codes from here on are failures (MQTT 3.1.1 §3.9.3)."""
_LONGEST_NAP_S = 0.5
_BURST_S = 0.05

FAULTS = frozenset(
    {
        FaultKind.DROP,
        FaultKind.FREEZE,
        FaultKind.OFFLINE,
        FaultKind.FLOOD,
        FaultKind.WRONG_CLOCK,
    }
)
"""Of every device."""
SETPOINT_FAULTS = FAULTS | {
    FaultKind.UNRESPONSIVE,
    FaultKind.LATE,
    FaultKind.REFUSES,
    FaultKind.IGNORES_WRITES,
}
"""Of those that take commands."""
METER_FAULTS = FAULTS | {FaultKind.SCALED, FaultKind.SIGN_FLIPPED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where the site's broker is, and the device's login there if it asks for one."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None


class MqttDevice(ABC):
    """What all have in common; a kind of device says its `_facts` and may take `_take` orders.

    Faults: drop (cut off, so that the broker says its last will), offline (connected and silent),
    unresponsive (deaf to commands), freeze, late (answers come late), refuses, ignores-writes (0:
    but for showing them, 1: not even these), flood, wrong-clock.
    """

    FAULTS = FAULTS

    def __init__(
        self, *, id: str, broker: Broker, words: Words, clock: Clock, interval_s: float = 1.0
    ) -> None:
        self.id = id
        self.faults = Faults(self.FAULTS, clock.monotonic)
        self._broker = broker
        self._words = words
        self._clock = clock
        self._interval_s = interval_s
        self._shown: Facts = {}
        self._last_id = ""
        self._client: aiomqtt.Client | None = None
        self._log = _log.bind(device=id)

    @abstractmethod
    def _facts(self) -> Facts:
        """What is true of it now, by the names its words know."""

    def _ordered(self) -> Facts:
        """What is in force, which no fault of measuring touches."""
        return {}

    def _take(self, order: Order) -> str:
        """Put an order in force, or say why not."""
        del order
        return "it takes no orders"

    def fail(self, kind: FaultKind, for_s: float | None, amount: float | None = None) -> None:
        """Let a fault begin, for some seconds or for good (None).

        Raises:
            ValueError: not a fault of this device.
        """
        self.faults.begin(kind, for_s, amount)
        if kind is FaultKind.DROP and self._client is not None:
            _cut(self._client)

    async def run(self) -> None:
        """Stay connected to the broker until cancelled; aiomqtt does not come back by itself."""
        backoff = Backoff(_FIRST_WAIT_S, _LONGEST_WAIT_S)
        await stay_connected(
            lambda: self._connected_once(backoff),
            errors=(aiomqtt.MqttError,),
            away_s=lambda: self.faults.remaining_s(FaultKind.DROP),
            backoff=backoff,
            clock=self._clock,
            log=self._log,
        )

    async def _connected_once(self, backoff: Backoff) -> None:
        async with self._new_client() as client:
            self._client = client
            if self.faults.active(FaultKind.DROP):
                _cut(client)
            try:
                await self._subscribe(client)
                await _publish(client, self._words.births())
                backoff.reset()
                await first_of(self._listen(client), self._show(client), self._flood(client))
            except asyncio.CancelledError:
                with suppress(aiomqtt.MqttError):
                    await _publish(client, [self._words.will] if self._words.will else [])
                raise
            finally:
                self._client = None

    def _new_client(self) -> aiomqtt.Client:
        will = self._words.will
        return aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.username,
            password=self._broker.password,
            protocol=aiomqtt.ProtocolVersion.V311,
            will=None if will is None else aiomqtt.Will(will.topic, will.payload, 1, will.retain),
            keepalive=_KEEPALIVE_S,
            timeout=_TIMEOUT_S,
            max_queued_incoming_messages=_QUEUED_COMMANDS,
        )

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        """A refused subscription raises nothing in aiomqtt: look at the codes."""
        for topic in self._words.wants:
            codes = await client.subscribe(topic, qos=1)
            heed_cancellation()
            for code in codes:
                value = code if isinstance(code, int) else code.value
                if value >= _REFUSED:
                    raise aiomqtt.MqttError(f"subscription to {topic} refused: {code}")

    async def _show(self, client: aiomqtt.Client) -> None:
        while True:
            await _publish(client, self._says())
            await self._clock.sleep(self._interval_s)

    async def _flood(self, client: aiomqtt.Client) -> None:
        """The same again and again, without waiting for the broker."""
        while True:
            rate = self.faults.amount(FaultKind.FLOOD)
            if not rate:
                await self._clock.sleep(_LONGEST_NAP_S)
                continue
            messages = self._says() or [Message(topic=self.id, payload="")]
            for n in range(max(1, int(rate * _BURST_S))):
                one = messages[n % len(messages)]
                await client.publish(one.topic, one.payload, qos=0)
                heed_cancellation()
            await self._clock.sleep(_BURST_S)

    def _says(self) -> Sequence[Message]:
        if self.faults.active(FaultKind.OFFLINE):
            return []
        return self._words.says(self._frozen(), self._now())

    def _frozen(self) -> Facts:
        if not self.faults.active(FaultKind.FREEZE):
            self._shown = dict(self._facts())
        return {**self._shown, **self._ordered()}

    def _now(self) -> datetime:
        return self._clock.now() + timedelta(seconds=self.faults.amount(FaultKind.WRONG_CLOCK))

    async def _listen(self, client: aiomqtt.Client) -> None:
        async with asyncio.TaskGroup() as tasks:
            async for message in client.messages:
                if not self._deaf(message):
                    answers = self._hear(str(message.topic), bytes(message.payload))
                    if answers:
                        tasks.create_task(self._answer(client, answers))

    def _deaf(self, message: aiomqtt.Message) -> bool:
        """A command that the broker has kept is nobody's present wish."""
        if message.retain:
            self._log.warning("mqtt-retained-refused", topic=str(message.topic))
        silent = (FaultKind.UNRESPONSIVE, FaultKind.OFFLINE)
        return message.retain or any(self.faults.active(kind) for kind in silent)

    def _hear(self, topic: str, payload: bytes) -> Sequence[Message]:
        try:
            order = self._words.order(topic, payload)
            if order is not None and self.faults.amount(FaultKind.IGNORES_WRITES):
                return []
            refusal = "" if order is None else self._decide(order)
            return self._words.answers(topic, payload, self._frozen(), self._now(), refusal)
        except ProtocolError as error:
            self._log.warning("mqtt-command-refused", reason=str(error)[:300])
            return []

    def _decide(self, order: Order) -> str:
        """Why an order is not taken, or ""; the same one again changes nothing."""
        if self.faults.active(FaultKind.REFUSES):
            return "refused"
        if order.id and order.id == self._last_id:
            return ""
        if order.expires_at is not None and self._clock.now() >= order.expires_at:
            return "expired"
        refusal = "" if self.faults.active(FaultKind.IGNORES_WRITES) else self._take(order)
        if not refusal:
            self._last_id = order.id
        return refusal

    async def _answer(self, client: aiomqtt.Client, answers: Sequence[Message]) -> None:
        await self._clock.sleep(self.faults.amount(FaultKind.LATE))
        await _publish(client, answers)


async def _publish(client: aiomqtt.Client, messages: Sequence[Message]) -> None:
    for one in messages:
        await client.publish(one.topic, one.payload, qos=1, retain=one.retain)
        heed_cancellation()


def _cut(client: aiomqtt.Client) -> None:
    """Part from the broker without a DISCONNECT, so that it sends the last will."""
    wire = client._client.socket()  # paho's own client is the only one who knows the socket
    if isinstance(wire, socket.socket):
        wire.shutdown(socket.SHUT_RDWR)
