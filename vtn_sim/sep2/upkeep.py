"""Does a client keep the utility informed, at the pace it was told? DER info, readings, polls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from contracts.sep2.resources import DERCapability, DERSettings, Scaled
from contracts.time import Interval
from vtn_sim.judge import Check, Outcome
from vtn_sim.sep2.devices import Device
from vtn_sim.sep2.exchanges import Poll
from vtn_sim.sep2.judge import line, worst
from vtn_sim.sep2.mirrors import Mirror, Quantity, Sample

_INFO = ("DERCapability", "DERSettings", "DERStatus")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAIRS = (
    ("rtg_max_w", "set_max_w"),
    ("rtg_max_va", "set_max_va"),
    ("rtg_max_charge_rate_w", "set_max_charge_rate_w"),
    ("rtg_max_discharge_rate_w", "set_max_discharge_rate_w"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpkeepRules:
    """What counts as good enough."""

    status_rate: timedelta
    """How often DERStatus is wanted: the DERList's pollRate."""
    post_rate: timedelta
    settle: timedelta
    tolerance: float
    """Part of a period by which it may be missed."""
    min_coverage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UpkeepVerdict:
    """What is known about one EndDevice or one client."""

    subject: str
    checks: tuple[Check, ...]

    @property
    def outcome(self) -> Outcome:
        """Fails as soon as one check does; passes when all have."""
        return worst(self.checks)

    @property
    def text(self) -> str:
        """The verdict as a few lines."""
        return "\n".join([f"{self.subject}: {self.outcome.upper()}", *map(line, self.checks)])


def judge_device(
    device: Device, mirrors: Sequence[Mirror], rules: UpkeepRules, now: datetime
) -> UpkeepVerdict:
    """Whether one EndDevice has told what it is and does, and goes on measuring."""
    checks: list[Check] = []
    for number in range(1, device.ders + 1):
        checks += _information(device, number, rules, now)
    own = [mirror for mirror in mirrors if mirror.lfdi == device.lfdi]
    checks += [check for mirror in own for check in _mirror(mirror, rules, now)]
    if not own:
        text = "no MirrorUsagePoint"
        checks.append(Check(name="readings", outcome=Outcome.PENDING, text=text))
    return UpkeepVerdict(subject=device.label, checks=tuple(checks))


# --- DER information ----------------------------------------------------------------------------


def _information(device: Device, number: int, rules: UpkeepRules, now: datetime) -> Iterable[Check]:
    where = f" of DER {number}" if device.ders > 1 else ""
    for name in _INFO:
        told = device.told.get((number, name))
        if told is None:
            yield Check(name=f"{name}{where}", outcome=Outcome.PENDING, text="never told")
            continue
        age = now - told.at
        old = name == "DERStatus" and age > rules.status_rate * (1 + rules.tolerance) + rules.settle
        text = f"told {told.times} times, last {age.total_seconds():.0f} s ago"
        yield _check(f"{name}{where}", good=not old, text=text)
    yield from _settings(device, number, where)


def _settings(device: Device, number: int, where: str) -> Iterable[Check]:
    """A setting is never above its rating (CSIP CORE-009)."""
    capability = device.told.get((number, "DERCapability"))
    settings = device.told.get((number, "DERSettings"))
    if capability is None or settings is None:
        return
    above = [
        set_name
        for rtg_name, set_name in _PAIRS
        if _above(capability.resource, rtg_name, settings.resource, set_name)
    ]
    text = f"{', '.join(above)} above the rating" if above else "within the ratings"
    yield _check(f"settings{where}", good=not above, text=text)


def _above(capability: object, rtg_name: str, settings: object, set_name: str) -> bool:
    assert isinstance(capability, DERCapability)  # noqa: S101 - told under this name
    assert isinstance(settings, DERSettings)  # noqa: S101 - told under this name
    rating, setting = getattr(capability, rtg_name), getattr(settings, set_name)
    if not isinstance(rating, Scaled) or not isinstance(setting, Scaled):
        return False
    return setting.number > rating.number


# --- readings -----------------------------------------------------------------------------------


