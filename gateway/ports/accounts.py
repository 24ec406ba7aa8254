"""What energy accounts and anomaly checks are made from, and where findings are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np

from contracts.time import Interval
from gateway.domain.accounts.grid import Numbers
from gateway.domain.accounts.session import ChargingSession
from gateway.domain.anomaly.finding import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """One point over equal slots of a window."""

    above_h: Numbers
    """Integral of the values above 0 in each slot, value-hours (W gives Wh), >= 0."""
    below_h: Numbers
    """Integral of the values below 0, <= 0."""
    seconds: Numbers
    """For how much of each slot there was a value."""

    @classmethod
    def joined(cls, parts: Sequence[Slots]) -> Slots:
        """One after the other; at least one."""
        return cls(
            above_h=np.concatenate([one.above_h for one in parts]),
            below_h=np.concatenate([one.below_h for one in parts]),
            seconds=np.concatenate([one.seconds for one in parts]),
        )


class SlotReader(Protocol):
    """Stored telemetry, reduced where it is stored: a month is millions of values."""

    async def slots(self, site_id: str, point: str, window: Interval, step: timedelta) -> Slots:
        """A point over the slots of a closed window; a value holds as in `TelemetryStore.series`.

        Raises:
            ValueError: the window is open, or no whole number of slots.
        """
        ...

    async def points(self, site_id: str) -> Sequence[str]:
        """Every point that a site has ever told, in order."""
        ...


class SlotBlocks(Protocol):
    """Slots of stretches that are over, kept until a value comes in that changes them.

    Each method is one transaction.
    """

    async def within(
        self, site_id: str, point: str, window: Interval, step: timedelta
    ) -> Mapping[Interval, Slots]:
        """What is kept of stretches that lie whole inside a closed window, in order."""
        ...

    async def watch(self, site_id: str, until: datetime) -> int:
        """Count, from now on, what comes in for a time before `until`; the count so far."""
        ...

    async def keep(
        self,
        site_id: str,
        point: str,
        step: timedelta,
        found: Mapping[Interval, Slots],
        count: int,
    ) -> bool:
        """Keep stretches, in place of shorter ones in them; False: not, for the count has changed.

        `count` is that of a `watch` up to their end, made before they were read.
        """
        ...


class SessionBook(Protocol):
    """Charging sessions as sites told them."""

    async def sessions(self, site_id: str, window: Interval) -> Sequence[ChargingSession]:
        """Those that ran at some time inside a window, by start."""
        ...


class AnomalyBook(Protocol):
    """What was found wrong."""

    async def keep(
        self, site_id: str, findings: Collection[Finding], now: datetime
    ) -> Sequence[Finding]:
        """Store findings; one that goes on where a stored one ended extends that one.

        Returns those that are new, which were journaled in the same transaction.
        """
        ...

    async def within(self, site_id: str | None, window: Interval) -> Sequence[tuple[str, Finding]]:
        """`(site_id, finding)` whose evidence touches a window, newest first; None: of all."""
        ...
