"""Why a battery or a PV inverter does what it does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from contracts.reading import Reading
from site_agent.domain.device import BatterySetpoint, BatteryState, PvSetpoint, PvState
from site_agent.domain.why.answer import Answer, Seen, Step, Subject, because, kw, span
from site_agent.domain.why.index import Index

_REST_W = 100.0


def why_battery(index: Index, battery_id: str) -> Answer:
    """Why this battery does what it does now."""
    state, setpoint = index.batteries[battery_id]
    return Answer(
        of=Subject.BATTERY,
        name=battery_id,
        at=index.seen.snapshot.at,
        sentence=f"{battery_id} {_battery_doing(state, setpoint)}",
        binding=setpoint.cause if setpoint.power_w else "",
        steps=tuple(_battery_steps(index, state, setpoint)),
    )


def why_pv(index: Index, pv_id: str) -> Answer:
    """Why this inverter makes what it makes now."""
    state, setpoint = index.pv[pv_id]
    return Answer(
        of=Subject.PV,
        name=pv_id,
        at=index.seen.snapshot.at,
        sentence=f"{pv_id} {_pv_doing(index.seen, state, setpoint)}",
        binding="" if setpoint.limit_w is None else setpoint.cause,
        steps=tuple(_pv_steps(index, state, setpoint)),
    )


def _battery_doing(state: BatteryState, setpoint: BatterySetpoint) -> str:
    if not state.online:
        return "does not answer: what it does is counted at its worst"
    if state.local:
        return "takes no setpoints from us: somebody at the device has taken command"
    power_w = setpoint.power_w
    if abs(power_w) < _REST_W:
        return f"rests: {setpoint.cause}"
    does = "charges" if power_w > 0 else "discharges"
    cause = setpoint.cause.removeprefix(f"{does} ")
    if cause != setpoint.cause:
        return f"{does} with {kw(abs(power_w))} {cause}"
    return f"{does} with {kw(abs(power_w))}{because(cause)}"


def _battery_steps(index: Index, state: BatteryState, setpoint: BatterySetpoint) -> Iterator[Step]:
    seen = index.seen
    now, max_age = seen.snapshot.at, seen.snapshot.model.device_max_age
    soc, spec = state.soc_pct.fresh(now, max_age), state.spec
    charge = "its charge is unknown" if soc is None else f"charged to {soc:.0f} %"
    yield Step(what="room", text=f"{charge}; {spec.reserve_soc_pct:g} % are kept in reserve")
    yield Step(what="share", text=setpoint.cause)
    guided = f", wished by {seen.guided_by}" if seen.guided_by else ""
    yield Step(what="setpoint", text=f"{_signed(setpoint.power_w)}{guided}")
    if state.confirmed_w is not None:
        yield Step(what="accepted", text=f"accepted {_signed(state.confirmed_w)}")
    yield Step(what="device", text=_measured(state.power_w, seen))
    yield from _lease(index, spec.battery_id)


def _pv_doing(seen: Seen, state: PvState, setpoint: PvSetpoint) -> str:
    if not state.online:
        return "does not answer: counted at its rating"
    made_w = state.power_w.fresh(seen.snapshot.at, seen.snapshot.model.device_max_age)
    makes = "makes an unknown power" if made_w is None else f"makes {kw(max(0.0, -made_w))}"
    if setpoint.limit_w is None:
        return f"{makes}: {setpoint.cause}"
    return f"{makes} and may make {kw(setpoint.limit_w)}: {setpoint.cause}"


def _pv_steps(index: Index, state: PvState, setpoint: PvSetpoint) -> Iterator[Step]:
    yield Step(what="share", text=setpoint.cause)
    limit_w = setpoint.limit_w
    text = "no limit" if limit_w is None else f"at most {kw(limit_w)} of {kw(state.spec.rated_w)}"
    yield Step(what="setpoint", text=text)
    if not state.takes_limits:
        yield Step(what="accepted", text="takes no limits now")
    yield Step(what="device", text=_measured(state.power_w, index.seen))
    yield from _lease(index, state.spec.pv_id)


def _lease(index: Index, device_id: str) -> Iterator[Step]:
    lease = index.leases.get(device_id)  # an inverter that takes no limits has none
    if lease is not None:
        within = "" if lease.within is None else f" within {span(lease.within)}"
        yield Step(what="lease", text=f"without the agent{within}: {lease.then}")


def _signed(power_w: float) -> str:
    if abs(power_w) < _REST_W:
        return "0 kW"
    return f"{'charge' if power_w > 0 else 'discharge'} {kw(abs(power_w))}"


def _measured(power: Reading, seen: Seen) -> str:
    now: datetime = seen.snapshot.at
    value = power.fresh(now, seen.snapshot.model.device_max_age)
    if value is None:
        return "not measured now"
    does = "gives" if value < 0 else "takes"
    return f"{does} {kw(abs(value))}, {span(now - power.at)} ago"
