"""What a device without SunSpec is, by the profiles that know it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from contracts.reading import Quality
from contracts.time import Clock
from site_agent.devices.commissioning.capture import Device
from site_agent.devices.commissioning.found import Found, Group, Nature, Shown
from site_agent.devices.commissioning.probe import Survey
from site_agent.devices.modbus.link import Priority, RegisterLink
from site_agent.devices.points.vocabulary import POINTS
from site_agent.devices.profiles.meaning import points_of, read_points, registers_of
from site_agent.devices.profiles.schema import Profile
from site_agent.devices.profiles.source import ProfileSource


def surveys(profiles: Iterable[Profile], clock: Clock) -> tuple[Survey, ...]:
    """A look by each profile that says how its device is told from others."""
    return tuple(survey_by(one, clock) for one in profiles if one.match is not None)


def survey_by(profile: Profile, clock: Clock) -> Survey:
    """A look by one profile; one without `match` takes any device for its own."""

    async def survey(link: RegisterLink, unit: int, at: datetime) -> Found | None:
        source = ProfileSource(
            profile, link, name=profile.id, clock=clock, wake=_nobody, unit_id=unit
        )
        if not await _matches(profile, source):
            return None
        groups = [await _group(profile, source, name) for name in profile.groups]
        return Found(
            unit=unit,
            profile=profile.id,
            nature=Nature(profile.nature),
            identity=Device(model=profile.name),
            groups=tuple(groups),
            at=at,
        )

    return survey


async def _matches(profile: Profile, source: ProfileSource) -> bool:
    if profile.match is None:
        return True
    numbers = await source.numbers([profile.match], Priority.SLOW)
    return numbers[profile.match] in profile.match.among


async def _group(profile: Profile, source: ProfileSource, name: str) -> Group:
    points = points_of(profile, name)
    numbers = await source.numbers(registers_of(profile, name), Priority.SLOW)
    said = read_points(profile, points, numbers.__getitem__)
    shown = (_shown(point, one.value, one.quality) for point, one in said.items())
    return Group(title=name, points=tuple(shown))


def _shown(name: str, value: float | None, quality: Quality) -> Shown:
    point = POINTS[name]
    return Shown(
        name=name,
        value=value,
        unit=point.unit,
        label=point.meaning,
        quality=quality,
        why="" if value is not None else "not told, or not plausible",
    )


def _nobody() -> None:
    """No control loop listens."""
