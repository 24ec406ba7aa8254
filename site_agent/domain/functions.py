"""Which autonomous functions are in force, and which of them each inverter should do.

Functions of all instructions in force add. Of two for the same `contracts.inverter.slot` of one
inverter, that of the highest `site_seq` counts; inside one instruction the one named last.

**One mode of reactive power at a time** (IEEE 1547-2018, 5.3.1): constant var, constant power
factor, volt-var and watt-var exclude each other in an inverter. The first of `PRECEDENCE` that is
asked for counts, whoever asks: a constant is an order for this moment, a curve what holds in
general, and of the curves volt-var is the one that also guards the voltage. The others are named
in a notice, never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.inverter import CurveKind, InverterFunction, Inverters, slot
from site_agent.domain.instruction import SiteInstruction, in_force

PRECEDENCE: tuple[frozenset[str], ...] = (
    frozenset({"fixed_var"}),
    frozenset({"power_factor_injecting", "power_factor_absorbing"}),
    frozenset({CurveKind.VOLT_VAR.value}),
    frozenset({CurveKind.WATT_VAR.value}),
)
"""Modes of reactive power, by the slots that make them, the strongest first."""
REACTIVE: frozenset[str] = frozenset().union(*PRECEDENCE)
"""Slots of reactive power."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What one inverter should do by itself."""

    functions: tuple[InverterFunction, ...] = ()
    """At most one for each slot, in order of slots; equal assignments compare equal."""
    displaced: tuple[tuple[str, str], ...] = ()
    """(slot that is not done, slot in whose favour), in order of slots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unheld:
    """A function that is asked for and not done."""

    subject: str
    """The device, or `site.ROOT` when the site has no inverter for it."""
    slot: str
    reason: str
    refused: bool = True
    """False: it may still come (the device is busy or does not answer)."""


def functions_at(
    instructions: Iterable[SiteInstruction], now: datetime
) -> tuple[InverterFunction, ...]:
    """Everything asked for at `now`, steps and fallbacks alike, in order of `site_seq`."""
    asked = in_force(instructions, now)
    return tuple(function for one in asked for function in one.bounds.functions)


def assign(asked: Sequence[InverterFunction], to: Inverters) -> Assignment:
    """What an inverter of the kind `to` (generation or storage) should do of all that is asked."""
    newest = {slot(one): one for one in asked if one.on in (Inverters.ALL, to)}
    displaced = dict(_displaced(newest))
    return Assignment(
        functions=tuple(newest[name] for name in sorted(newest) if name not in displaced),
        displaced=tuple(sorted(displaced.items())),
    )


def homeless(
    asked: Sequence[InverterFunction], kinds: Iterable[Inverters], subject: str
) -> tuple[Unheld, ...]:
    """Functions for which a site with inverters of these kinds has none at all."""
    kinds = frozenset(kinds)
    missing = {
        slot(one): one.on
        for one in asked
        if not (kinds if one.on is Inverters.ALL else kinds & {one.on})
    }
    return tuple(
        Unheld(subject=subject, slot=name, reason=f"no inverter here ({on.value})")
        for name, on in sorted(missing.items())
    )


def _displaced(newest: Mapping[str, InverterFunction]) -> Iterator[tuple[str, str]]:
    asked = [mode & newest.keys() for mode in PRECEDENCE]
    present = [names for names in asked if names]
    for weaker in present[1:]:
        for name in weaker:
            yield name, min(present[0])
