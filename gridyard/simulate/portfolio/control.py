"""The gateway's minute, with its own domain code: measure, learn, correct, split, tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import numpy as np

from contracts.time import Interval
from gateway.domain.delivery.correction import (
    Correction,
    CorrectionRules,
    Look,
    next_correction,
    transferred,
)
from gateway.domain.delivery.credibility import LAGS, lagged
from gateway.domain.delivery.measured import (
    LastSeen,
    Memory,
    PortfolioMinute,
    SiteDelivery,
    portfolio_minute,
    site_delivery,
)
from gateway.domain.delivery.standing import (
    Standing,
    StandingRules,
    after_minute,
    expected_share,
)
from gateway.domain.delivery.telling import to_tell
from gateway.domain.dispatch import water_fill
from gridyard.simulate.portfolio.sites import Sites, Watts

MINUTE = timedelta(minutes=1)
BEGIN = datetime(2026, 7, 1, 16, 0, tzinfo=UTC)
_DEADBAND_SHARE, _DEADBAND_W, _UNTOLD_SHARE = 0.02, 500.0, 0.01


class Way(StrEnum):
    """How delivery is watched."""

    OPEN = "open loop"
    INTEGRAL = "integral"
    CREDIBLE = "integral + credibility"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The gateway's defaults."""

    correction: CorrectionRules = field(default_factory=CorrectionRules)
    standing: StandingRules = field(default_factory=StandingRules)
    memory: Memory = field(default_factory=Memory)


class Controller:
    """One way through one event; standings are kept from event to event."""

    def __init__(self, sites: Sites, way: Way, rules: Rules) -> None:
        self._sites = sites
        self._way = way
        self._rules = rules
        self.standings = {s: Standing(site_id=s) for s in sites.ids}
        self.begin_event()

    def begin_event(self) -> None:
        """Nothing is known of the event; what is known of the sites stays."""
        self._correction = Correction(modification=0, at=BEGIN)
        self._asked: list[Watts] = []
        self._last: dict[str, LastSeen] = {}
        self.told_w = np.zeros(len(self._sites.ids))
        self.messages = 0
        self._saturated = False
        self._expected = self._expect(self._caps())

    def ask(self, target_w: float) -> Watts:
        """What every site is asked for in the minute to come, W."""
        caps_w = self._caps()
        wanted_w = target_w * (1.0 + self._correction.share) / self._expected
        self._saturated = wanted_w >= caps_w.sum()
        fresh_w = water_fill(wanted_w, caps_w, caps_w)
        self._tell(fresh_w, target_w)
        self._asked.append(self.told_w.copy())
        return self.told_w

    def see(self, minute: int, target_w: float, load_w: Watts, heard: Sequence[bool]) -> None:
        """Learn from the minute that has just ended."""
        if self._way is Way.OPEN:
            return
        now = BEGIN + (minute + 1) * MINUTE
        caps_w = self._caps()
        seen = self._measured(now, target_w, load_w, heard)
        look = Look(
            now=now,
            modification=0,
            settled_from=BEGIN + self._rules.correction.settle,
            target_w=target_w,
            delivered_w=seen.delivered_w,
            coverage=seen.coverage,
            saturated=self._saturated,
        )
        self._correction = next_correction(self._correction, look, self._rules.correction)
        if (self._caps() != caps_w).any():
            self._correction = transferred(
                self._correction,
                self._expect(caps_w),
                self._expect(self._caps()),
                self._rules.correction,
            )

    def _measured(
        self, now: datetime, target_w: float, load_w: Watts, heard: Sequence[bool]
    ) -> PortfolioMinute:
        zero = np.zeros(len(self._sites.ids))
        asked = [*reversed(self._asked[-LAGS:]), *[zero] * LAGS][:LAGS]
        history = np.array(asked).T.tolist()
        given = (self._sites.baseline_w - load_w).tolist()
        found = [
            self._of_site(k, history[k], given[k] if heard[k] else None, now)
            for k in range(len(history))
        ]
        return portfolio_minute(found, Interval(start=now - MINUTE, end=now), target_w)

    def _of_site(
        self, k: int, asked_w: Sequence[float], measured_w: float | None, now: datetime
    ) -> SiteDelivery:
        site_id = self._sites.ids[k]
        standing, last = self.standings[site_id], self._last.get(site_id)
        if measured_w is not None:
            self._last[site_id] = LastSeen(at=now, delivered_w=measured_w)
        if self._way is Way.CREDIBLE:
            baseline_w = float(self._sites.baseline_w[k])
            self.standings[site_id] = after_minute(
                standing, asked_w, measured_w, baseline_w, now, self._rules.standing
            )
        return site_delivery(
            site_id,
            asked_w=asked_w[0],
            measured_w=measured_w,
            expected_w=lagged(standing.credibility, asked_w),
            last=last,
            now=now,
            memory=self._rules.memory,
        )

    def _caps(self) -> Watts:
        out = [self.standings[s].quarantine is not None for s in self._sites.ids]
        probing = self._rules.standing.quarantine.probing
        return np.where(out, probing * self._sites.offer_w, self._sites.offer_w)

    def _expect(self, caps_w: Watts) -> float:
        offers = dict(zip(self._sites.ids, caps_w.tolist(), strict=True))
        return expected_share(offers, self.standings)

    def _tell(self, fresh_w: Watts, target_w: float) -> None:
        deadband_w = np.maximum(_DEADBAND_W, _DEADBAND_SHARE * self._sites.connection_w)
        told = to_tell(
            _by_site(self._sites, fresh_w - self.told_w),
            _by_site(self._sites, deadband_w),
            _UNTOLD_SHARE * target_w,
        )
        chosen = np.array([s in told for s in self._sites.ids])
        self.told_w = np.where(chosen, fresh_w, self.told_w)
        self.messages += len(told)


def _by_site(sites: Sites, values: Watts) -> Mapping[str, float]:
    return dict(zip(sites.ids, values.tolist(), strict=True))