def _mirror(mirror: Mirror, rules: UpkeepRules, now: datetime) -> Iterable[Check]:
    for quantity in mirror.quantities.values():
        name = f"readings of {quantity.description or quantity.mrid[:8]}"
        series = quantity.series
        if not series:
            yield Check(name=name, outcome=Outcome.PENDING, text="none yet")
            continue
        yield _aligned(name, series)
        yield _complete(name, series, rules)
        yield _in_time(name, quantity, rules, now)


def _aligned(name: str, series: Sequence[Sample]) -> Check:
    """Averages begin at whole multiples of their length (CSIP-AUS, 5 min by the wall clock)."""
    crooked = [
        sample
        for sample in series
        if sample.duration and (sample.start - _EPOCH) % sample.duration != timedelta(0)
    ]
    text = (
        f"{len(crooked)} of {len(series)} do not begin on the clock" if crooked else "on the clock"
    )
    return _check(f"{name} aligned", good=not crooked, text=text)


def _complete(name: str, series: Sequence[Sample], rules: UpkeepRules) -> Check:
    window = Interval(start=series[0].start, end=series[-1].end)
    total = (series[-1].end - series[0].start).total_seconds()
    known = covered(series, window)
    part = known / total if total else 1.0
    text = f"{part:.0%} of {total:.0f} s known (at least {rules.min_coverage:.0%} wanted)"
    return _check(f"{name} complete", good=part >= rules.min_coverage, text=text)


def covered(series: Sequence[Sample], window: Interval) -> float:
    """Seconds of a closed window over which some sample holds; `series` is in order of time."""
    if window.end is None:
        raise ValueError("only a closed window can be covered")
    known, reached = 0.0, window.start
    for sample in series:
        start, end = max(sample.start, reached), min(sample.end, window.end)
        known += max((end - start).total_seconds(), 0.0)
        reached = max(reached, end)
    return known


def _in_time(name: str, quantity: Quantity, rules: UpkeepRules, now: datetime) -> Check:
    """As often as postRate wants."""
    allowed = rules.post_rate * (1 + rules.tolerance) + rules.settle
    moments = [*quantity.posts, now]
    gaps = [after - before for before, after in pairwise(moments)]
    longest = max(gaps)
    text = f"longest silence {longest.total_seconds():.0f} s (postRate {rules.post_rate.seconds} s)"
    return _check(f"{name} in time", good=longest <= allowed, text=text)


# --- polls --------------------------------------------------------------------------------------


def judge_pace(
    client: str,
    polls: Mapping[tuple[str, str], Sequence[Poll]],
    hints: Mapping[str, Sequence[datetime]],
    rules: UpkeepRules,
    now: datetime,
) -> UpkeepVerdict:
    """Whether a client reads resources as often as their pollRate says (CSIP P38).

    `hints` are the times at which the client was told by Notification of a path it subscribed to:
    it may read such a resource more often, and less often.
    """
    checks = [
        _pace(f"{kind} {path}", seen, hints.get(path), rules, now)
        for (kind, path), seen in sorted(polls.items())
        if any(poll.rate is not None for poll in seen)
    ]
    return UpkeepVerdict(subject=client, checks=tuple(checks))


def _pace(
    name: str,
    polls: Sequence[Poll],
    hints: Sequence[datetime] | None,
    rules: UpkeepRules,
    now: datetime,
) -> Check:
    slow, fast, gaps = 0, 0, 0
    moments = [*(poll.at for poll in polls[1:]), now]
    for poll, after in zip(polls, moments, strict=True):
        if poll.rate is None:
            continue
        gap, last = after - poll.at, after is now
        slow += gap > poll.rate * (1 + rules.tolerance) + rules.settle
        hinted = any(poll.at <= hint <= after for hint in hints or ())
        fast += not last and not hinted and gap < poll.rate * (1 - rules.tolerance)
        gaps += not last
    if hints is not None:
        slow = 0
    text = f"{gaps + 1} polls, {fast} too early, {slow} too late"
    return _check(f"pace of {name}", good=slow == 0 and 2 * fast <= gaps, text=text)


def _check(name: str, *, good: bool, text: str) -> Check:
    return Check(name=name, outcome=Outcome.PASS if good else Outcome.FAIL, text=text)
