"""Live values, again and again: of one unit as it shows itself, or of a site's devices."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from contracts.errors import GridyardError, ProtocolError
from contracts.reading import Quality, Reading
from contracts.time import Clock
from site_agent.config import SiteSettings
from site_agent.devices.commissioning import sunspec_survey
from site_agent.devices.commissioning.found import Found, Group, Value
from site_agent.devices.commissioning.probe import Survey, meet
from site_agent.devices.commissioning.yard import unit_of_reading, yard
from site_agent.devices.modbus.link import RegisterLink
from site_agent.devices.polling import next_deadline
from site_agent.devices.sunspec.unit import SunSpecUnit
from site_agent.ports import SessionStore

Read = Callable[[], Awaitable[Found]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One value at one time."""

    device: str
    name: str
    value: Value
    unit: str
    meaning: str
    quality: Quality
    at: datetime
    """When the device said so."""

    def as_dict(self, now: datetime) -> dict[str, object]:
        """For JSON."""
        return {
            "device": self.device,
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "meaning": self.meaning,
            "quality": self.quality.value,
            "at": self.at.isoformat(),
            "age_s": round((now - self.at).total_seconds(), 3),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Everything at one time."""

    at: datetime
    rows: tuple[Row, ...]
    trouble: str = ""
    """Why nothing new could be read."""


Tell = Callable[[Picture], None]


@dataclass(frozen=True, slots=True)
class Pace:
    """How often, and how many times (None: for ever)."""

    every_s: float
    count: int | None = None

    async def beats(self, clock: Clock, begun: int = 0) -> AsyncIterator[None]:
        """On absolute deadlines; `begun`: so many have been."""
        due_s = clock.monotonic()
        beaten = begun
        while self.count is None or beaten < self.count:
            due_s = next_deadline(due_s, self.every_s, clock.monotonic())
            await clock.sleep(due_s - clock.monotonic())
            yield
            beaten += 1


async def of_unit(
    link: RegisterLink,
    unit: int,
    clock: Clock,
    surveys: Sequence[Survey],
    pace: Pace,
    tell: Tell,
) -> None:
    """One unit. When it falls silent its last values stay, STALE, with their age.

    SunSpec devices are read where they measure; their settings are not read again.

    Raises:
        ProtocolError, NobodyThereError: as `meet`.
    """
    read = _reader(link, unit, clock, surveys, await meet(link, unit, clock, surveys))
    last = await read()
    tell(Picture(at=clock.now(), rows=_rows(last)))
    async for _ in pace.beats(clock, begun=1):
        try:
            last = await read()
        except GridyardError as error:
            stale = tuple(replace(row, quality=Quality.STALE) for row in _rows(last))
            tell(Picture(at=clock.now(), rows=stale, trouble=str(error)))
        else:
            tell(Picture(at=clock.now(), rows=_rows(last)))


def _reader(
    link: RegisterLink, unit: int, clock: Clock, surveys: Sequence[Survey], found: Found
) -> Read:
    if found.profile is None:
        sunspec = SunSpecUnit(link, unit)
        return lambda: sunspec_survey.measured(sunspec, unit, clock.now())

    knowing = list(surveys)

    async def by_profile() -> Found:
        for survey in tuple(knowing):
            with suppress(ProtocolError):  # that one knows it not
                again = await survey(link, unit, clock.now())
                if again is not None:
                    knowing[:] = [survey]
                    return again
        raise ProtocolError("it is another device now")

    return by_profile


def _rows(found: Found) -> tuple[Row, ...]:
    return tuple(row for group in found.groups for row in _of_group(group, found.at))


def _of_group(group: Group, at: datetime) -> list[Row]:
    return [
        Row(
            device=group.title,
            name=point.name,
            value=point.value,
            unit=point.unit,
            meaning=point.meaning,
            quality=point.quality,
            at=at,
        )
        for point in group.points
        if point.value is not None
    ]


async def of_site(
    settings: SiteSettings,
    clock: Clock,
    sessions: SessionStore,
    device: str | None,
    pace: Pace,
    tell: Tell,
) -> None:
    """A site's devices as its agent would see them: names, signs and units of the vocabulary.

    Raises:
        ConfigError: a device cannot be made of its settings.
    """
    async with yard(settings, clock, sessions) as devices:
        chosen = [one for one in devices.candidates if device in (None, one.id)]
        for one in chosen:
            devices.start(one)
        async for _ in pace.beats(clock):
            now = clock.now()
            tell(
                Picture(
                    at=now,
                    rows=tuple(row for one in chosen for row in rows_of(one.id, one.readings(now))),
                )
            )


def rows_of(device: str, said: Mapping[str, Reading]) -> list[Row]:
    """A device's readings, one a row."""
    return [
        Row(
            device=device,
            name=name,
            value=reading.value,
            unit=unit_of_reading(name),
            meaning="",
            quality=reading.quality,
            at=reading.at,
        )
        for name, reading in said.items()
    ]
