"""What can be seen of a device without writing to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median

from contracts.reading import Reading
from contracts.time import Clock
from site_agent.config import SiteSettings
from site_agent.devices.commissioning.found import Found, Nature, Shown
from site_agent.devices.commissioning.verdict import Judge, Line
from site_agent.devices.commissioning.yard import Candidate, lead_of, unit_of_reading

FIRST_S = 15.0
"""How long a device may take to say something for the first time."""
WATCH_S = 8.0
"""How long it is then watched."""
_REQUIRED = {
    Nature.METER: ("active_power", "current_l1"),
    Nature.BATTERY: ("active_power", "soc"),
    Nature.PV: ("active_power",),
    Nature.CHARGER: ("active_power",),
}
_WISHED = {Nature.METER: ("current_l2", "current_l3", "import_energy")}
_ROOM = 1.1
"""A device may show so much of its rating: ratings are rounded."""
_IDLE = 0.02
"""Of a rating: less says nothing about a direction."""
_STEADY = 0.8
"""Of what was said: a point that is usable less often has gaps."""
_SLOW = 1.5
"""Readings so many periods apart are too rare."""

Sample = Mapping[str, Reading]


@dataclass(frozen=True, slots=True)
class Watched:
    """What a device said over some seconds, a sample each time its power was new."""

    samples: tuple[Sample, ...]
    ended_at: datetime

    def usable(self, point: str) -> float:
        """In how much of what was said (0 to 1) the point could be used."""
        told = [point in one and one[point].quality.usable for one in self.samples]
        return sum(told) / len(told)

    @property
    def last(self) -> Sample:
        """The newest."""
        return self.samples[-1]

    def rise(self, point: str) -> float | None:
        """By how much a register rose; None when it did not say."""
        told = [one[point].value for one in self.samples if point in one]
        known = [value for value in told if value is not None]
        return known[-1] - known[0] if known else None

    def mean(self, point: str) -> float | None:
        """The mean of what was said."""
        told = [one[point].value for one in self.samples if point in one]
        known = [value for value in told if value is not None]
        return sum(known) / len(known) if known else None

    def intervals_s(self) -> list[float]:
        """Between readings."""
        lead = lead_of(self.last)
        times = [one[lead].at for one in self.samples]
        spans = ((later - sooner).total_seconds() for sooner, later in pairwise(times))
        tail_s = (self.ended_at - times[-1]).total_seconds()
        told = [span for span in spans if span > 0]
        return [*told, tail_s] if not told or tail_s > max(told) else told


async def first_word(candidate: Candidate, clock: Clock) -> bool:
    """Whether it says anything usable within `FIRST_S`."""
    until_s = clock.monotonic() + FIRST_S
    while clock.monotonic() < until_s:
        said = candidate.readings(clock.now())
        if said[lead_of(said)].quality.usable:
            return True
        await clock.sleep(0.05)
    return False


async def watch(candidate: Candidate, clock: Clock) -> Watched:
    """Follow it for `WATCH_S`."""
    samples = [candidate.readings(clock.now())]
    lead = lead_of(samples[0])
    until_s = clock.monotonic() + WATCH_S
    while clock.monotonic() < until_s:
        await clock.sleep(candidate.period_s / 10)
        said = candidate.readings(clock.now())
        if said[lead].at != samples[-1][lead].at:
            samples.append(said)
    return Watched(tuple(samples), clock.now())


# --- who it is ------------------------------------------------------------------------------------


def identity(judge: Judge, candidate: Candidate, found: Found) -> Iterator[Line]:
    """Whether it is what the settings say."""
    serial = f", serial {found.identity.serial}" if found.identity.serial else ""
    version = f", version {found.identity.version}" if found.identity.version else ""
    said = f"{found.name}{version}{serial}"
    if found.nature is candidate.nature:
        yield judge.ok("identity", said)
    else:
        nature = found.nature or "nothing a site can use"
        yield judge.fail(
            "identity",
            f"{said} is {nature}, the settings want a {candidate.nature}",
            "is this its address and unit id? `gridyard device probe` shows who is there",
        )


def scale_factors(judge: Judge, found: Found) -> Line:
    """Points that the device has but gives no scale for, so that they do not exist for us."""
    lost = [point.name for group in found.groups for point in group.points if _unscaled(point)]
    if not lost:
        return judge.ok("scale factors", "every point that has a value has its scale factor")
    return judge.warn(
        "scale factors",
        f"none for {', '.join(lost[:8])}{' ...' if len(lost) > 8 else ''}: read as no value",  # noqa: PLR2004 - a line's length
        "a setpoint among them cannot be written; ask the maker for a firmware that has them",
    )


def _unscaled(point: Shown) -> bool:
    return point.value is None and "scale factor" in point.why


def ratings(judge: Judge, candidate: Candidate, found: Found) -> Iterator[Line]:
    """Whether the settings ask for more than the device names."""
    for key, told in found.ratings.items():
        ours = getattr(candidate.settings, key, None)
        if ours is None:
            continue
        if ours > told * _ROOM:
            yield judge.warn(
                "ratings",
                f"{key} is {ours:g} in the settings, the device says {told:g}",
                "the device's own number binds it; correct the settings, or the device",
            )
        else:
            yield judge.ok("ratings", f"{key} {ours:g}, the device says {told:g}")


# --- what it says ---------------------------------------------------------------------------------


def points(judge: Judge, candidate: Candidate, watched: Watched) -> Iterator[Line]:
    """Whether all that is needed is there."""
    said = watched.last
    usable = {name for name in said if watched.usable(name)}
    missing = [name for name in _REQUIRED.get(candidate.nature, ()) if name not in usable]
    if missing:
        yield judge.fail(
            "points",
            f"no usable {', '.join(f'{name} ({_quality(said, name)})' for name in missing)}",
            "without them it cannot be used; `gridyard device watch` shows what it does say",
        )
    wished = said if candidate.nature is Nature.SENSOR else _WISHED.get(candidate.nature, ())
    lacking = [name for name in wished if name not in usable]
    if lacking:
        yield judge.warn("points", f"no {', '.join(lacking)}", _without(candidate))
    gaps = [name for name in usable if watched.usable(name) < _STEADY]
    if gaps:
        yield judge.warn(
            "points",
            f"now and then no fresh {', '.join(sorted(gaps))}",
            "is the network or the bus good, does another client keep the device busy?",
        )
    if not missing:
        shown = (f"{name} {worded(name, said[name])}" for name in said if name in usable)
        yield judge.ok("points", ", ".join(shown))


def _without(candidate: Candidate) -> str:
    if candidate.nature is Nature.METER:
        return (
            "without a current a phase counts as loaded like the highest; without an energy "
            "register (or one at 0) sign and scale cannot be cross-checked"
        )
    return "does the device have it? `gridyard device watch` shows what it says"


def _quality(said: Sample, name: str) -> str:
    return said[name].quality.value if name in said else "not there"


def worded(name: str, reading: Reading) -> str:
    """A reading with its unit."""
    told = "-" if reading.value is None else f"{reading.value:g} {unit_of_reading(name)}"
    return told.rstrip()


def plausible(
    judge: Judge, candidate: Candidate, watched: Watched, site: SiteSettings
) -> Line | None:
    """Whether its power can be true of a device like it."""
    power_w = watched.mean("active_power")
    if power_w is None or candidate.nature is Nature.SENSOR:
        return None
    low_w, high_w = _bounds(candidate, site)
    if low_w <= power_w <= high_w:
        return judge.ok("plausible", f"{power_w:g} W lies within {low_w:g} to {high_w:g} W")
    return judge.fail(
        "plausible",
        f"{power_w:g} W is beyond {low_w:g} to {high_w:g} W",
        "a wrong scale (kW taken for W), a wrong register or a wrong sign; or the settings' "
        "ratings are not this device's",
    )


def _bounds(candidate: Candidate, site: SiteSettings) -> tuple[float, float]:
    settings = candidate.settings
    if candidate.nature is Nature.BATTERY:
        return -_ROOM * settings.max_discharge_w, _ROOM * settings.max_charge_w
    if candidate.nature is Nature.PV:
        return -_ROOM * settings.rated_w, _IDLE * settings.rated_w
    if candidate.nature is Nature.CHARGER:
        rated_w = settings.max_current_a * len(settings.phases) * site.voltage_v
        return -_IDLE * rated_w, _ROOM * rated_w
    most_w = 3 * site.circuit.limit_a * site.voltage_v * 1.25  # fuses carry that for a while
    return -most_w, most_w


def phases(judge: Judge, watched: Watched, site: SiteSettings) -> Line | None:
    """Whether currents and power of a meter are of one scale: power is at most U times I."""
    power_w = watched.mean("active_power")
    currents = [watched.mean(f"current_l{n}") for n in (1, 2, 3)]
    known = [abs(one) for one in currents if one is not None]
    if power_w is None or len(known) not in (1, 3):
        return None  # two of three say nothing of the third
    most_w = sum(known) * site.voltage_v * 1.15 + _IDLE * site.circuit.limit_a * site.voltage_v
    if abs(power_w) <= most_w:
        return judge.ok("scale", f"{abs(power_w):.0f} W fits {sum(known):.1f} A over the phases")
    return judge.fail(
        "scale",
        f"{abs(power_w):.0f} W is more than {sum(known):.1f} A over the phases can carry",
        "the ratio of the current transformers is set wrongly in the meter, one of them is not "
        "connected, or a scale is wrong",
    )


def sign(judge: Judge, candidate: Candidate, watched: Watched, site: SiteSettings) -> Line | None:
    """Whether it counts as we do: import, consumption and charging positive."""
    power_w = watched.mean("active_power")
    if candidate.nature in (Nature.SENSOR, Nature.CHARGER):
        return None  # a charger's bounds say it already
    if power_w is None:
        return judge.warn("sign", "no power to judge it by", "see `points`")
    if candidate.nature is Nature.METER:
        return _meter_sign(judge, watched, power_w, _IDLE * site.circuit.limit_a * site.voltage_v)
    if candidate.nature is Nature.PV:
        return _pv_sign(judge, power_w, _IDLE * candidate.settings.rated_w)
    direction = "charging" if power_w > 0 else "discharging" if power_w < 0 else "at rest"
    return judge.warn(
        "sign",
        f"{power_w:g} W: by this it is {direction}",
        "look at its own display; `--write` moves it a little and compares",
    )


def _meter_sign(judge: Judge, watched: Watched, power_w: float, idle_w: float) -> Line:
    imported, exported = watched.rise("import_energy"), watched.rise("export_energy")
    if abs(power_w) > idle_w:
        right, wrong = (imported, exported) if power_w > 0 else (exported, imported)
        if right and not wrong:
            return judge.ok("sign", f"{power_w:g} W, and the register of that direction rises")
        if wrong and not right:
            return judge.fail(
                "sign",
                f"{power_w:g} W, but the energy register of the other direction rises",
                "import must be positive: set `invert` of the meter in the settings",
            )
    way = "the site imports" if power_w > 0 else "the site exports"
    return judge.warn(
        "sign",
        f"{power_w:g} W: by this {way}; its energy registers have not moved enough to prove it",
        "import must be positive: switch a known load on and see the number rise; if it falls, set "
        "`invert`. `--write` with a battery proves it too",
    )


def _pv_sign(judge: Judge, power_w: float, idle_w: float) -> Line:
    if power_w < -idle_w:
        return judge.ok("sign", f"{power_w:g} W: generation is negative")
    if power_w > idle_w:
        return judge.fail(
            "sign",
            f"{power_w:g} W: an inverter that consumes",
            "generation must be negative: the profile's `invert` is wrong, or this is not PV",
        )
    return judge.warn("sign", f"{power_w:g} W: too little to tell", "check again in daylight")


def period(judge: Judge, candidate: Candidate, watched: Watched) -> Line:
    """Whether the wanted rate of readings is reached on this wire."""
    intervals = sorted(watched.intervals_s())
    if not intervals:
        return judge.fail("period", "nothing new was said while it was watched", "see `points`")
    usual_s, slow_s = median(intervals), intervals[int(0.95 * (len(intervals) - 1))]
    wanted_s = candidate.period_s
    told = f"every {usual_s:.2f} s, 95 % within {slow_s:.2f} s; wanted {wanted_s:g} s"
    if slow_s <= wanted_s * _SLOW + 0.1:
        return judge.ok("period", told)
    return judge.warn(
        "period",
        told,
        "the device, its bus or its other clients are slower than that: set `period_s` to what is "
        "reached (a meter must keep well below `max_age_s`)",
    )


def moves(judge: Judge, candidate: Candidate, watched: Watched) -> Line | None:
    """Whether a value that should move moves: a frozen meter is the most dangerous one."""
    if candidate.nature is not Nature.METER:
        return None
    told = {one["active_power"].value for one in watched.samples}
    if len(told) > 1:
        return judge.ok("moves", f"{len(told)} different values in {len(watched.samples)} readings")
    return judge.warn(
        "moves",
        f"always {worded('active_power', watched.last['active_power'])} while it was watched",
        "real power flickers: is the meter connected, and does the device copy it live? Switch a "
        "load and look again",
    )
