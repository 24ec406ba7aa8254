"""The gateway's state as Prometheus metrics: computed at each scrape, nothing kept in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from contracts.site_link import points
from contracts.site_link.messages import InstructionState
from gateway.domain.event import EventStatus
from gateway.ports import StoredEvent, StoredInstruction, UtilityHealth
from gateway.web.snapshot import MEMORY, Snapshot, data_age_s, reading, take, usable
from gateway.web.state import WebState

PREFIX = "gridyard_"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_NAN = float("nan")


async def exposition(state: WebState) -> bytes:
    """Everything in Prometheus' text format; unknown values are NaN, never zero."""
    snapshot = await take(state)
    events = await state.ledger.events(ending_after=snapshot.now - MEMORY)
    newest = events[0].event.key if events else ""
    families = [
        *_portfolio(snapshot),
        *_sites(snapshot),
        _by_label(
            "events",
            "Events not over for a day, by status",
            "status",
            _counts(events, snapshot.now),
        ),
        _utilities(state.utilities()),
        _latencies(await state.ledger.instructions(newest) if newest else ()),
        *_totals(state.counters()),
    ]
    registry = CollectorRegistry()
    registry.register(_Ready(families))
    return generate_latest(registry)


class _Ready(Collector):
    """Metrics that are already there."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _gauge(name: str, text: str, value: float | None) -> Metric:
    return GaugeMetricFamily(PREFIX + name, text, value=_NAN if value is None else value)


def _by_label(name: str, text: str, label: str, values: Mapping[str, float | None]) -> Metric:
    family = GaugeMetricFamily(PREFIX + name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], _NAN if value is None else value)
    return family


def _portfolio(snapshot: Snapshot) -> list[Metric]:
    sums = {point: figure.value for point, figure in snapshot.live.sums.items()}
    return [
        _gauge("portfolio_power_watts", "Load of fresh sites", sums[points.PCC_POWER_W]),
        _gauge("portfolio_baseline_watts", "Load expected without event", snapshot.baseline_w),
        _gauge("portfolio_target_watts", "Load to stay under", snapshot.target_w),
        _gauge("portfolio_flexibility_watts", "Reduction on offer", sums[points.FLEX_DOWN_W]),
        _gauge("chargers_online", "Chargers on their sites", sums[points.CHARGERS_ONLINE]),
        _gauge("sites", "Sites of the portfolio", len(snapshot.live.sites)),
        _gauge("sites_online", "Sites connected to the gateway", snapshot.live.online),
    ]


def _sites(snapshot: Snapshot) -> list[Metric]:
    ages: dict[str, float | None] = {}
    loads: dict[str, float | None] = {}
    for live in snapshot.live.sites:
        load = reading(live, points.PCC_POWER_W, snapshot.now)
        ages[live.site.site_id] = data_age_s(live, snapshot.now)
        loads[live.site.site_id] = load.value if usable(load) else None
    return [
        _by_label("site_data_age_seconds", "Age of the newest load value", "site", ages),
        _by_label("site_power_watts", "Load at the grid connection", "site", loads),
    ]


def _counts(events: Sequence[StoredEvent], now: datetime) -> dict[str, float | None]:
    counts = Counter(stored.event.status(now) for stored in events)
    return {status.value: float(counts[status]) for status in EventStatus}


def _utilities(health: Sequence[UtilityHealth]) -> Metric:
    values = {one.utility_id: float(one.connected) for one in health}
    return _by_label("utility_connected", "1 when the utility answers", "utility", {**values})


def _latencies(instructions: Iterable[StoredInstruction]) -> Metric:
    """Per site, the newest instruction of the newest event: from issued to stored there."""
    values: dict[str, float | None] = {}
    for row in instructions:
        for status in row.statuses:
            if status.state is InstructionState.STORED:
                late = (status.at - row.instruction.issued_at).total_seconds()
                values[row.instruction.site_id] = late
    text = "Newest event: from issued until stored at the site"
    return _by_label("instruction_stored_seconds", text, "site", values)


def _totals(counters: Mapping[str, float]) -> list[Metric]:
    return [
        CounterMetricFamily(PREFIX + name, f"Total of {name.replace('_', ' ')}", value=value)
        for name, value in sorted(counters.items())
    ]
