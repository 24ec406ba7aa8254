"""How much later than usual chargers tell: what rests on their word waits so much longer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from site_agent.domain.trust.told import Told

_KEPT, _MOST = timedelta(minutes=2), timedelta(minutes=1)
_USUAL = timedelta(seconds=6)
"""How often chargers sample, at the most, where nothing else is learnt."""


class Lateness:
    """The most of the last minutes, at most a minute."""

    def __init__(self) -> None:
        self.late = timedelta(0)
        self._at = datetime.min.replace(tzinfo=UTC)
        self._used_since: dict[str, datetime] = {}

    def see(self, told: Told, at: datetime) -> timedelta:
        """Take in how old the words are of chargers in use."""
        self._used_since = {name: self._used_since.get(name, at) for name in told.sampled}
        ages = (at - max(told.sampled[name], since) for name, since in self._used_since.items())
        late = min(_MOST, max(timedelta(0), max(ages, default=_USUAL) - _USUAL))
        if late >= self.late or at - self._at > _KEPT:
            self.late, self._at = late, at
        return self.late
