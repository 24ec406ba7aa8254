"""What a charger does wrong: every case counted, the first of a kind told."""

from __future__ import annotations

from collections import Counter

import structlog

_log = structlog.get_logger(__name__)


class Tally:
    """Counts of one charging station, by kind."""

    def __init__(self, charge_point_id: str) -> None:
        self.counts: Counter[str] = Counter()
        self._log = _log.bind(charge_point=charge_point_id)

    def note(self, kind: str, times: int = 1, **details: object) -> None:
        """Count; the first of a kind is one line in the log."""
        if times <= 0:
            return
        if kind not in self.counts:
            self._log.warning("ocpp fault, told once", kind=kind, **details)
        self.counts[kind] += times
