"""What an EVSE's meter has said, kept: live samples in passing, late ones before the answer.

A late sample is one of the past: control must not see it, but its session's energy and the record
of its time are not complete without it, and the charger will not tell it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from site_agent.devices.ocpp.versions.samples import Sample
from site_agent.domain.session import MeterSample
from site_agent.ports import SessionStore

_TOO_OLD = timedelta(days=90)
"""As long as the store keeps samples: nothing is stored only to be deleted."""
_AHEAD = timedelta(minutes=5)
"""A sample further in the future is of no instant we could believe."""
_SLACK_WH = 1000.0
_LARGEST_WH = 1e12


class History:
    """Brings samples of one EVSE to the store."""

    def __init__(self, evse_id: str, store: SessionStore, *, most_w: float) -> None:
        """More than `most_w` no EVSE draws: such a value is no measurement."""
        self._evse_id = evse_id
        self._store = store
        self._most_w = most_w
        self._register: tuple[datetime, float] | None = None

    def live(self, number: int, samples: Sequence[Sample]) -> None:
        """Samples of the present, in a transaction of ours."""
        if samples:
            kept = [self._kept(sample, self._climbs(sample)) for sample in samples]
            self._store.sampled(self._evse_id, number, kept)

    async def late(
        self, number: int, samples: Sequence[Sample], received: datetime, behind: timedelta
    ) -> int:
        """Samples of the past (`number` 0: of no transaction we know); how many were refused.

        `behind`: our clock less the charger's. Stored when it returns.
        """
        oldest, newest = received - behind - _TOO_OLD, received - behind + _AHEAD
        usable = [self._kept(s, _sane(s)) for s in samples if oldest <= s.at <= newest]
        if usable:
            await self._store.sampled_late(self._evse_id, number, usable, behind)
        return len(samples) - len(usable)

    def _kept(self, sample: Sample, register_wh: float | None) -> MeterSample:
        power_w = sample.power_w
        return MeterSample(
            at=sample.at,
            power_w=power_w if power_w is not None and abs(power_w) <= self._most_w else None,
            current_a=sample.current_a,
            register_wh=register_wh,
            soc_pct=sample.soc_pct,
        )

    def _climbs(self, sample: Sample) -> float | None:
        """Its register, unless it climbs faster than any EVSE can: a wrong digit is no energy."""
        register_wh, before = _sane(sample), self._register
        if register_wh is None:
            return None
        if before is not None:
            hours = max(0.0, (sample.at - before[0]) / timedelta(hours=1))
            if register_wh > before[1] + self._most_w * hours + _SLACK_WH:
                return None
        self._register = (sample.at, register_wh)
        return register_wh


def _sane(sample: Sample) -> float | None:
    register_wh = sample.register_wh
    return register_wh if register_wh is not None and 0 <= register_wh <= _LARGEST_WH else None
