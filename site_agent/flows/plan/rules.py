"""The site's rules for the control loop: wishes as a strategy or above a plan, and firm limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo

import structlog

from contracts.series import StepSeries
from site_agent.domain.decide.guidance import NO_GUIDANCE, Guidance
from site_agent.domain.horizon import QUARTER, Horizon
from site_agent.domain.mode import Mode
from site_agent.domain.price import NO_PRICE, PriceView, price_view
from site_agent.domain.protect.envelope import Envelope, Limit
from site_agent.domain.rules.circumstances import Circumstances, circumstances
from site_agent.domain.rules.evaluate import Verdict, compose, evaluate
from site_agent.domain.rules.rule import Rule
from site_agent.domain.site import SiteSnapshot
from site_agent.domain.tariff.tariff import Tariff

log = structlog.get_logger(__name__)

Prices = Callable[[datetime], PriceView]
"""The price at an instant, within its day."""
Guide = Callable[[SiteSnapshot, Envelope], Guidance]


def no_prices(now: datetime) -> PriceView:
    """A site without a tariff."""
    del now
    return NO_PRICE


def tariff_prices(tariff: Tariff, market: Callable[[], StepSeries | None] = lambda: None) -> Prices:
    """The price of each quarter of an hour, within its local day.

    `market`: the newest market prices per kWh, for a tariff with dynamic ones.
    """
    known: dict[datetime, PriceView] = {}

    def price(now: datetime) -> PriceView:
        quarter = Horizon.around(now, QUARTER).start
        if quarter not in known:
            known.clear()  # the day's prices may have come meanwhile
            day = _local_day(now, tariff.zone)
            prices = tariff.import_per_kwh(day, market())
            known[quarter] = price_view(float(prices[day.slot(quarter)]), prices.tolist())
        return known[quarter]

    return price


def _local_day(now: datetime, zone: tzinfo) -> Horizon:
    """The quarters of the local day, 92, 96 or 100 of them."""
    day = now.astimezone(zone).date()
    first, last = (
        datetime.combine(one, time(), tzinfo=zone).astimezone(UTC)
        for one in (day, day + timedelta(days=1))
    )
    return Horizon(start=first, count=round((last - first) / QUARTER))


NO_VERDICT = Verdict()


class SiteRules:
    """One site's rules. The control loop asks `limits` first, then `guide`, every cycle."""

    def __init__(
        self,
        rules: Sequence[Rule],
        zone: tzinfo,
        *,
        prices: Prices = no_prices,
        mode: Callable[[], Mode | None] = lambda: None,
        plan: Guide | None = None,
        fallback: Sequence[Rule] = (),
    ) -> None:
        """What the rules look at, and what they stand above.

        Args:
            rules: By priority.
            zone: Of the site.
            prices: Of the site's tariff.
            mode: That of the last cycle.
            plan: What the rules stand above; None: rules alone.
            fallback: Rules that guide instead of a plan that wishes nothing.
        """
        self._rules = tuple(rules)
        self._zone = zone
        self._prices = prices
        self._mode = mode
        self.plan = plan
        self._fallback = tuple(fallback)
        self._fallen: frozenset[str] = frozenset()
        self._asked: tuple[SiteSnapshot, float, bool] | None = None
        self.latest: Verdict = Verdict()
        """What the rules said last."""

    def limits(self, snapshot: SiteSnapshot, envelope: Envelope) -> Iterator[Limit]:
        """The firm limits of rules that hold."""
        before = self.latest.holding
        self._asked = (snapshot, envelope.import_w.value, envelope.event)
        self.latest = self._said(snapshot, envelope)
        if self.latest.holding != before:
            log.info("rules", holding=list(self.latest.holding))
        yield from self.latest.limits

    def guide(self, snapshot: SiteSnapshot, envelope: Envelope) -> Guidance:
        """What rules wish, above what the plan does."""
        if self._asked != (snapshot, envelope.import_w.value, envelope.event):
            self.latest = self._said(snapshot, envelope)
        if self.plan is None:
            return self.latest.guidance
        plan = self.plan(snapshot, envelope)
        if plan == NO_GUIDANCE and self._fallback:
            plan = self._instead(snapshot, envelope)
        return compose(plan, self.latest.guidance)

    def _instead(self, snapshot: SiteSnapshot, envelope: Envelope) -> Guidance:
        """What the fallback wishes; its firm limits would be the site's own rules' business."""
        told = evaluate(self._fallback, self._seen(snapshot, envelope), self._fallen)
        self._fallen = frozenset(told.holding)
        return told.guidance

    def _said(self, snapshot: SiteSnapshot, envelope: Envelope) -> Verdict:
        if not self._rules:
            return NO_VERDICT
        seen = self._seen(snapshot, envelope)
        return evaluate(self._rules, seen, frozenset(self.latest.holding))

    def _seen(self, snapshot: SiteSnapshot, envelope: Envelope) -> Circumstances:
        return circumstances(
            snapshot,
            envelope,
            self._zone,
            price=self._prices(snapshot.at),
            mode=self._mode(),
        )
