"""The gateway's minute, with its own domain code: measure, learn, correct, split, tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum

import numpy as np

from gateway.domain.delivery.correction import Correction
from gateway.domain.delivery.course import MINUTE, Course, DeliveryRules, Minute, SiteMinute, lived
from gateway.domain.delivery.credibility import LAGS
from gateway.domain.delivery.measured import LastSeen
from gateway.domain.delivery.standing import Standing, expected_share, may_be_asked
from gateway.domain.delivery.telling import to_tell
from gateway.domain.dispatch import water_fill
from gridyard.simulate.portfolio.sites import Sites, Watts

BEGIN = datetime(2026, 7, 1, 16, 0, tzinfo=UTC)
_DEADBAND_SHARE, _DEADBAND_W, _UNTOLD_SHARE = 0.02, 500.0, 0.01


class Way(StrEnum):
    """How delivery is watched."""

    OPEN = "open loop"
    INTEGRAL = "integral"
    CREDIBLE = "integral + credibility"


class Controller:
    """One way through one event; standings are kept from event to event."""

    def __init__(self, sites: Sites, way: Way, rules: DeliveryRules) -> None:
        self._sites = sites
        self._way = way
        self._rules = rules
        self.standings: dict[str, Standing] = {}
        self.begin_event()

    def begin_event(self) -> None:
        """Nothing is known of the event; what is known of the sites stays."""
        first = Correction(modification=0, at=BEGIN)
        offers = _by_site(self._sites, self._caps())
        expected = expected_share(offers, self.standings)
        self._course = Course(event_key="event", correction=first, expected=expected)
        self._asked: list[Watts] = []
        self._last: dict[str, LastSeen] = {}
        self._told_w = np.zeros(len(self._sites.ids))
        self._saturated = False
        self.messages = 0

    def ask(self, target_w: float) -> Watts:
        """What every site is asked for in the minute to come, W."""
        caps_w = self._caps()
        wanted_w = target_w * (1.0 + self._course.asked_more)
        self._saturated = wanted_w >= caps_w.sum()
        self._tell(water_fill(wanted_w, caps_w, caps_w), target_w)
        self._asked.append(self._told_w)
        return self._told_w

    def see(self, minute: int, target_w: float, load_w: Watts, heard: Sequence[bool]) -> None:
        """Learn from the minute that has just ended."""
        if self._way is Way.OPEN:
            return
        now = BEGIN + (minute + 1) * MINUTE
        seen = Minute(
            now=now,
            modification=0,
            settled_from=BEGIN + self._rules.correction.settle,
            target_w=target_w,
            saturated=self._saturated,
            sites=self._seen(load_w, heard),
        )
        self._course, standings = lived(self._course, self.standings, seen, self._rules)
        if self._way is Way.CREDIBLE:
            self.standings = standings
        for site in seen.sites:
            if site.delivered_w is not None:
                self._last[site.site_id] = LastSeen(at=now, delivered_w=site.delivered_w)

    def _seen(self, load_w: Watts, heard: Sequence[bool]) -> list[SiteMinute]:
        zero = np.zeros(len(self._sites.ids))
        asked = np.array([*reversed(self._asked[-LAGS:]), *[zero] * LAGS][:LAGS]).T.tolist()
        given = (self._sites.baseline_w - load_w).tolist()
        return [
            SiteMinute(
                site_id=site_id,
                offer_w=float(self._sites.offer_w[k]),
                baseline_w=float(self._sites.baseline_w[k]),
                asked_w=asked[k],
                delivered_w=given[k] if heard[k] else None,
                last=self._last.get(site_id),
            )
            for k, site_id in enumerate(self._sites.ids)
        ]

    def _caps(self) -> Watts:
        rules = self._rules.standing.quarantine
        offers = zip(self._sites.ids, self._sites.offer_w.tolist(), strict=True)
        return np.array([may_be_asked(w, self.standings.get(s), rules) for s, w in offers])

    def _tell(self, fresh_w: Watts, target_w: float) -> None:
        deadband_w = np.maximum(_DEADBAND_W, _DEADBAND_SHARE * self._sites.connection_w)
        told = to_tell(
            _by_site(self._sites, fresh_w - self._told_w),
            _by_site(self._sites, deadband_w),
            _UNTOLD_SHARE * target_w,
        )
        chosen = np.array([s in told for s in self._sites.ids])
        self._told_w = np.where(chosen, fresh_w, self._told_w)
        self.messages += len(told)


def _by_site(sites: Sites, values: Watts) -> Mapping[str, float]:
    return dict(zip(sites.ids, values.tolist(), strict=True))
