"""The decision journal: what has changed on the site, when, and why.

An entry is written when something a person would ask about has changed: a limit and its source, a
setpoint, who guides, the mode, a vehicle's prospect. Small moves, and causes that flicker while the
setpoint stays, are not; they are compared with what was last written, so no slow drift is lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache, lru_cache

from site_agent.domain.device import ChargerState
from site_agent.domain.protect.envelope import Bound
from site_agent.domain.protect.estimate import Role, role
from site_agent.domain.why.answer import Answer, Seen, Subject, amps, kw
from site_agent.domain.why.asked import SITE, answer
from site_agent.domain.why.index import Index, index_of

SPACING = timedelta(seconds=15)
"""Between two entries of one subject, unless it starts, stops, appears or goes."""
QUIET = timedelta(minutes=5)
"""A changed cause alone is written this long after the subject's last entry."""
_A_STEP, _SHARE_STEP, _LIMIT_STEP = 1.0, 0.1, 0.02
"""A setpoint has moved when it did by so many A or kW, and by this share; limits by less."""


class Kind(StrEnum):
    """What an entry is about."""

    SETPOINT = "setpoint"
    LIMIT = "limit"
    VEHICLE = "vehicle"
    MODE = "mode"
    PLAN = "plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One change and its causes."""

    at: datetime
    kind: Kind
    subject: str
    """A device, a vehicle, or `site`."""
    text: str
    """What changed, as one sentence."""
    answer: Answer | None = None
    """Why its subject was as it was from then on; None for what explains itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What was last written of one subject."""

    at: datetime
    state: str
    """What makes an entry at once when it differs."""
    value: float
    """What makes one when it has moved enough."""
    cause: str
    """Without numbers: what makes one when it differs for long."""


@dataclass(frozen=True, slots=True)
class Noted:
    """What has been written so far, by (kind, subject)."""

    marks: Mapping[tuple[Kind, str], Mark] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Now:
    """How one subject is now."""

    kind: Kind
    subject: str
    of: Subject | None = None
    """What the entry answers about; None: it explains itself."""
    state: str
    value: float = 0.0
    cause: str = ""
    step: float = _SHARE_STEP
    """A share of its value that counts as a move."""
    text: str = ""
    """Empty: the sentence of the answer."""


def note(noted: Noted, seen: Seen) -> tuple[tuple[Entry, ...], Noted]:
    """The entries of this cycle, and what has then been written.

    The first cycle of an agent's life writes how everything is; entries of one cycle are in the
    order of cause and effect: limits, mode, plan, setpoints, vehicles.
    """
    at, index = seen.snapshot.at, cache(lambda: index_of(seen))
    entries: list[Entry] = []
    marks: dict[tuple[Kind, str], Mark] = {}
    for one in _states(seen):
        key = (one.kind, one.subject)
        before = noted.marks.get(key)
        if before is not None and not _changed(before, one, at):
            marks[key] = before
            continue
        marks[key] = Mark(at=at, state=one.state, value=one.value, cause=_essence(one.cause))
        entries.append(_entry(index, one))
    entries += [_gone(key, at) for key in noted.marks if key not in marks and _tells_end(key)]
    return tuple(entries), Noted(marks)


def _changed(before: Mark, now: _Now, at: datetime) -> bool:
    if now.state != before.state:
        return True
    age = at - before.at
    moved = abs(now.value - before.value)
    largest = max(abs(now.value), abs(before.value))
    if moved >= max(_A_STEP, now.step * largest) and age >= SPACING:
        return True
    return _essence(now.cause) != before.cause and age >= QUIET


def _entry(index: Callable[[], Index], one: _Now) -> Entry:
    found = None
    if one.of is not None:
        found = answer(index(), one.of, one.subject)
    text = one.text or ("" if found is None else found.sentence)
    subject = SITE if one.kind is Kind.LIMIT else one.subject
    return Entry(
        at=index().seen.snapshot.at, kind=one.kind, subject=subject, text=text, answer=found
    )


def _tells_end(key: tuple[Kind, str]) -> bool:
    kind, _ = key
    return kind in (Kind.LIMIT, Kind.VEHICLE)


def _gone(key: tuple[Kind, str], at: datetime) -> Entry:
    kind, subject = key
    if kind is Kind.VEHICLE:
        return Entry(at=at, kind=kind, subject=subject, text=f"{subject} has left its charger")
    return Entry(at=at, kind=kind, subject=SITE, text=f"the {subject} limit has ended")


