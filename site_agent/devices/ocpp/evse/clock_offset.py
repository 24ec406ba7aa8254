"""How far a charger's clock is behind ours, and which of its messages are told late.

Chargers replay what they sampled while a link was down; such samples must not be taken for the
present. But many clocks are simply wrong. The two are told apart by the pace: samples from a wrong
clock arrive as fast as they were taken, so their delay stays the same; replayed ones catch up.
"""

from __future__ import annotations

from datetime import datetime, timedelta

_LIVE_WITHIN = timedelta(seconds=30)
"""A sample delayed by less is of the present."""
_SAME_WITHIN = timedelta(seconds=2)
_PROVEN_AFTER = timedelta(seconds=20)
_PROVEN_BY = 3
_WORTH_LEARNING = timedelta(seconds=3)


class ClockOffset:
    """Learns the offset of one charger's clock."""

    def __init__(self) -> None:
        self.behind = timedelta(0)
        """Our clock less the charger's."""
        self._delay = timedelta(0)
        self._since: datetime | None = None
        self._seen = 0

    def to_ours(self, at: datetime, received: datetime) -> datetime | None:
        """The instant of a sample by our clock, never after `received`; None if it is told late."""
        self._learn(received - at, received)
        ours = at + self.behind
        if abs(received - ours) > _LIVE_WITHIN:
            return None
        return min(ours, received)

    def to_theirs(self, instant: datetime) -> datetime:
        """What the charger's clock shows at an instant of ours."""
        return instant - self.behind

    def _learn(self, delay: timedelta, received: datetime) -> None:
        if self._since is None or abs(delay - self._delay) > _SAME_WITHIN:
            self._delay, self._since, self._seen = delay, received, 0
        self._seen += 1
        self._delay = min(self._delay, delay)
        steady = self._seen >= _PROVEN_BY and received - self._since >= _PROVEN_AFTER
        if steady and abs(self._delay - self.behind) > _WORTH_LEARNING:
            self.behind = self._delay
