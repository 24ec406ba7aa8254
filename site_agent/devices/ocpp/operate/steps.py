"""The words of the checklist: one step, its verdict, and what the meter must show for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.time import Clock
from site_agent.devices.ocpp.evse.charger import OcppCharger
from site_agent.domain.device import ChargerState

_LOOK_S = 0.5
_TOLERANCE_A = 1.0
_TOLERANCE_SHARE = 0.05


class Verdict(StrEnum):
    """How a step went."""

    PASS = "PASS"  # noqa: S105 (a verdict)
    FAIL = "FAIL"
    NOT_TRIED = "NOT TRIED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the checklist."""

    step: str
    verdict: Verdict
    detail: str
    hint: str = ""

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


async def seen(
    evse: OcppCharger, clock: Clock, condition: Callable[[ChargerState], bool], within_s: float
) -> ChargerState | None:
    """The first state that fulfils a condition; None when there is none in time."""
    until = clock.now() + timedelta(seconds=within_s)
    while not condition(state := evse.state(clock.now())):
        if clock.now() >= until:
            return None
        await clock.sleep(_LOOK_S)
    return state


def passed(step: str, detail: str) -> Step:
    """A step that went well."""
    return Step(step=step, verdict=Verdict.PASS, detail=detail)


def failed(step: str, detail: str, hint: str) -> Step:
    """A step that did not, and what to do."""
    return Step(step=step, verdict=Verdict.FAIL, detail=detail, hint=hint)


def not_tried(step: str, why: str) -> Step:
    """A step that could not be taken."""
    return Step(step=step, verdict=Verdict.NOT_TRIED, detail=why)


def said(value: int | None) -> str:
    """What a charger tells of itself."""
    return "not told" if value is None else str(value)


def drawn(state: ChargerState) -> float:
    """A per phase, from power where current is not measured."""
    spec = state.spec
    if state.current_a.quality.usable and state.current_a.value is not None:
        return state.current_a.value
    power_w = state.power_w.value if state.power_w.quality.usable else None
    phases = state.phases_used or len(spec.phases)
    return 0.0 if power_w is None else power_w / (phases * spec.voltage_v)


def keeps(state: ChargerState, limit_a: float, since: datetime) -> bool:
    """Whether a sample taken since then is within the limit."""
    sampled = max(state.current_a.at, state.power_w.at)
    most_a = limit_a + max(_TOLERANCE_A, _TOLERANCE_SHARE * limit_a)
    return sampled > since and drawn(state) <= most_a
