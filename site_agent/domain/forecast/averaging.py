"""From samples to means of quarter hours: each sample counts for the time since the one before."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from site_agent.domain.forecast.record import QUARTER_S, QuarterMean

MOST_WAITING = 50_000
"""Parts that wait for a disk at most: some days of a large site. The oldest go first."""


def quarter_of(at: datetime) -> datetime:
    """The start of the quarter an instant lies in, UTC."""
    return datetime.fromtimestamp(at.timestamp() // QUARTER_S * QUARTER_S, UTC)


class Averager:
    """Sums up samples until they are drained; what cannot be stored is given back."""

    def __init__(self) -> None:
        self._parts: dict[tuple[str, datetime], QuarterMean] = {}

    def add(
        self,
        series: str,
        at: datetime,
        value: float,
        lasted: timedelta,
        *,
        estimated: bool = False,
        curtailed: bool = False,
    ) -> None:
        """`value` held for `lasted` up to `at`; all of it counts for the quarter it began in."""
        part = QuarterMean(
            series=series,
            start=quarter_of(at - lasted),
            mean=value,
            covered_s=min(QUARTER_S, lasted.total_seconds()),
            estimated=estimated,
            curtailed=curtailed,
        )
        self._join(part)

    def drain(self) -> list[QuarterMean]:
        """All parts so far; they are no longer held here."""
        parts, self._parts = self._parts, {}
        return list(parts.values())

    def give_back(self, parts: Iterable[QuarterMean]) -> None:
        """These could not be stored: keep them for the next time."""
        later, self._parts = self._parts, {}
        for part in (*parts, *later.values()):
            self._join(part)
        for key in list(self._parts)[: max(0, len(self._parts) - MOST_WAITING)]:
            del self._parts[key]

    def _join(self, part: QuarterMean) -> None:
        key = (part.series, part.start)
        known = self._parts.get(key)
        self._parts[key] = part if known is None else known.joined(part)
