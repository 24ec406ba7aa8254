"""A device on MQTT, read and told by its topic map.

**When the agent dies** a setpoint ends as its map declares (`TopicMap.lapse`): after the time it
was commanded for, after the device's own silence timer, or never. When the broker dies, writes fail
and readings turn STALE, each at its own age.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import structlog

from contracts.errors import LinkDownError, ProtocolError
from contracts.reading import Quality
from contracts.time import Clock
from site_agent.devices.mqtt import topics
from site_agent.devices.mqtt.broker import Access, BrokerAddress
from site_agent.devices.mqtt.commands import Commands
from site_agent.devices.mqtt.routes import Reader, freshness
from site_agent.devices.mqtt.session import Heard, MqttSession
from site_agent.devices.mqtt.templates import render
from site_agent.devices.mqtt.topic_map import OnlineMap, RequestMap, TopicMap
from site_agent.devices.mqtt.values import Document, word
from site_agent.devices.points.board import PointBoard

_BEFORE = timedelta(hours=1)
"""What a broker has kept since before we started is told, and as old as it is."""
_log = structlog.get_logger(__name__)


class TopicSource:
    """A `Source`: its board is filled by what the device publishes.

    It answers while we are connected, nobody has said it is offline, and every required point is
    young enough. A word of being offline is only believed until it speaks again: nats-server loses
    a retained message that is published while we subscribe, so what is said once must not be
    needed.
    """

    def __init__(
        self,
        address: BrokerAddress,
        topic_map: TopicMap,
        names: Mapping[str, str],
        *,
        name: str,
        clock: Clock,
    ) -> None:
        self._map = topic_map
        self._names = names
        self._name = name
        self._clock = clock
        self._reader = Reader(topic_map, names)
        self._online = None if topic_map.online is None else self._fill(topic_map.online.topic)
        self._session = MqttSession(
            address,
            [self._fill(topic) for topic in topic_map.read_topics()],
            self._receive,
            clock=clock,
            while_up=self._while_up,
        )
        self._board = PointBoard(topic_map.points, clock.now() - _BEFORE, freshness(topic_map))
        self._gone = False
        self.refused_messages = 0
        """Messages of the device's topics that were not what the map says."""

    @property
    def board(self) -> PointBoard:
        """Its newest readings."""
        return self._board

    @property
    def answers(self) -> bool:
        """Whether it is there and speaks."""
        now = self._clock.now()
        return (
            self._session.connected
            and not self._gone
            and all(
                self._board.reading(name, now).quality not in (Quality.STALE, Quality.OFFLINE)
                for name, point in self._map.points.items()
                if point.required
            )
        )

    async def run(self) -> None:
        """Stay connected until cancelled."""
        await self._session.run()

    async def _while_up(self) -> None:
        """Tell it what keeps it talking, from the beginning at each connection."""
        async with asyncio.TaskGroup() as tasks:
            for request in self._map.requests:
                tasks.create_task(self._repeat(request))
            await asyncio.Event().wait()

    async def _repeat(self, request: RequestMap) -> None:
        topic, payload = self._fill(request.topic), render(request.payload, {})
        while True:
            try:
                await self._session.publish(topic, payload)
            except LinkDownError as error:
                _log.debug("mqtt request lost", device=self._name, why=str(error))
            await self._clock.sleep(request.every_s)

    def _fill(self, pattern: str) -> str:
        return topics.fill(pattern, self._names)

    def _receive(self, heard: Heard) -> None:
        try:
            self._take(heard, Document(heard.payload))
        except ProtocolError as error:
            self._refuse(heard.topic, error)

    def _take(self, heard: Heard, document: Document) -> None:
        if heard.topic == self._online and self._map.online is not None:
            self._take_status(self._map.online, document)
        route = self._reader.route(heard.topic)
        if route is None or (self._gone and heard.retained):
            return
        now = self._clock.now()
        told = self._reader.read(route, heard.topic, document, now, retained=heard.retained)
        for name, one in told.items():
            self._board.put(name, one.value, one.at, one.quality)
        self._gone = self._gone and not told

    def _take_status(self, how: OnlineMap, document: Document) -> None:
        spoken = word(document.at(how.pointer))
        if spoken not in (*how.online, *how.offline):
            raise ProtocolError(f"{spoken[:60]!r} is neither online nor offline")
        gone, self._gone = self._gone, spoken in how.offline
        if self._gone:
            self._board.lose(self._clock.now())
        if self._gone is not gone:
            _log.info("device says", device=self._name, online=gone)

    def _refuse(self, topic: str, error: ProtocolError) -> None:
        """Count every one, log the 1st, 2nd, 4th, 8th ... so that a flood stays readable."""
        self.refused_messages += 1
        if self.refused_messages.bit_count() == 1:
            _log.warning(
                "mqtt message refused", topic=topic, why=str(error), so_far=self.refused_messages
            )


class TopicDevice(TopicSource):
    """A `Controllable`: a source whose map has controls."""

    def __init__(
        self,
        address: BrokerAddress,
        topic_map: TopicMap,
        names: Mapping[str, str],
        *,
        name: str,
        clock: Clock,
        valid_for_s: float = 30.0,
    ) -> None:
        super().__init__(address, topic_map, names, name=name, clock=clock)
        self._commands = Commands(
            topic_map, names, self._session, name=name, clock=clock, valid_for_s=valid_for_s
        )
        self._lapse_s = lapse_s(topic_map, valid_for_s)

    @property
    def lapse_s(self) -> float | None:
        """Seconds after which it drops a setpoint by itself; None: it never does."""
        return self._lapse_s

    async def write(self, control: str, value: float | None) -> None:
        """Tell a control and return when the device has confirmed it; raises as `Commands.write`.

        One that says it is offline is not asked.
        """
        if self._gone:
            raise LinkDownError(f"{self._name} is not online")
        await self._commands.write(control, value)

    def _take(self, heard: Heard, document: Document) -> None:
        if not heard.retained:  # an answer that a broker has kept answers nothing
            self._commands.hear(heard.topic, document)
        super()._take(heard, document)

    async def _while_up(self) -> None:
        try:
            await super()._while_up()
        finally:  # what was shown may not be so any more
            self._commands.forget()


def lapse_s(topic_map: TopicMap, valid_for_s: float) -> float | None:
    """How long a setpoint outlives its writer; None: for ever."""
    if topic_map.lapse == "commanded":
        return valid_for_s
    return topic_map.lapse if isinstance(topic_map.lapse, float | int) else None


def make_source(
    address: BrokerAddress,
    topic_map: TopicMap,
    names: Mapping[str, str],
    *,
    name: str,
    clock: Clock,
    valid_for_s: float = 30.0,
) -> TopicSource:
    """A device that takes setpoints if its map has controls, else one that is only read.

    Raises:
        ConfigError: a name of the map is missing or cannot be part of a topic.
    """
    if not topic_map.controls:
        return TopicSource(address, topic_map, names, name=name, clock=clock)
    return TopicDevice(address, topic_map, names, name=name, clock=clock, valid_for_s=valid_for_s)


def access(
    topic_map: TopicMap, names: Mapping[str, str], *, name: str, password: str | None
) -> Access:
    """What a device may do at the site's own broker: its own topics, and no others.

    Raises:
        ConfigError: as `make_source`.
    """
    return Access(
        name=name,
        password=password,
        says=tuple(topics.fill(one, names) for one in topic_map.read_topics()),
        told=tuple(topics.fill(one, names) for one in topic_map.written_topics()),
    )
