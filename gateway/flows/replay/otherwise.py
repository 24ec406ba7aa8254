"""What is to be otherwise when a past event is measured again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from contracts.device_class import DeviceClass
from contracts.errors import PermanentError
from gateway.domain.event import GridEvent
from gateway.domain.measure.presets import preset
from gateway.domain.portfolio import Portfolio
from gateway.domain.program import Program
from gateway.domain.program.measuring import MeasuredBy
from gateway.domain.program.paying import EnergyPay, EnergyPrice, Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Otherwise:
    """Whatever is left out stays as it was."""

    baseline: str = ""
    """Another method: the name of a preset (`domain.measure.presets`)."""
    program_id: str = ""
    """Measured and paid by all rules of this program, in its version of the event's day."""
    sites: tuple[str, ...] = ()
    """These alone, by their ids or groups."""
    device_classes: tuple[DeviceClass, ...] = ()
    """Counted on the meters of these alone."""
    energy_rate: Rate | None = None
    """A fixed price of every kWh that the program's rules pay for."""
    loads: MeasuredBy | None = None
    """On the loads of the sites' agents, or of their revenue meters."""
    known_at: datetime | None = None
    """With the intervals of revenue meters as they were known at this instant."""

    @property
    def nothing(self) -> bool:
        """Whether all is as it was."""
        return self == Otherwise()


def rules_of(program: Program, event: GridEvent, portfolio: Portfolio, new: Otherwise) -> Program:
    """The program with what is otherwise.

    Raises:
        PermanentError: there is no such program, or no such method, or what was known then is not
            kept.
    """
    if new.program_id:
        found = portfolio.program(new.program_id, event.window.start)
        if found is None:
            raise PermanentError(f"no program {new.program_id!r} was in force at its start")
        # Who takes part, and what was promised, stays that of the event's own program.
        program = replace(found, program_id=program.program_id)
    if new.baseline:
        program = _measured_by(program, new.baseline)
    if new.loads is not None:
        program = replace(program, measured_by=new.loads)
    if new.known_at is not None and program.measured_by is not MeasuredBy.REVENUE_METER:
        raise PermanentError(
            "only revenue meters' intervals are kept as they were known: measure by revenue_meter"
        )
    if new.energy_rate is not None:
        program = _paid_at(program, new.energy_rate)
    return program


def event_of(event: GridEvent, portfolio: Portfolio, new: Otherwise) -> GridEvent:
    """The event with what is otherwise.

    Raises:
        PermanentError: none of the sites was addressed by it.
    """
    changed = replace(event, device_classes=new.device_classes or event.device_classes)
    if not new.sites:
        return changed
    within = {site.site_id for site in portfolio.addressed(event)}
    named = portfolio.addressed(replace(event, targets=new.sites))
    kept = tuple(site.site_id for site in named if site.site_id in within)
    if not kept:
        raise PermanentError(f"the event was not about any of: {', '.join(new.sites)}")
    return replace(changed, targets=kept)


def _measured_by(program: Program, name: str) -> Program:
    """Its rules on baselines, which would go before the method, are left out."""
    try:
        method = preset(name).method
    except ValueError as error:
        raise PermanentError(str(error)) from error
    return replace(program, baseline=method, rules=replace(program.rules, baselines=()))


def _paid_at(program: Program, rate: Rate) -> Program:
    rules = program.rules.energy_pay or (EnergyPay(),)
    paid = tuple(replace(one, price=EnergyPrice.FIXED, rate=rate) for one in rules)
    return replace(program, rules=replace(program.rules, energy_pay=paid))
