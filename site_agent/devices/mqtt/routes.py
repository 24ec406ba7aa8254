"""A topic map made concrete for one device: its topics filled in, its messages made readings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contracts.errors import ProtocolError
from contracts.reading import Quality
from site_agent.devices.freshness import Freshness
from site_agent.devices.mqtt import topics
from site_agent.devices.mqtt.topic_map import PointMap, QualityMap, TimeMap, TopicMap
from site_agent.devices.mqtt.values import Document, bounded_time, instant, number, word
from site_agent.devices.points.units import to_canonical
from site_agent.devices.points.vocabulary import POINTS

CLOCK_AHEAD = timedelta(seconds=5)
LOST_AFTER = timedelta(seconds=30)
Mark = tuple[float | None, datetime | None]
"""Sequence number and time of a message, as far as it says them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a message says of one point."""

    value: float | None
    at: datetime
    quality: Quality = Quality.GOOD


@dataclass(slots=True)
class Route:
    """Everything that one subscription brings; remembers the newest message of it."""

    topic_filter: str
    points: dict[str, PointMap] = field(default_factory=dict)
    speaker: str | None = None
    """The topic that answered the filter's wildcard."""
    last: Mark | None = None

    def check_speaker(self, topic: str) -> None:
        """Only one topic may speak for a filter, or two devices would become one.

        Raises:
            ProtocolError: another one has spoken before.
        """
        if self.speaker not in (None, topic):
            raise ProtocolError(f"{self.speaker} answers {self.topic_filter} already")


class Reader:
    """Reads messages of one device by its map."""

    def __init__(self, topic_map: TopicMap, names: Mapping[str, str]) -> None:
        self._map = topic_map
        self.routes: dict[str, Route] = {}
        for name, point in topic_map.points.items():
            where = topics.fill(point.topic, names)
            self.routes.setdefault(where, Route(where)).points[name] = point

    def route(self, topic: str) -> Route | None:
        """Who takes messages of this topic."""
        found = self.routes.get(topic)
        if found is not None:
            return found
        wild = (r for where, r in self.routes.items() if topics.matches(where, topic))
        return next(wild, None)

    def read(
        self, route: Route, topic: str, document: Document, now: datetime, *, retained: bool
    ) -> dict[str, Told]:
        """What a message says, point by point; nothing when it is no news.

        All or nothing: one odd value makes the message untrustworthy. Members that are missing are
        no news of their points, unless they are required.

        Raises:
            ProtocolError: it is not what the map says.
        """
        route.check_speaker(topic)
        if document.empty:
            return {name: Told(value=None, at=now) for name in route.points}
        mark = self._mark(document, now)
        if not _is_news(mark, route.last):
            return {}
        quality = _quality(self._map.quality, document)
        told: dict[str, Told] = {}
        for name, point in route.points.items():
            at = self._time(point, document, now, retained=retained)
            if at is not None and (point.required or (point.pointer or "") in document):
                value = _value(name, point, document)
                told[name] = Told(value=value if quality.usable else None, at=at, quality=quality)
        route.speaker, route.last = topic, mark
        return told

    def _time(
        self, point: PointMap, document: Document, now: datetime, *, retained: bool
    ) -> datetime | None:
        """When it was true; None: nobody knows, for the broker had kept it."""
        how = point.time or self._map.time
        if how is not None:
            return _stamp(how, document, now)
        return None if retained and point.retained == "refuse" else now

    def _mark(self, document: Document, now: datetime) -> Mark:
        seq = None if self._map.sequence is None else number(document.at(self._map.sequence))
        return seq, None if self._map.time is None else _stamp(self._map.time, document, now)


def freshness(topic_map: TopicMap) -> dict[str, Freshness]:
    """How each point ages."""
    return {
        name: Freshness(
            stale_after=timedelta(seconds=point.max_age_s),
            lost_after=max(LOST_AFTER, timedelta(seconds=2 * point.max_age_s)),
        )
        for name, point in topic_map.points.items()
    }


def _value(name: str, point: PointMap, document: Document) -> float | None:
    said = document.at(point.pointer)
    if point.values is not None:
        return _of_word(name, point.values, said)
    real = number(said, text=point.text or point.pointer is None)
    if real is None:
        return None
    unit = POINTS[name].unit if point.unit is None else point.unit
    value = to_canonical(real * point.scale + point.offset, unit) * (-1 if point.invert else 1)
    value = abs(value) if point.magnitude else value + 0.0  # no -0.0
    low, high = point.range or (POINTS[name].low, POINTS[name].high)
    if not low <= value <= high:
        raise ProtocolError(f"{name}: {value:g} is outside {low:g}..{high:g}")
    return value


def _of_word(name: str, values: Mapping[str, float], said: object) -> float | None:
    if said is None:
        return None
    spoken = word(said)
    if spoken not in values:
        raise ProtocolError(f"{name}: {spoken[:60]!r} is none of {', '.join(values)}")
    return values[spoken]


def _quality(how: QualityMap | None, document: Document) -> Quality:
    if how is None:
        return Quality.GOOD
    spoken = word(document.at(how.pointer))
    if spoken in how.estimated:
        return Quality.ESTIMATED
    return Quality.GOOD if spoken in how.good else Quality.INVALID


def _stamp(how: TimeMap, document: Document, now: datetime) -> datetime:
    return bounded_time(instant(document.at(how.pointer), how.format), now, CLOCK_AHEAD)


def _is_news(mark: Mark, last: Mark | None) -> bool:
    """Whether a message is newer than the last one; a retained one comes again at each connect.

    A device that restarts counts from the beginning, one whose clock is set back does not: either
    number may fall, but not both.
    """
    (seq, at), (last_seq, last_at) = mark, last or (None, None)
    if seq is None and at is None:
        return True
    later = seq is not None and (last_seq is None or seq > last_seq)
    return later or (at is not None and (last_at is None or at > last_at))
