"""Every limit on the site, slot by slot: what holds now, and what instructions announce."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import inf, nan

import numpy as np

from site_agent.domain.horizon import Horizon, Series
from site_agent.domain.instruction import SiteInstruction
from site_agent.domain.plan.problem import SiteLimits
from site_agent.domain.protect.envelope import Bound, Envelope, combine
from site_agent.domain.protect.limits import limits_at
from site_agent.domain.protect.telecontrol import Standing, Voice
from site_agent.domain.site import SiteModel

ORDER_LASTS = timedelta(hours=1)
"""An operator's order tells no end: it is planned to last so long, anew with every plan."""


def envelopes_over(
    model: SiteModel,
    horizon: Horizon,
    now: datetime,
    instructions: Sequence[SiteInstruction] = (),
    operator: Iterable[Standing] = (),
) -> tuple[Envelope, ...]:
    """What the site must stay inside in every slot: the tightest of what holds within it."""
    standing = [one for one in operator if one.binds]
    changes = sorted({at for one in instructions for at in _changes(one)})
    found: list[Envelope] = []
    at_rest: dict[bool, Envelope] = {}
    for start in horizon:
        begin, end = max(start, now), start + horizon.step
        ordered = begin < now + ORDER_LASTS
        orders = standing if ordered else [o for o in standing if o.voice is Voice.FAIL_SAFE]
        instants = [begin, *(at for at in changes if begin < at < end)]
        running = any(one.start < end and begin < one.ends_at for one in instructions)
        if running:
            limits = [one for at in instants for one in limits_at(model, instructions, at, orders)]
            found.append(combine(limits))
            continue
        if ordered not in at_rest:
            at_rest[ordered] = combine(limits_at(model, (), begin, orders))
        found.append(at_rest[ordered])
    return tuple(found)


def _changes(one: SiteInstruction) -> Iterable[datetime]:
    yield from (one.start, one.ends_at)
    for step in one.steps:
        yield step.interval.start
        if step.interval.end is not None:
            yield step.interval.end


def site_limits(envelopes: Sequence[Envelope], others_w: Series) -> SiteLimits:
    """The same as series. `others_w`: forecast of building and PV, by the load convention.

    In an event batteries charge from surplus PV only, as `decide.control` has it.
    """
    import_w, import_cause = _side(envelopes, lambda one: one.import_w, inf)
    export_w, export_cause = _side(envelopes, lambda one: one.export_w, -inf)
    load_w, load_cause = _side(envelopes, lambda one: one.load_w, inf)
    generation_w, generation_cause = _side(envelopes, lambda one: one.generation_w, -inf)
    storage_w, storage_cause = _side(envelopes, lambda one: one.storage_w, nan)
    saved = np.array([one.event and one.storage_w is None for one in envelopes])
    return SiteLimits(
        import_w=import_w,
        import_cause=import_cause,
        export_w=export_w,
        export_cause=export_cause,
        load_w=load_w,
        load_cause=load_cause,
        generation_w=generation_w,
        generation_cause=generation_cause,
        storage_w=storage_w,
        storage_cause=storage_cause,
        store_w=np.where(saved, np.maximum(0.0, -others_w), inf),
    )


def below(envelopes: Sequence[Envelope], import_w: float, cause: str) -> tuple[Envelope, ...]:
    """The same with one more import limit in every slot."""
    bound = Bound(value=import_w, cause=cause)
    return tuple(
        replace(one, import_w=bound) if import_w < one.import_w.value else one for one in envelopes
    )


def _side(
    envelopes: Sequence[Envelope], side: Callable[[Envelope], Bound | None], none: float
) -> tuple[Series, tuple[str, ...]]:
    bounds = [side(one) for one in envelopes]
    values = np.array([none if one is None else one.value for one in bounds], dtype=np.float64)
    return values, tuple("" if one is None else one.cause for one in bounds)
