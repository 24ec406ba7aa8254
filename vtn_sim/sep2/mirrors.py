"""Mirror metering: what clients measure, kept by the server (IEEE 2030.5-2018, 10.11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from contracts.sep2.codes import ReasonCode
from contracts.sep2.hexes import canonical_lfdi, canonical_mrid
from contracts.sep2.resources import MirrorMeterReading, MirrorUsagePoint, Reading, ReadingType
from vtn_sim.sep2.refusal import TOO_LARGE, Refused, bad_request

_MAX_QUANTITIES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One reading, in the unit of its ReadingType times its power of ten."""

    start: datetime
    duration: timedelta
    value: float
    quality_flags: int
    received_at: datetime

    @property
    def end(self) -> datetime:
        """The end of what it was measured over; of an instantaneous one, its start."""
        return self.start + self.duration


@dataclass(slots=True)
class Quantity:
    """One MirrorMeterReading of a MirrorUsagePoint."""

    mrid: str
    description: str = ""
    reading_type: ReadingType | None = None
    samples: dict[datetime, Sample] = field(default_factory=dict)
    """By start: a reading that comes again overwrites the earlier one."""
    posts: list[datetime] = field(default_factory=list)

    @property
    def series(self) -> list[Sample]:
        """In order of time."""
        return [self.samples[start] for start in sorted(self.samples)]


@dataclass(slots=True)
class Mirror:
    """One MirrorUsagePoint."""

    number: int
    client: str
    resource: MirrorUsagePoint
    quantities: dict[str, Quantity] = field(default_factory=dict)

    @property
    def lfdi(self) -> str:
        """Of the EndDevice that measures."""
        return canonical_lfdi(self.resource.device_lfdi)


class MirrorBook:
    """Every MirrorUsagePoint of the server."""

    def __init__(self, max_mirrors: int, keep_readings: int) -> None:
        self._max_mirrors = max_mirrors
        self._keep_readings = keep_readings
        self._mirrors: dict[str, Mirror] = {}
        self._number = 0

    def post(self, resource: MirrorUsagePoint, client: str, now: datetime) -> tuple[Mirror, bool]:
        """Add or overwrite a MirrorUsagePoint by its mRID, and whether it is new.

        Raises:
            Refused: 413 when there are too many.
        """
        key = canonical_mrid(resource.mrid)
        known = self._mirrors.get(key)
        if known is not None and known.client != client:
            raise bad_request("the mRID is another client's")
        if known is None and len(self._mirrors) >= self._max_mirrors:
            raise Refused(TOO_LARGE, "no room for more", ReasonCode.RESOURCE_LIMIT)
        bare = replace(resource, meter_readings=(), href=None)
        if known is None:
            self._number += 1
            mirror = Mirror(number=self._number, client=client, resource=bare)
            self._mirrors[key] = mirror
        else:
            mirror = known
            mirror.resource = bare
        for reading in resource.meter_readings:
            self.post_reading(mirror, reading, now)
        return mirror, known is None

    def post_reading(self, mirror: Mirror, posted: MirrorMeterReading, now: datetime) -> bool:
        """Add readings of one quantity; whether it is a new one.

        Raises:
            Refused: 400, a quantity that was never described, 413, too many.
        """
        key = canonical_mrid(posted.mrid)
        known = mirror.quantities.get(key)
        if known is None and posted.reading_type is None:
            raise bad_request("a new MirrorMeterReading needs a ReadingType")
        if known is None and len(mirror.quantities) >= _MAX_QUANTITIES:
            raise Refused(TOO_LARGE, "no room for more", ReasonCode.RESOURCE_LIMIT)
        quantity = mirror.quantities.setdefault(key, Quantity(mrid=posted.mrid))
        quantity.reading_type = posted.reading_type or quantity.reading_type
        quantity.description = posted.description or quantity.description
        self._take(quantity, posted, now)
        return known is None

    def _take(self, quantity: Quantity, posted: MirrorMeterReading, now: datetime) -> None:
        power = (quantity.reading_type and quantity.reading_type.power_of_ten_multiplier) or 0
        readings = [r for readings in posted.reading_sets for r in readings.readings]
        if posted.reading is not None:
            readings.append(posted.reading)
        if readings:
            quantity.posts.append(now)
            del quantity.posts[: -self._keep_readings]
        for reading in readings:
            sample = _sample(reading, power, now)
            if sample is not None:
                quantity.samples[sample.start] = sample
        while len(quantity.samples) > self._keep_readings:
            del quantity.samples[min(quantity.samples)]

    def of(self, client: str) -> Sequence[Mirror]:
        """Those of one client: mRID falling (4.7)."""
        seen = [m for m in self._mirrors.values() if m.client == client]
        return sorted(seen, key=lambda m: canonical_mrid(m.resource.mrid), reverse=True)

    def all(self) -> Sequence[Mirror]:
        """Every one, in order of creation."""
        return tuple(self._mirrors.values())

    def numbered(self, number: str) -> Mirror | None:
        """By the number in its address."""
        return next((m for m in self._mirrors.values() if str(m.number) == number), None)

    def remove(self, mirror: Mirror) -> None:
        """Forget one."""
        del self._mirrors[canonical_mrid(mirror.resource.mrid)]

    def clear(self) -> None:
        """Forget all of them."""
        self._mirrors.clear()


def _sample(reading: Reading, power: int, now: datetime) -> Sample | None:
    if reading.value is None:
        return None
    period = reading.time_period
    return Sample(
        start=now if period is None else period.start,
        duration=timedelta(0) if period is None else period.duration,
        value=reading.value * 10.0**power,
        quality_flags=reading.quality_flags or 0,
        received_at=now,
    )
