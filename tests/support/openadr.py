"""Small in-memory stand-ins for what the VEN needs, and builders of messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from contracts.openadr.payloads import (
    ActivePeriod,
    DistributeEvent,
    EventDescriptor,
    EventStatus,
    ItemBase,
    OadrEvent,
    Signal,
    SignalInterval,
    Target,
)
from contracts.reading import Quality, Reading
from contracts.time import Interval
from gateway.domain.event import GridEvent, Opt, OptDecision
from gateway.ports import ReportPoint, ResourceState

START = datetime(2026, 1, 5, 13, 0, tzinfo=UTC)


class DictMemory:
    """`UtilityMemory` in a dictionary."""

    def __init__(self) -> None:
        self.documents: dict[tuple[str, str, str], object] = {}

    async def load(self, utility_id: str, kind: str) -> Mapping[str, object]:
        return {k[2]: v for k, v in self.documents.items() if k[:2] == (utility_id, kind)}

    async def save(self, utility_id: str, kind: str, key: str, document: object) -> None:
        self.documents[utility_id, kind, key] = document

    async def forget(self, utility_id: str, kind: str, key: str) -> None:
        self.documents.pop((utility_id, kind, key), None)


class RecordingIntake:
    """`EventIntake` that says yes, and remembers what it was handed."""

    def __init__(self) -> None:
        self.received: list[GridEvent] = []
        self.withdrawn: list[str] = []
        self.noted: list[tuple[str, str, str]] = []
        self.opt = Opt.IN

    async def receive(self, events: Sequence[GridEvent]) -> Mapping[str, OptDecision]:
        self.received.extend(events)
        return {
            e.key: OptDecision(
                event_key=e.key, modification=e.modification, opt=self.opt, cause="as the test says"
            )
            for e in events
        }

    async def withdraw(self, event_key: str, cause: str) -> None:
        self.withdrawn.append(event_key)

    async def note(self, event_key: str, action: str, cause: str) -> None:
        self.noted.append((event_key, action, cause))


class FlatReports:
    """`ReportSource` with two sites that draw 21 kW each, but for the spans in `gaps`."""

    def __init__(self, sites: Sequence[str] = ("depot-1", "depot-2")) -> None:
        self.sites = list(sites)
        self.gaps: list[Interval] = []
        self.quality = Quality.GOOD
        self.power_w: Callable[[datetime], float] = lambda _: 21_000.0
        self.known: datetime | None = None
        self.states = {site: ResourceState(online=True, overridden=False) for site in self.sites}
        self.reads = 0
        """How many series were read."""

    async def points(self) -> Sequence[ReportPoint]:
        return [
            ReportPoint(point_id="portfolio/power_w", site_id=None, unit="W"),
            *(
                ReportPoint(point_id=f"site/{site}/power_w", site_id=site, unit="W")
                for site in self.sites
            ),
        ]

    def known_until(self, point_id: str) -> datetime | None:
        return self.known

    async def means(self, point_id: str, pieces: Sequence[Interval]) -> Sequence[Reading]:
        self.reads += 1
        count = len(self.sites) if point_id == "portfolio/power_w" else 1
        return [self._mean(piece, count) for piece in pieces]

    async def resources(self, utility_id: str) -> Mapping[str, ResourceState]:
        return {site: self.states[site] for site in self.sites}

    def _mean(self, piece: Interval, count: int) -> Reading:
        assert piece.end is not None
        if any(gap.overlaps(piece) for gap in self.gaps):
            return Reading.missing(piece.end)
        value = self.power_w(piece.start) * count
        return Reading(value=value, quality=self.quality, at=piece.end)


def oadr_event(
    event_id: str = "e1",
    *,
    modification: int = 0,
    status: EventStatus = EventStatus.FAR,
    signals: tuple[Signal, ...] | None = None,
    target: Target = Target(),  # noqa: B008 (frozen)
    duration: timedelta = timedelta(hours=1),
    priority: int | None = 1,
) -> OadrEvent:
    delta = Signal(
        name="LOAD_DISPATCH",
        type="delta",
        signal_id="s1",
        item=ItemBase.power_real("k"),
        intervals=(
            SignalInterval(uid="0", duration=duration / 2, value=-60.0),
            SignalInterval(uid="1", duration=duration / 2, value=-30.0),
        ),
    )
    return OadrEvent(
        descriptor=EventDescriptor(
            event_id=event_id,
            modification_number=modification,
            market_context="http://utility.example/peak",
            created_at=START - timedelta(hours=1),
            status=status,
            priority=priority,
        ),
        active_period=ActivePeriod(start=START, duration=duration),
        signals=(delta,) if signals is None else signals,
        target=target,
    )


def distribution(*events: OadrEvent, request_id: str = "r1") -> DistributeEvent:
    return DistributeEvent(request_id=request_id, vtn_id="VTN", events=events)
