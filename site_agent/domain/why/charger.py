"""Why a charger does what it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from site_agent.domain.device import ChargerSetpoint, ChargerState
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.protect.estimate import Role, role, watts_per_amp
from site_agent.domain.why.answer import Answer, Seen, Step, Subject, amps, because, kw, kwh, span
from site_agent.domain.why.index import Index
from site_agent.domain.why.limits import Use

_NOTHING_W = 100.0
"""Below it a vehicle counts as taking nothing."""
_ALL_SHARE = 0.9
"""A vehicle that draws this share of its limit is held by the limit, not by itself."""
_MORE_SHARE = 1.1
"""A vehicle that draws this share of its limit has yet to follow it."""
_SAME_A = 0.15
_WAITS = "waits: "


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    charger: ChargerState
    setpoint: ChargerSetpoint
    need: VehicleNeed | None
    drawn_w: float | None
    """None: not measured now."""
    limit_w: float
    use: Use | None
    """Of the limit that binds it."""
    sharing: int
    """Other vehicles that charge under the same limit."""
    waiting: int
    """Other vehicles that get nothing because of it."""


def why_charger(index: Index, evse_id: str) -> Answer:
    """Why this charger does what it does now."""
    facts = _facts(index, evse_id)
    return Answer(
        of=Subject.CHARGER,
        name=evse_id,
        at=index.seen.snapshot.at,
        sentence=f"{evse_id} {_doing(facts)}",
        binding=_binding(facts),
        steps=tuple(_steps(index, facts)),
    )


def _binding(facts: _Facts) -> str:
    """The limit that keeps it from more, or the wish for which it waits."""
    cause = facts.setpoint.cause
    waits = cause.removeprefix(_WAITS) if cause.startswith(_WAITS) else ""
    return facts.setpoint.bound_by or waits


def doing(index: Index, evse_id: str) -> str:
    """What a charger does and why, as a sentence without its subject."""
    return _doing(_facts(index, evse_id))


def _doing(facts: _Facts) -> str:
    match role(facts.charger):
        case Role.FIXED:
            return facts.setpoint.cause
        case Role.IDLE:
            return f"charges nobody: {_idle(facts)}"
        case Role.STEERED if facts.charger.stuck:
            return "does not charge: its vehicle has not resumed after a pause; look at it"
        case Role.STEERED if facts.setpoint.limit_a == 0:
            return _pausing(facts)
        case Role.STEERED:
            return _charging(facts)


def _facts(index: Index, evse_id: str) -> _Facts:
    snapshot = index.seen.snapshot
    max_age = snapshot.model.device_max_age
    charger, setpoint = index.chargers[evse_id], index.limits[evse_id]
    bound_by = setpoint.bound_by
    return _Facts(
        charger=charger,
        setpoint=setpoint,
        need=index.needs.get(evse_id),
        drawn_w=charger.power_w.fresh(snapshot.at, max_age),
        limit_w=setpoint.limit_a * watts_per_amp(charger, snapshot.at, max_age),
        use=index.uses.get(bound_by),
        sharing=index.charging[bound_by] - (setpoint.limit_a > 0) if bound_by else 0,
        waiting=index.waiting[bound_by] - (setpoint.limit_a == 0) if bound_by else 0,
    )


def _charging(facts: _Facts) -> str:
    drawn_w, limit_w = facts.drawn_w, facts.limit_w
    held = f"{because(facts.setpoint.cause)}{_others(facts)}"
    if limit_w < 0:
        return f"gives back up to {kw(-limit_w)}{held}"
    if drawn_w is None:
        return f"may charge with {kw(limit_w)}{held}"
    if drawn_w >= _ALL_SHARE * limit_w:
        falls = f" and falls to {kw(limit_w)}" if drawn_w > _MORE_SHARE * limit_w else ""
        return f"charges with {kw(drawn_w)}{falls}{held}"
    idle = drawn_w < _NOTHING_W
    if facts.setpoint.limit_a > _held_a(facts) + _SAME_A:
        does = (
            "is about to charge with" if idle else f"charges with {kw(drawn_w)} and may soon take"
        )
        return f"{does} {kw(limit_w)}{held}"
    if idle:
        return f"may charge with {kw(limit_w)}, but its vehicle takes nothing"
    return f"charges with {kw(drawn_w)}: its vehicle takes no more of {kw(limit_w)}"


def _held_a(facts: _Facts) -> float:
    held_a = facts.charger.confirmed_limit_a
    return facts.charger.spec.max_current_a if held_a is None else held_a


def _others(facts: _Facts) -> str:
    """Whether the limit it shares is used up, and who else waits for it."""
    if facts.use is None or facts.setpoint.cause != f"shares {facts.setpoint.bound_by}":
        return ""
    full = ", which is used up" if facts.use.full else ""
    return f"{full}{_waiting(facts.waiting)}"


def _waiting(others: int) -> str:
    if not others:
        return ""
    return "; 1 other waits" if others == 1 else f"; {others} others wait"


def _pausing(facts: _Facts) -> str:
    cause = facts.setpoint.cause
    for start in ("paused: ", _WAITS):
        if cause.startswith(start):
            return f"does not charge: {cause.removeprefix(start)}"
    return f"does not charge: {cause}"


def _idle(facts: _Facts) -> str:
    share = facts.setpoint.cause.removeprefix("no vehicle: ")
    if facts.setpoint.limit_a > 0:
        return f"no vehicle is plugged in; one that comes may at once take {kw(facts.limit_w)}"
    return f"no vehicle is plugged in; {share}"


def _steps(index: Index, facts: _Facts) -> Iterator[Step]:
    seen, charger, setpoint = index.seen, facts.charger, facts.setpoint
    now = seen.snapshot.at
    if facts.use is not None:
        yield Step(what="limit", text=setpoint.bound_by)
        shared = f"; {facts.sharing} others charge under it" if facts.sharing else ""
        waits = f"; {facts.waiting} wait for it" if facts.waiting else ""
        yield Step(what="room", text=f"{facts.use.words()} used{shared}{waits}")
    elif setpoint.bound_by:
        yield Step(what="limit", text=setpoint.bound_by)
    if facts.need is not None:
        yield Step(what="need", text=_need(facts.need, seen))
    yield Step(what="share", text=setpoint.cause)
    what = f"{amps(setpoint.limit_a)} a phase ({kw(facts.limit_w)})"
    guided = f", wished by {seen.guided_by}" if seen.guided_by else ""
    yield Step(what="setpoint", text=f"{what}{guided}")
    yield Step(what="accepted", text=_accepted(facts, seen))
    age = span(now - charger.power_w.at)
    drawn = "not measured now" if facts.drawn_w is None else f"{kw(facts.drawn_w)}, {age} ago"
    yield Step(what="device", text=f"draws {drawn}" if facts.drawn_w is not None else drawn)
    if charger.outranked:
        yield Step(what="device", text=f"another profile stands above ours: {charger.outranked_by}")
    lease = index.leases[charger.spec.evse_id]
    within = "" if lease.within is None else f" within {span(lease.within)}"
    yield Step(what="lease", text=f"without the agent{within}: {lease.then}")


def _need(need: VehicleNeed, seen: Seen) -> str:
    now = seen.snapshot.at
    who = need.vehicle_id if need.known else f"an unknown vehicle (taken as {need.vehicle_id})"
    leaves = need.departure - now
    when = f"leaves in {span(leaves)}" if leaves.total_seconds() > 0 else f"{span(leaves)} overdue"
    if need.required_wh <= 0:
        return f"{who} needs nothing more, {when}"
    laxity = need.laxity(now)
    spare = "to spare" if laxity.total_seconds() >= 0 else "short"
    return f"{who} still needs {kwh(need.required_wh)}, {when}, {span(laxity)} {spare}"


def _accepted(facts: _Facts, seen: Seen) -> str:
    held_a, since = facts.charger.confirmed_limit_a, facts.charger.limit_in_force_since
    if held_a is None:
        return "no limit of ours has been accepted yet"
    ago = "" if since is None else f" {span(seen.snapshot.at - since)} ago"
    if abs(held_a - facts.setpoint.limit_a) < _SAME_A:
        return f"the charger accepted it{ago}"
    return f"not yet: the charger holds {amps(held_a)} a phase, accepted{ago}"
