"""One control of a source, kept as a lease and judged by measured power."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog

from contracts.errors import GridyardError, PermanentError, TransientError
from contracts.reading import Reading
from contracts.time import Clock
from site_agent.devices.lease import Terms
from site_agent.devices.leased import PATIENCE_S, LeasedSetpoint
from site_agent.devices.obedience import Obedience
from site_agent.devices.points.source import Controllable, Source

TOLERANCE = 0.05
"""Of the rated power: a larger difference from the setpoint is disobedience."""

_log = structlog.get_logger(__name__)


class Control:
    """Asks, refreshes and lets go of one setpoint.

    A device with a timer of its own is told again at a third of it; when the loop falls silent, or
    we die, the timer ends the setpoint. One without a timer is told only what is new (its memory
    may wear out), and when the loop has been silent for `patience_s` or we end in order it is told
    `safe`; if we are killed it keeps the last setpoint, and `Lapse.NONE` in its spec says so.
    """

    def __init__(
        self,
        name: str,
        source: Source,
        control: str,
        *,
        deviation_w: Callable[[float, float], float],
        rated_w: float,
        clock: Clock,
        safe: float | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._name = name
        self._source = source
        self._control = control
        self._safe = safe
        self._patience_s = patience_s
        self._clock = clock
        self._closed = False
        self._asked_s: float | None = None
        self._told: float | None = None
        self._telling: list[float] = []
        self._judged_at: datetime | None = None
        self._lapse_s = source.lapse_s if isinstance(source, Controllable) else None
        self._leased = LeasedSetpoint[float | None](
            name,
            self._tell,
            lambda held, measured_w: 0.0 if held is None else deviation_w(held, measured_w),
            valid_for_s=float("inf") if self._lapse_s is None else self._lapse_s,
            obedience=Obedience(tolerance_w=TOLERANCE * rated_w),
            clock=clock,
            patience_s=patience_s,
        )

    @property
    def possible(self) -> bool:
        """Whether the source takes setpoints at all."""
        return isinstance(self._source, Controllable)

    @property
    def obeys(self) -> bool:
        """False while measured power stays away from the setpoint in force."""
        return self._leased.obeys

    @property
    def held(self) -> float | None:
        """What the device holds; None when that is unknown, released or has lapsed."""
        return self._leased.held

    @property
    def terms(self) -> Terms[float | None] | None:
        """What the device holds, until when, and why; None as `held`."""
        return self._leased.terms

    @property
    def most(self) -> float | None:
        """The highest value the device may hold: while it is told another, the old or the new."""
        return max(self._telling) if self._telling else self.held

    async def ask(self, value: float | None, cause: str) -> None:
        """The control loop wants `value`; raises as `LeasedSetpoint.ask`."""
        if self._closed:
            raise TransientError(f"{self._name}: the agent ends")
        self._asked_s = self._clock.monotonic()
        await self._leased.ask(value, cause)

    def judge(self, measured: Reading) -> None:
        """Compare each new measurement of power once."""
        if measured.at != self._judged_at and measured.quality.usable:
            self._judged_at = measured.at
            self._leased.judge(measured.value)

    async def upkeep(self) -> None:
        """Refresh the lease, or end a setpoint that would not end by itself."""
        if self._lapse_s is not None:
            await self._leased.refresh()
        elif self._silent():
            await self._let_go("the control loop is silent")

    async def close(self) -> None:
        """The agent ends in order: end what would not end by itself, and take no more."""
        self._closed = True
        if self._lapse_s is None and self._asked_s is not None:
            await self._let_go("the agent ends")

    def _silent(self) -> bool:
        asked_s = self._asked_s
        return asked_s is not None and self._clock.monotonic() - asked_s > self._patience_s

    async def _let_go(self, cause: str) -> None:
        try:
            await self._leased.ask(self._safe, cause)
        except GridyardError as error:
            _log.warning("setpoint not let go", device=self._name, why=str(error))
        else:
            self._asked_s = None
            _log.warning("setpoint let go", device=self._name, why=cause)

    async def _tell(self, value: float | None) -> None:
        if not isinstance(self._source, Controllable):
            raise PermanentError(f"{self._name} takes no setpoints")
        self._telling = [one for one in (self._told, value) if one is not None]
        try:
            await self._source.write(self._control, value)
            self._told = value
        finally:
            self._telling = []
