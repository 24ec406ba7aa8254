"""A connection to an MQTT broker that comes back by itself, which aiomqtt does not."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass

import aiomqtt
import structlog

from contracts.backoff import Backoff
from contracts.errors import LinkDownError
from contracts.tasks import first_of, heed_cancellation
from contracts.time import Clock
from site_agent.devices.mqtt.broker import BrokerAddress
from site_agent.devices.mqtt.inbox import FloodLog, Inbox

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 15.0
_KEEPALIVE_S = 10
_TIMEOUT_S = 5.0
_PAUSE_S = 0.02
"""Between looking at what has come: a flood is seen at most so often."""
_REFUSED = 0x80
"""SUBACK codes from here on are failures (MQTT 3.1.1, 3.9.3)."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A message; `retained`: the broker had kept it, for who knows how long."""

    topic: str
    payload: bytes
    retained: bool


Receive = Callable[[Heard], None]
"""Called for every message, those of a topic in order; must not raise."""


class MqttSession:
    """Subscribed to `topics` whenever the broker is there.

    Every device has a session of its own, so that one that floods it takes nothing from others;
    of each topic only the newest few messages wait (`Inbox`). `while_up` runs anew each time the
    broker is there, and is cancelled when it goes.
    """

    def __init__(
        self,
        address: BrokerAddress,
        topics: Sequence[str],
        receive: Receive,
        *,
        clock: Clock,
        while_up: Callable[[], Coroutine[object, object, None]],
    ) -> None:
        self._address = address
        self._topics = topics
        self._receive = receive
        self._clock = clock
        self._while_up = while_up
        self._client: aiomqtt.Client | None = None
        self._down: str | None = None
        self._flood = FloodLog(self._where)
        self._backoff = Backoff(_FIRST_WAIT_S, _LONGEST_WAIT_S)

    @property
    def connected(self) -> bool:
        """Whether we are subscribed now."""
        return self._client is not None

    async def run(self) -> None:
        """Stay connected until cancelled."""
        while True:
            try:
                await self._connected_once()
            except* (aiomqtt.MqttError, OSError) as group:
                self._note(str(group.exceptions[0]))
            heed_cancellation()
            await self._clock.sleep(self._backoff.next_s())

    async def publish(self, topic: str, payload: str) -> None:
        """Send with QoS 1, never retained; returns when the broker has it.

        Raises:
            LinkDownError: it does not have it, as far as we know.
        """
        if self._client is None:
            raise LinkDownError("no connection to the MQTT broker")
        try:
            await self._client.publish(topic, payload, qos=1)
        except aiomqtt.MqttError as error:
            heed_cancellation()
            raise LinkDownError(f"MQTT broker: {error}") from error
        heed_cancellation()

    async def _connected_once(self) -> None:
        async with self._new_client() as client:
            await self._subscribe(client)
            heed_cancellation()
            self._backoff.reset()
            self._client = client
            self._down = None
            _log.info("mqtt link up", topics=list(self._topics))
            try:
                await first_of(self._listen(client), self._while_up())
            finally:
                self._client = None

    async def _listen(self, client: aiomqtt.Client) -> None:
        messages = client.messages
        async for message in messages:
            payload = _octets(message.payload)
            topic = str(message.topic)
            self._receive(Heard(topic=topic, payload=payload, retained=message.retain))
            if not len(messages):
                self._flood.see(_dropped(client), self._clock.monotonic())
                await self._clock.sleep(_PAUSE_S)

    @property
    def _where(self) -> str:
        return f"{self._address.host}:{self._address.port}"

    def _note(self, why: str) -> None:
        """One line for each new reason, not for each attempt."""
        if why != self._down:
            self._down = why
            _log.warning("mqtt link down", peer=self._where, why=why)

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        """One topic at a time (nats-server loses fewer retained messages so), codes looked at.

        A refused subscription raises nothing in aiomqtt.
        """
        for topic in self._topics:
            for code in await client.subscribe(topic, qos=1):
                value = code if isinstance(code, int) else code.value
                if value >= _REFUSED:
                    raise aiomqtt.MqttError(f"subscription to {topic} refused: {code}")

    def _new_client(self) -> aiomqtt.Client:
        return aiomqtt.Client(
            self._address.host,
            self._address.port,
            username=self._address.username,
            password=self._address.password,
            protocol=aiomqtt.ProtocolVersion.V311,
            keepalive=_KEEPALIVE_S,
            timeout=_TIMEOUT_S,
            queue_type=Inbox,
            tls_context=self._address.tls,
        )


def _dropped(client: aiomqtt.Client) -> int:
    """So far; the client makes its queue itself and shows it to nobody."""
    queue = client._queue
    return queue.dropped if isinstance(queue, Inbox) else 0


def _octets(payload: object) -> bytes:
    """What paho delivers is bytes; its types allow more."""
    return bytes(payload) if isinstance(payload, bytes | bytearray) else b""