def _states(seen: Seen) -> Iterator[_Now]:
    yield from _limits(seen)
    yield _Now(
        kind=Kind.SETPOINT,
        subject=SITE,
        of=Subject.SITE,
        state="",
        cause=seen.decision.binding,
    )
    if seen.mode:
        text = f"the site is in mode {seen.mode}: {seen.mode_why}"
        yield _Now(kind=Kind.MODE, subject=SITE, state=seen.mode, text=text)
    guided = seen.guided_by or "nobody: vehicles charge as soon as there is power"
    yield _Now(kind=Kind.PLAN, subject=SITE, state=guided, text=f"guided by {guided}")
    yield from _setpoints(seen)
    yield from _vehicles(seen)


def _limits(seen: Seen) -> Iterator[_Now]:
    """Each limit by what it limits; entries stand under `site`."""
    envelope = seen.decision.envelope
    watts: Mapping[str, Bound | None] = {
        "import": envelope.import_w,
        "export": envelope.export_w,
        "load": envelope.load_w,
        "generation": envelope.generation_w,
        "storage": envelope.storage_w,
    }
    for side, bound in watts.items():
        if bound is not None:
            yield _limit(side, bound.value / 1000, kw(abs(bound.value)), bound.cause)
    for node, bound in envelope.node_current_a.items():
        yield _limit(f"{node} current", bound.value, f"{amps(bound.value)} a phase", bound.cause)
    for side, words in seen.decision.unmet.items():
        name = f"unkept {side.value}"
        yield _Now(kind=Kind.LIMIT, subject=name, state=_essence(words), text=words)


def _limit(name: str, value: float, shown: str, cause: str) -> _Now:
    text = f"the {name} limit is {shown}: {cause}"
    return _Now(
        kind=Kind.LIMIT, subject=name, state=cause, value=value, step=_LIMIT_STEP, text=text
    )


def _setpoints(seen: Seen) -> Iterator[_Now]:
    told = {one.evse_id: one for one in seen.decision.chargers}
    for charger in seen.snapshot.chargers:
        limit = told[charger.spec.evse_id]
        yield _Now(
            kind=Kind.SETPOINT,
            subject=limit.evse_id,
            of=Subject.CHARGER,
            state=f"{role(charger).name} {_way(limit.limit_a)}",
            value=_used_a(charger, limit.limit_a),
            cause=limit.cause,
        )
    for battery, power in zip(seen.snapshot.batteries, seen.decision.batteries, strict=True):
        state = f"{battery.online} {battery.local} {_way(power.power_w)}"
        value = power.power_w / 1000
        yield _Now(
            kind=Kind.SETPOINT,
            subject=power.battery_id,
            of=Subject.BATTERY,
            state=state,
            value=value,
            cause=power.cause,
        )
    for inverter, most in zip(seen.snapshot.pv, seen.decision.pv, strict=True):
        yield _Now(
            kind=Kind.SETPOINT,
            subject=most.pv_id,
            of=Subject.PV,
            state=f"{inverter.online} {most.limit_w is None}",
            value=0.0 if most.limit_w is None else most.limit_w / 1000,
            cause=most.cause,
        )


def _used_a(charger: ChargerState, limit_a: float) -> float:
    """Its limit as far as its vehicle uses it: room it does not take may move unseen.

    By the last sample, however old: silence changes nothing, and is told in words of its own.
    """
    drawn_a = charger.current_a.value
    steered = role(charger) is Role.STEERED
    return min(limit_a, drawn_a) if steered and drawn_a is not None else limit_a


def _vehicles(seen: Seen) -> Iterator[_Now]:
    told = {one.evse_id: one.limit_a for one in seen.decision.chargers}
    prospects = {one.vehicle_id: one for one in seen.prospects}
    here = {need.vehicle_id: need for need in seen.snapshot.needs if need.known}
    for name, need in here.items():
        one = prospects.get(name)
        ready = one is None or one.on_track
        yield _Now(
            kind=Kind.VEHICLE,
            subject=name,
            of=Subject.VEHICLE,
            state=f"{need.evse_id} {_way(told.get(need.evse_id, 0.0))} {ready}",
        )


def _way(value: float) -> str:
    return "up" if value > 0 else "down" if value < 0 else "none"


@lru_cache(maxsize=4096)
def _essence(cause: str) -> str:
    """A cause without its numbers; causes repeat every second."""
    return re.sub(r"\d+(?:\.\d+)?", "#", cause)
