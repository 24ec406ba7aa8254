"""A proposal: for every slot of a period a quantity that explains itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import fsum

from gateway.domain.nomination.beside import Taken, taken
from gateway.domain.nomination.estimate import Estimate, from_history, from_offers
from gateway.domain.nomination.grounds import Grounds
from gateway.domain.nomination.nomination import Quantity
from gateway.domain.nomination.period import Slot, slots
from gateway.domain.nomination.sizing import priced, sized, sizes
from gateway.domain.program.program import Program
from gateway.domain.program.promise import Shape
from gateway.domain.words import kw, pct

PROPOSABLE = (Shape.BY, Shape.TO, Shape.AVERAGE)
"""Shapes whose quantity is a reduction that the book knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What could be promised for a period."""

    quantities: tuple[Quantity, ...]
    sites_out: tuple[tuple[str, str], ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing can be promised at all."""
        return not any(one.power_w > 0 for one in self.quantities)

    @property
    def why_empty(self) -> str:
        """In words, each reason once."""
        said = (word for one in self.quantities for word in one.words)
        out = (f"{site_id}: {why}" for site_id, why in self.sites_out)
        return "; ".join(dict.fromkeys((*said, *out))) or "the program calls in no hour of it"


def shape_of(program: Program) -> Shape:
    """What a commitment to a program means; the first that its rules name."""
    return program.rules.commitment[0].shape if program.rules.commitment else Shape.BY


def propose(grounds: Grounds) -> Proposal:
    """The quantities of a period."""
    found = slots(grounds.program, grounds.rule, grounds.period)
    return Proposal(
        quantities=tuple(_quantity(slot, grounds) for slot in found),
        sites_out=tuple((one.site_id, one.out) for one in grounds.members if one.out),
    )


def _quantity(slot: Slot, grounds: Grounds) -> Quantity:
    shape = shape_of(grounds.program)
    beside = {m.site_id: taken(m.site_id, slot.hours, grounds.rivals) for m in grounds.counted}
    found = from_offers(slot, grounds, beside) or from_history(slot, grounds, beside, shape)
    words = [*found.words, *_deductions(grounds, beside)]
    power_w, level_w, price = 0.0, None, None
    if found.power_w > 0:
        power_w, said = sized(found.power_w, sizes(grounds.program, grounds.rule))
        words += said
    if power_w > 0 and shape is Shape.TO:
        power_w, level_w, said = _level(power_w, found, grounds)
        words += said
    if power_w > 0:
        price, why = priced(power_w, grounds.rule, grounds.terms.prices)
        words += [why] if why else []
    return Quantity(
        name=slot.name,
        hours=slot.hours,
        power_w=power_w,
        parts=_parts(power_w, found.free),
        level_w=level_w,
        price=price,
        basis=found.basis,
        days_used=found.days_used,
        days_out=found.days_out,
        taken={site_id: one.power_w for site_id, one in beside.items() if one.power_w > 0},
        words=tuple(words),
    )


def _deductions(grounds: Grounds, beside: Mapping[str, Taken]) -> Iterator[str]:
    for one in grounds.counted:
        if one.delivers < 1:
            yield f"{one.site_id} counts with {pct(one.delivers)}: what it gave when it was asked"
        yield from beside[one.site_id].words


def _level(
    power_w: float, found: Estimate, grounds: Grounds
) -> tuple[float, float | None, tuple[str, ...]]:
    """The firm service level of a reduction; 0 W where the rules do not take a level so high."""
    level_w = found.load_w - power_w
    said = f"a level of {kw(level_w)}: {kw(found.load_w)} expected less {kw(power_w)}"
    most = next((one.level_share_max for one in grounds.program.rules.commitment), None)
    highest_w = _highest(grounds)
    if most is None or highest_w is None or level_w <= most * highest_w:
        return power_w, level_w, (said,)
    bound = f"the program takes at most {pct(most)} of the highest load, {kw(highest_w)}"
    return 0.0, None, (f"{said}; {bound}",)


def _highest(grounds: Grounds) -> float | None:
    """The highest load of the counted sites on record, W; None: nothing is."""
    ids = {one.site_id for one in grounds.counted}
    every = [hour for hour in grounds.history.values() if ids & hour.keys()]
    if not every:
        return None
    return max(fsum(row.expected_w for s, row in hour.items() if s in ids) for hour in every)


def _parts(power_w: float, free: Mapping[str, float]) -> Mapping[str, float]:
    """The quantity over sites in proportion to what they have; never more than that."""
    whole_w = fsum(free.values())
    if power_w <= 0 or whole_w <= 0:
        return {}
    return {site_id: w * (power_w / whole_w) for site_id, w in sorted(free.items()) if w > 0}
