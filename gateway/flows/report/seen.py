"""What the gateway has seen of a site around an event, beside its load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.measure.planned import Planned
from gateway.ports import StoredEnvelope


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Of one site."""

    planned: Planned = field(default_factory=Planned)
    flex_down: StepSeries = field(default_factory=StepSeries)
    """How far it could still lower its import, as it told, W >= 0."""
    points: Mapping[str, StepSeries] = field(default_factory=dict)
    """Of a site that gave less than planned: what its devices told."""
    export_floor: StepSeries = field(default_factory=StepSeries)
    """Limits of utilities on its exports, W <= 0: the highest in force."""


def export_floor(envelopes: Sequence[StoredEnvelope], site_id: str, event: Interval) -> StepSeries:
    """The highest limit on a site's exports over an event, W <= 0, where there is one."""
    floor = StepSeries()
    for one in envelopes:
        if one.envelope.site_id != site_id:
            continue
        mine = StepSeries.of(
            (step.interval, step.bounds.export_limit_w)
            for step in one.envelope.steps
            if step.bounds.export_limit_w is not None
        ).clip(event)
        floor = _higher(floor, mine)
    return floor


def _higher(one: StepSeries, other: StepSeries) -> StepSeries:
    edges = {edge for s in (*one, *other) for edge in (s.interval.start, s.interval.end) if edge}
    found = []
    for start, end in pairwise(sorted(edges)):
        values = [v for v in (one.value_at(start), other.value_at(start)) if v is not None]
        if values:
            found.append((Interval(start=start, end=end), max(values)))
    return StepSeries.of(found)
