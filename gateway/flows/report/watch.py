"""Reads what was seen of sites around an event beside their load, and no more than is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from contracts.series import StepSeries
from contracts.site_link import points
from contracts.site_link.messages import Notice, VehicleReadiness
from contracts.time import Interval
from gateway.domain.dispatch import DispatchPlan
from gateway.domain.measure.performance import Performance
from gateway.domain.measure.planned import Revision, planned_of, revisions_of
from gateway.flows.report.evidence import SiteEvidence
from gateway.flows.report.seen import Seen, export_floor
from gateway.ports import Ledger, StoredEnvelope, TelemetryStore

NOT_OBEYED = "limit-not-obeyed"
_DEVICES = (
    points.CHARGERS_ONLINE,
    points.CHARGERS_TOTAL,
    points.VEHICLES_CHARGING,
    points.SITE_LIMIT_W,
    points.BATTERY_POWER_W,
    points.BATTERY_SOC_PCT,
)


class Watch:
    """Of the sites of one event at a time."""

    def __init__(self, ledger: Ledger, telemetry: TelemetryStore) -> None:
        self._ledger = ledger
        self._telemetry = telemetry

    async def beside(
        self,
        sites: Sequence[SiteEvidence],
        span: Interval,
        event: Interval,
        plans: Sequence[DispatchPlan],
        notices: Sequence[tuple[str, Notice]],
    ) -> tuple[SiteEvidence, ...]:
        """The same sites with what was seen of each.

        Raises:
            TransientError: the store cannot be read now.
        """
        envelopes = await self._ledger.envelopes()
        revisions = await asyncio.to_thread(revisions_of, plans, event)
        return tuple(
            [
                replace(one, seen=await self._seen(one, span, event, revisions, notices, envelopes))
                for one in sites
            ]
        )

    async def _seen(
        self,
        one: SiteEvidence,
        span: Interval,
        event: Interval,
        revisions: Sequence[Revision],
        notices: Sequence[tuple[str, Notice]],
        envelopes: Sequence[StoredEnvelope],
    ) -> Seen:
        """Of devices only where less was delivered than planned."""
        site_id = one.site.site_id
        planned = planned_of(revisions, site_id, event)
        wanted: list[str] = []
        if _short(one.performance, planned.reduction):
            wanted = [*_DEVICES, *_of_vehicles(one.readiness), *_of_notices(site_id, notices)]
        return Seen(
            planned=planned,
            flex_down=await self._telemetry.series(site_id, points.FLEX_DOWN_W, event),
            points={
                name: await self._telemetry.series(site_id, name, span)
                for name in dict.fromkeys(wanted)
            },
            export_floor=export_floor(envelopes, site_id, event),
        )


def _short(performance: Performance, planned: StepSeries) -> bool:
    return any(
        slot.delivered_w is not None and slot.delivered_w < (planned.mean(slot.interval) or 0.0)
        for slot in performance.during
    )


def _of_vehicles(readiness: Sequence[VehicleReadiness]) -> list[str]:
    return [points.evse_power_w(word.evse_id) for word in readiness if word.here]


def _of_notices(site_id: str, notices: Sequence[tuple[str, Notice]]) -> list[str]:
    evses = [n.subject for s, n in notices if s == site_id and n.code == NOT_OBEYED]
    return [point(one) for one in evses for point in (points.evse_power_w, points.evse_limit_w)]
