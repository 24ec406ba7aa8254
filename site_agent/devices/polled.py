"""A source that is asked for everything it shows again and again, such as a meter on M-Bus."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from datetime import timedelta

from contracts.time import Clock
from site_agent.devices.freshness import Freshness
from site_agent.devices.points.board import PointBoard
from site_agent.devices.polling import Poller
from site_agent.ports import Wake


class PolledSource(ABC):
    """A `Source` that is read every `period_s`; a wire says how it is read and let go of.

    Its points turn STALE after `max_age_s` and are gone after three times that.
    """

    def __init__(
        self,
        points: Collection[str],
        *,
        name: str,
        clock: Clock,
        wake: Wake,
        period_s: float,
        max_age_s: float,
    ) -> None:
        self._clock = clock
        age = Freshness(
            stale_after=timedelta(seconds=max_age_s), lost_after=timedelta(seconds=3 * max_age_s)
        )
        self._board = PointBoard(points, clock.now(), dict.fromkeys(points, age))
        self._poller = Poller(name, self._poll, period_s=period_s, clock=clock, wake=wake)

    @property
    def board(self) -> PointBoard:
        """Its newest readings."""
        return self._board

    @property
    def answers(self) -> bool:
        """Whether the last readout succeeded."""
        return bool(self._poller.answers)

    async def run(self) -> None:
        """Read it until cancelled."""
        try:
            await self._poller.run()
        finally:
            self._let_go()

    @abstractmethod
    async def _read(self) -> Mapping[str, float | None]:
        """What it shows now, by point; raises GridyardError when it cannot be read."""

    @abstractmethod
    def _let_go(self) -> None:
        """Nobody reads it any more."""

    async def _poll(self) -> None:
        at = self._clock.now()
        for point, value in (await self._read()).items():
            self._board.put(point, value, at)
