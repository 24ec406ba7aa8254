"""Short ways to say DER programs, controls and device states, in minutes after noon."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter

from contracts.time import Interval
from gateway.domain.der.control import (
    ControlStatus,
    DerControl,
    DerDefault,
    DerProgram,
    Known,
    ResponseRequired,
)
from gateway.domain.der.device import Device
from gateway.domain.der.engagement import DeviceState
from gateway.domain.der.engine import Step, advance
from gateway.domain.der.responses import CSIP, ResponseProfile

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ALL = ResponseRequired.RECEIVED | ResponseRequired.SPECIFIC | ResponseRequired.USER
DEVICE = Device(lfdi="3E4F45AB31EDFE5B67E343E5E4562E31984E23E5")
EMPTY: DeviceState[float] = DeviceState()
STORE = TypeAdapter(DeviceState[float])


def at(minutes: float) -> datetime:
    return NOON + minutes * MINUTE


def minute(instant: datetime) -> float:
    return (instant - NOON) / MINUTE


def window(start: float, end: float | None) -> Interval:
    return Interval(start=at(start), end=None if end is None else at(end))


def program(name: str = "p", primacy: int = 1) -> DerProgram:
    return DerProgram(program_id=name, primacy=primacy, description=name)


def control(
    mrid: str = "c",
    start: float = 10,
    end: float | None = 20,
    *,
    of: str = "p",
    modes: Mapping[str, float] | None = None,
    created: float = -60,
    random: tuple[float, float] = (0, 0),
    status: int = 0,
    answers: ResponseRequired = ALL,
    reply_to: str | None = "/rsp",
    category: int | None = None,
) -> DerControl[float]:
    """By default `W` at 50 from minute 10 to 20, created an hour ago, with every answer wanted."""
    return DerControl(
        mrid=mrid,
        program_id=of,
        created_at=at(created),
        window=window(start, end),
        modes={"W": 50.0} if modes is None else modes,
        randomize_start=random[0] * MINUTE,
        randomize_duration=random[1] * MINUTE,
        status=ControlStatus(status),
        response_required=answers,
        reply_to=reply_to,
        device_category=category,
    )


def default(of: str = "p", **modes: float) -> DerDefault[float]:
    return DerDefault(program_id=of, modes=modes)


def known(
    *controls: DerControl[float],
    programs: Mapping[str, int] | None = None,
    defaults: tuple[DerDefault[float], ...] = (),
) -> Known[float]:
    """What a server lists; by default all of it in program `p` of primacy 1."""
    named = {"p": 1} if programs is None else programs
    return Known(
        programs=tuple(program(name, primacy) for name, primacy in named.items()),
        controls=controls,
        defaults=defaults,
    )


def restored(state: DeviceState[float]) -> DeviceState[float]:
    """The state as it comes back from a store."""
    return STORE.validate_json(STORE.dump_json(state))


def codes(step: Step[float]) -> list[str]:
    """The Responses due, each as `minute mrid code`."""
    return [f"{minute(due.at):g} {due.mrid} {int(due.code)}" for due in step.responses]


def value(step: Step[float], mode: str, minutes: float) -> float | None:
    """What the schedule has in force."""
    segment = step.schedule.at(mode, at(minutes))
    return None if segment is None else segment.value


def look(
    state: DeviceState[float],
    seen: Known[float] | None,
    minutes: float,
    *,
    device: Device = DEVICE,
    profile: ResponseProfile = CSIP,
    opted_out: Mapping[str, Collection[str]] | None = None,
) -> Step[float]:
    """`advance` at a minute."""
    return advance(state, seen, at(minutes), device=device, profile=profile, opted_out=opted_out)
