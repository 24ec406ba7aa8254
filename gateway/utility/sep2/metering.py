"""What is measured as mirror usage points: which there are, and their readings; pure.

One usage point for the site and one per kind of DER behind it, for every EndDevice, and one for
the sum over all DERs of the aggregator (CSIP tests, BASIC-029). Signs change here: our import is
`FORWARD` (delivered), our export `REVERSE` (received), both told as positive numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from contracts.reading import Quality, Reading
from contracts.sep2 import codes
from contracts.sep2.codes import FlowDirection, RoleFlag
from contracts.sep2.resources import (
    DateTimeInterval,
    MirrorMeterReading,
    MirrorReadingSet,
    MirrorUsagePoint,
    ReadingType,
)
from contracts.sep2.resources import Reading as Sep2Reading
from contracts.site_link import points
from contracts.time import Interval
from gateway.utility.sep2.settings import DeviceSettings

SHORTEST = timedelta(minutes=1)
BOTH = (FlowDirection.FORWARD, FlowDirection.REVERSE)
_DER = RoleFlag.MIRROR | RoleFlag.DER | RoleFlag.SUBMETER
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ON = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One kind of thing at a site that is measured by itself."""

    name: str
    point: str
    """Of `contracts.site_link.points`: measured only where a site has ever told it."""
    usage: str
    """Last part of its id in `gateway.ports.UsageSource`."""
    role: RoleFlag
    directions: tuple[FlowDirection, ...]


