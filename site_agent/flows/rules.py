"""The site's rules for the control loop: wishes as a strategy or above a plan, and firm limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, tzinfo

import structlog

from site_agent.domain.decide.guidance import NO_GUIDANCE, Guidance
from site_agent.domain.mode import Mode
from site_agent.domain.price import NO_PRICE, PriceView
from site_agent.domain.protect.envelope import Envelope, Limit
from site_agent.domain.rules.circumstances import circumstances
from site_agent.domain.rules.evaluate import Verdict, compose, evaluate
from site_agent.domain.rules.rule import Rule
from site_agent.domain.site import SiteSnapshot

log = structlog.get_logger(__name__)

Prices = Callable[[datetime], PriceView]
"""The price at an instant, within its day."""
Guide = Callable[[SiteSnapshot, Envelope], Guidance]


def no_prices(now: datetime) -> PriceView:
    """A site without a tariff."""
    del now
    return NO_PRICE


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
    ) -> None:
        """`mode`: that of the last cycle. `plan`: what rules stand above; None: rules alone."""
        self._rules = tuple(rules)
        self._zone = zone
        self._prices = prices
        self._mode = mode
        self._plan = plan
        self.latest: Verdict = Verdict()
        """What the rules said last."""

    def limits(self, snapshot: SiteSnapshot, envelope: Envelope) -> Iterator[Limit]:
        """The firm limits of rules that hold."""
        before = self.latest.holding
        self.latest = self._said(snapshot, envelope)
        if self.latest.holding != before:
            log.info("rules", holding=list(self.latest.holding))
        yield from self.latest.limits

    def guide(self, snapshot: SiteSnapshot, envelope: Envelope) -> Guidance:
        """What rules wish, above what the plan does."""
        self.latest = self._said(snapshot, envelope)
        plan = NO_GUIDANCE if self._plan is None else self._plan(snapshot, envelope)
        return compose(plan, self.latest.guidance)

    def _said(self, snapshot: SiteSnapshot, envelope: Envelope) -> Verdict:
        seen = circumstances(
            snapshot,
            envelope,
            self._zone,
            price=self._prices(snapshot.at),
            mode=self._mode(),
        )
        return evaluate(self._rules, seen, frozenset(self.latest.holding))
