"""A gateway's prices in pretended time: a source, sites in memory, a ledger."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from contracts.errors import GridyardError, TransientError
from contracts.site_link.messages import Hello, Instruction, InstructionAck
from contracts.site_link.prices import Prices, PricesAck
from contracts.testing import FakeClock
from contracts.time import Interval
from gateway.domain.price.markup import Markup
from gateway.domain.price.merge import Publication
from gateway.domain.price.timeline import PriceStep, PriceTimeline
from gateway.flows.prices.desk import PriceDesk
from gateway.flows.prices.sites import Follow, SitePrices
from gateway.flows.prices.watch import PriceWatch
from gateway.ports import PriceSource
from gateway.sites.memory import MemorySiteLink
from gateway.store.database import Database
from gateway.store.ledger import SqlLedger

HOUR = timedelta(hours=1)
MORNING = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
BRUSSELS = ZoneInfo("Europe/Brussels")


class Source:
    """`gateway.ports.PriceSource` of one price for every hour of the days it knows."""

    def __init__(
        self,
        clock: FakeClock,
        source_id: str = "nl",
        *,
        published_at: time = time(12, 45),
        currency: str = "EUR",
    ) -> None:
        self._clock = clock
        self.source_id = source_id
        self.area = source_id.upper()
        self.zone = BRUSSELS
        self.published_at = published_at
        self.currency = currency
        self.price = Decimal("0.10")
        self.known_until = datetime(2026, 11, 27, 23, 0, tzinfo=UTC)
        self.error: GridyardError | None = None
        self.asked: list[tuple[datetime, Interval]] = []

    async def fetch(self, window: Interval) -> Publication | None:
        self.asked.append((self._clock.now(), window))
        if self.error is not None:
            raise self.error
        until = min(window.end or window.start, max(window.start, self.known_until))
        known = Interval(start=window.start, end=until)
        steps = [
            PriceStep(
                interval=hour,
                per_kwh=self.price,
                source_id=self.source_id,
                as_of=self._clock.now(),
            )
            for hour in known.split(HOUR)
        ]
        if not steps:
            return None
        prices = PriceTimeline.of(self.area, self.currency, steps)
        return Publication(window=window, prices=prices)


class Memory:
    """`gateway.ports.PriceMemory` that counts."""

    def __init__(self) -> None:
        self.kept: dict[str, PriceTimeline] = {}
        self.writes = 0

    async def load(self) -> Mapping[str, PriceTimeline]:
        return dict(self.kept)

    async def save(self, source_id: str, prices: PriceTimeline, since: datetime) -> None:
        self.writes += 1
        self.kept[source_id] = prices


class Site:
    """A depot's end: what it was sent, and what it answers."""

    def __init__(self) -> None:
        self.taken: list[Prices] = []
        self.refuses = ""
        self.silent = False

    async def prices(self, prices: Prices) -> PricesAck:
        if self.silent:
            raise TransientError("no answer")
        self.taken.append(prices)
        return PricesAck(prices_id=prices.prices_id, stored=not self.refuses, reason=self.refuses)

    async def instruction(self, instruction: Instruction) -> InstructionAck:
        raise AssertionError("no instruction is sent here")


class Bench:
    """Everything, with one site that follows `nl`, then `tariff` where that is there."""

    def __init__(self, *sources: str, markup: Markup | None = None) -> None:
        self.clock = FakeClock(MORNING)
        self.sources = [Source(self.clock, name) for name in sources or ("nl",)]
        self.memory = Memory()
        self.database = Database.in_memory()
        self.ledger = SqlLedger(self.database)
        self.link = MemorySiteLink(self.clock)
        self.site = Site()
        self.watch = self.make_watch()
        names = tuple(one.source_id for one in self.sources)
        follow = Follow(site_id="depot-1", sources=names, markup=markup or Markup())
        self.prices = SitePrices([follow], self.watch, self.link, self.ledger, self.clock)
        self.desk = PriceDesk(self.watch, self.prices, self.ledger, self.clock)

    def make_watch(self) -> PriceWatch:
        sources: list[PriceSource] = list(self.sources)
        return PriceWatch(
            sources, self.memory, self.clock, timedelta(minutes=5), chance=lambda: 0.0
        )

    def connect(self, holds: str | None = "", site_id: str = "depot-1") -> None:
        """The site listens and says Hello."""
        self.link.attach(site_id, self.site.instruction, self.site.prices)
        self.prices.heard(
            Hello(
                site_id=site_id,
                epoch="e",
                versions=(1,),
                last_instruction_seq=0,
                outbox_head=0,
                agent_version="test",
                sent_at=self.clock.now(),
                prices_id=holds,
            )
        )
