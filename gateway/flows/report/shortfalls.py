"""The shortfall of every site and of the whole by cause, from the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.domain.measure.performance import IntervalPerformance, Performance
from gateway.domain.measure.shortfall import (
    Parts,
    Shortfall,
    SlotShort,
    apportioned,
    of_the_whole,
    over_event,
)
from gateway.flows.report.evidence import Evidence
from gateway.flows.report.facts import FactFinder


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfalls:
    """What is missing and why; None where nothing is, or nothing is known."""

    sites: Mapping[str, Shortfall | None]
    whole: Shortfall | None


def shortfalls(evidence: Evidence, whole: Performance) -> Shortfalls:
    """Of every site against what was planned of it, of the whole against what was asked."""
    sites: dict[str, Shortfall | None] = {}
    at: dict[datetime, list[Parts]] = {}
    for one in evidence.sites:
        finder, slots = FactFinder(evidence, one), list[SlotShort]()
        for slot, facts in finder.facts():
            parts = apportioned(facts)
            slots.append(_slot(slot, facts.planned_w, parts))
            at.setdefault(slot.interval.start, []).append(parts)
        sites[one.site.site_id] = over_event(slots, finder.about())
    return Shortfalls(sites=sites, whole=over_event([*_of_the_whole(evidence, whole, at)]))


def _of_the_whole(
    evidence: Evidence, whole: Performance, at: Mapping[datetime, list[Parts]]
) -> list[SlotShort]:
    not_offered = evidence.plan.shortfall if evidence.plan else None
    found = []
    for slot in whole.during:
        if slot.delivered_w is None or slot.asked_w <= 0:
            continue
        short_w = max(0.0, slot.asked_w - slot.delivered_w)
        missing_w = (not_offered.mean(slot.interval) or 0.0) if not_offered else 0.0
        parts = of_the_whole(short_w, missing_w, at.get(slot.interval.start, []))
        found.append(_slot(slot, slot.asked_w, parts))
    return found


def _slot(slot: IntervalPerformance, planned_w: float, parts: Parts) -> SlotShort:
    length = slot.interval.duration
    seconds = length.total_seconds() if length else 0.0
    return SlotShort(seconds=seconds, planned_w=planned_w, parts=parts)
