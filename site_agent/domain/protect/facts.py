"""What a decision has to know of every charger, found once and read many times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from site_agent.domain.device import ChargerState
from site_agent.domain.protect.estimate import (
    Moment,
    Role,
    Sample,
    Span,
    current_span,
    excess_of,
    power_span,
    role,
    worst_of,
)


@dataclass(frozen=True, slots=True)
class Fact:
    """One charger at the moment of a decision."""

    charger: ChargerState
    role: Role
    w_per_a: float
    measured_a: float | None
    power_w: Span
    current_a: Span
    """Of its most loaded phase."""
    stubborn_a: float
    """What it draws whatever it is told: its worst if it cannot be moved, else its excess."""

    @property
    def evse_id(self) -> str:
        """Its name."""
        return self.charger.spec.evse_id

    @property
    def promised_a(self) -> float:
        """What it was granted: the limit it has accepted, or what it draws stubbornly.

        One that has accepted none since we began was granted its fail-safe share and no more: to
        count it at its rating would make room of what nobody has proved to be free.
        """
        if self.role is not Role.STEERED:
            return self.stubborn_a
        return self.stubborn_a + self.charger.granted_a

    @property
    def phase_a(self) -> Span:
        """Current of each of its phases, A.

        A vehicle on fewer phases than its charger has may load a phase fully or not at all.
        """
        spec = self.charger.spec
        if self.w_per_a / spec.voltage_v > len(spec.phases) - 0.5:
            return self.current_a
        return Span(low=0.0, high=self.current_a.high)


def facts_of(chargers: Iterable[ChargerState], moment: Moment) -> tuple[Fact, ...]:
    """The facts of these chargers, in their order."""
    return tuple(_fact(charger, moment) for charger in chargers)


def steered_of(facts: Iterable[Fact]) -> list[Fact]:
    """Those with a vehicle that obey."""
    return [one for one in facts if one.role is Role.STEERED]


def _fact(charger: ChargerState, moment: Moment) -> Fact:
    sample = Sample.of(charger, moment.now, moment.max_age)
    its_role, amps = role(charger), sample.amps(charger.spec)
    fixed = its_role is Role.FIXED
    return Fact(
        charger,
        its_role,
        sample.watts_per_amp(charger.spec),
        amps,
        power_span(charger, sample, moment),
        current_span(charger, sample, moment),
        worst_of(charger, amps) if fixed else excess_of(charger, amps, moment),
    )