SITE = Part(
    name="site",
    point=points.PCC_POWER_W,
    usage="power_w",
    role=RoleFlag.MIRROR | RoleFlag.PREMISES_AGGREGATION_POINT,
    directions=BOTH,
)
CHARGERS = Part(
    name="chargers",
    point=points.CHARGING_POWER_W,
    usage="charging_power_w",
    role=RoleFlag.MIRROR | RoleFlag.PEV | RoleFlag.SUBMETER,
    directions=(FlowDirection.FORWARD,),
)
BATTERY = Part(
    name="battery",
    point=points.BATTERY_POWER_W,
    usage="battery_power_w",
    role=_DER,
    directions=BOTH,
)
PV = Part(
    name="pv",
    point=points.PV_POWER_W,
    usage="pv_power_w",
    role=_DER,
    directions=(FlowDirection.REVERSE,),
)
DERS = (CHARGERS, BATTERY, PV)
_OF_SCOPE = {
    "site": (SITE, *DERS),
    "storage": (BATTERY,),
    "generation": (PV,),
    "load": (CHARGERS,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """One mirror usage point: the sum of parts over sites."""

    lfdi: str
    name: str
    sites: tuple[str, ...]
    parts: tuple[Part, ...]
    role: RoleFlag
    directions: tuple[FlowDirection, ...]
    partial: bool = False
    """Whether a sum is worth telling while a part of it is unknown, as questionable."""

    @property
    def has_register(self) -> bool:
        """Whether it counts energy: meters at connection points do."""
        return self.parts == (SITE,)

    @property
    def key(self) -> str:
        """Names it for ever."""
        return f"{self.lfdi}/{self.name}"


def meters(devices: Sequence[DeviceSettings], own_lfdi: str) -> Iterator[Meter]:
    """Every usage point of these devices, then the aggregator's own."""
    for device in devices:
        for part in _OF_SCOPE[device.scope]:
            yield Meter(
                lfdi=device.lfdi,
                name=part.name,
                sites=device.sites,
                parts=(part,),
                role=part.role,
                directions=part.directions,
            )
    sites = tuple(dict.fromkeys(site for device in devices for site in device.sites))
    if sites:
        yield Meter(
            lfdi=own_lfdi,
            name="ders",
            sites=sites,
            parts=DERS,
            role=RoleFlag.MIRROR | RoleFlag.DER,
            directions=BOTH,
            partial=True,
        )


def total(readings: Sequence[Reading], *, partial: bool) -> Reading | None:
    """The sum of several means, or None: a gap is left out, never filled."""
    values = [reading.value for reading in readings if reading.value is not None]
    whole = len(values) == len(readings)
    if not values or not (whole or partial):
        return None
    good = whole and all(reading.quality is Quality.GOOD for reading in readings)
    quality = Quality.GOOD if good else Quality.ESTIMATED
    return Reading(value=sum(values), quality=quality, at=readings[0].at)


# --- resources ---------------------------------------------------------------------------------


def mrid(pen: int, *name: object) -> str:
    """An mRID that is the same whenever it is made of the same name; it ends in our PEN."""
    digest = sha256("|".join(str(part) for part in name).encode()).hexdigest()
    return f"{digest[:24]}{pen:08x}".upper()


def reading_mrid(pen: int, meter: Meter, direction: FlowDirection, period: timedelta) -> str:
    """Of a meter reading: one per quantity, direction and length of interval."""
    return mrid(pen, meter.key, "W", int(direction), int(period.total_seconds()))


def usage_point(pen: int, meter: Meter, period: timedelta) -> MirrorUsagePoint:
    """The usage point with what will be read there, and no readings yet."""
    return MirrorUsagePoint(
        mrid=mrid(pen, meter.key),
        description=meter.name,
        role_flags=int(meter.role),
        service_category_kind=0,
        status=_ON,
        device_lfdi=meter.lfdi,
        meter_readings=tuple(
            MirrorMeterReading(
                mrid=reading_mrid(pen, meter, direction, period),
                description=f"{meter.name} W {'in' if direction is BOTH[0] else 'out'}",
                reading_type=reading_type(direction, period),
            )
            for direction in meter.directions
        ),
    )


def reading_type(direction: FlowDirection, period: timedelta) -> ReadingType:
    """Mean active power over intervals, W."""
    return ReadingType(
        accumulation_behaviour=int(codes.Accumulation.INSTANTANEOUS),
        commodity=1,
        data_qualifier=int(codes.DataQualifier.AVERAGE),
        flow_direction=int(direction),
        interval_length=period,
        kind=int(codes.ReadingKind.POWER),
        phase=int(codes.Phase.NOT_APPLICABLE),
        power_of_ten_multiplier=0,
        uom=int(codes.Uom.WATT),
    )


def meter_reading(
    pen: int,
    meter: Meter,
    direction: FlowDirection,
    period: timedelta,
    found: Sequence[tuple[Interval, Reading]],
) -> MirrorMeterReading:
    """Readings of some intervals in order (at least one), as one set; told again, it overwrites."""
    name = reading_mrid(pen, meter, direction, period)
    start = found[0][0].start
    return MirrorMeterReading(
        mrid=name,
        reading_sets=(
            MirrorReadingSet(
                mrid=mrid(pen, name, start.isoformat()),
                time_period=DateTimeInterval(
                    start=start, duration=found[-1][0].start + period - start
                ),
                readings=tuple(_reading(one, direction, span) for span, one in found),
            ),
        ),
    )


def register_reading(pen: int, meter: Meter, reading: Reading) -> MirrorMeterReading:
    """Energy imported since the meter was made, Wh: an instantaneous value, without a set."""
    return MirrorMeterReading(
        mrid=mrid(pen, meter.key, "Wh"),
        description=f"{meter.name} Wh in",
        reading=Sep2Reading(
            quality_flags=_flags(reading),
            time_period=DateTimeInterval(start=reading.at, duration=timedelta(0)),
            value=max(0, round(reading.value or 0.0)),
        ),
        reading_type=ReadingType(
            accumulation_behaviour=int(codes.Accumulation.SUMMATION),
            commodity=1,
            data_qualifier=int(codes.DataQualifier.NOT_APPLICABLE),
            flow_direction=int(FlowDirection.FORWARD),
            kind=int(codes.ReadingKind.ENERGY),
            phase=int(codes.Phase.NOT_APPLICABLE),
            power_of_ten_multiplier=0,
            uom=int(codes.Uom.WATT_HOUR),
        ),
    )


def _flags(reading: Reading) -> int:
    good = reading.quality is Quality.GOOD
    return int(codes.Quality.VALID if good else codes.Quality.QUESTIONABLE)


def _reading(reading: Reading, direction: FlowDirection, span: Interval) -> Sep2Reading:
    watts = reading.value or 0.0
    told = watts if direction is FlowDirection.FORWARD else -watts
    return Sep2Reading(
        quality_flags=_flags(reading),
        time_period=DateTimeInterval(start=span.start, duration=span.duration or timedelta(0)),
        value=max(0, round(told)),
    )


# --- time --------------------------------------------------------------------------------------


def period_of(wanted: timedelta, post_rate: timedelta) -> timedelta:
    """Length of the averages: as wanted, shorter if the server asks more often; >= 1 min."""
    period = max(SHORTEST, min(wanted, post_rate))
    whole = int(period / SHORTEST)
    return next(n for n in range(whole, 0, -1) if 60 % n == 0) * SHORTEST


def aligned(instant: datetime, period: timedelta) -> datetime:
    """The last end of an interval of wall-clock time at or before an instant."""
    return instant - (instant - _EPOCH) % period
