"""A SunSpec PV inverter: measured generation, and curtailment as a lease in the inverter's timer.

**When the agent dies** the inverter's own timer (123.WMaxLimPct_RvrtTms, or 704.WMaxLimPctRvrtTms)
runs out after `lease_s` (a third late is allowed for) and the inverter generates freely again; when
only the control loop falls silent, this adapter stops refreshing `PATIENCE_S` later, with the same
end, and so does its heartbeat (715). An inverter that does not keep the timer shows `lapse` NONE in
its spec: its last limit then stands until it is written again. An inverter that is not limited is
not affected at all.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta

from contracts.errors import PermanentError
from contracts.reading import Quality, Reading
from contracts.time import Clock
from site_agent.devices.freshness import Freshness
from site_agent.devices.leased import LeasedSetpoint
from site_agent.devices.modbus.link import Priority, RegisterLink
from site_agent.devices.obedience import Obedience
from site_agent.devices.polling import Poller
from site_agent.devices.sunspec.curtailment import Curtailment
from site_agent.devices.sunspec.lapse import LapseBook
from site_agent.devices.sunspec.measure import MEASUREMENT, faulted, idle, power
from site_agent.devices.sunspec.supervision import Supervision
from site_agent.devices.sunspec.unit import SunSpecUnit
from site_agent.domain.device import PvSetpoint, PvSpec, PvState
from site_agent.ports import KeyValues, Wake

MAX_AGE_S = 5.0
_TOLERANCE = 0.05
"""Of the rated power: more generation than this above the limit is disobedience."""


class SunSpecPv:
    """A `PvInverter` by models 101-103, 111-113 or 701, and 123 (with 121) or 704 (with 702)."""

    def __init__(
        self,
        link: RegisterLink,
        unit: int,
        spec: PvSpec,
        *,
        clock: Clock,
        wake: Wake,
        period_s: float = 1.0,
        lease_s: int = 30,
        max_age_s: float = MAX_AGE_S,
        memory: KeyValues | None = None,
    ) -> None:
        self._unit = SunSpecUnit(link, unit)
        self._spec = spec
        self._clock = clock
        self._freshness = Freshness(stale_after=timedelta(seconds=max_age_s))
        name = spec.pv_id
        self._poller = Poller(name, self._poll, period_s=period_s, clock=clock, wake=wake)
        self._tolerance_w = _TOLERANCE * spec.rated_w
        self._setpoint = LeasedSetpoint[float | None](
            name,
            self._write,
            excess_w,
            valid_for_s=lease_s,
            obedience=Obedience(tolerance_w=self._tolerance_w),
            clock=clock,
        )
        self._curtailment = Curtailment(self._unit, lease_s=float(lease_s))
        self._supervision = Supervision(self._unit, name, clock=clock)
        self._lapse = LapseBook(name, spec.lapse, lease_s=lease_s, clock=clock, memory=memory)
        self._limit_w: float | None = None
        self._asleep = self._faulted = False
        self._power = Reading.missing(clock.now())

    @property
    def spec(self) -> PvSpec:
        """What it is; `lapse` is what it has proved."""
        return replace(self._spec, lapse=self._lapse.lapse)

    @property
    def obeys(self) -> bool:
        """False while it generates more than the limit in force."""
        return self._setpoint.obeys

    @property
    def lapse_s(self) -> float | None:
        """Time after our death in which its limit has ended, s; None: it may stand for ever."""
        return self._lapse.within_s

    async def run(self) -> None:
        """Poll, and refresh the lease, until cancelled; the last limit is left to lapse."""
        await self._poller.run()

    def state(self, now: datetime) -> PvState:
        """The newest readings, aged to `now`; online means answering, alive and not in fault."""
        power_w = self._freshness.at(self._power, now)
        answers = power_w.quality not in (Quality.STALE, Quality.OFFLINE)
        return PvState(
            spec=self.spec,
            online=answers and not self._faulted,
            power_w=power_w,
            obeys=self.obeys,
            local=answers and self._supervision.local,
        )

    async def set_limit(self, setpoint: PvSetpoint) -> None:
        """Let the inverter generate at most `limit_w` (whole watts), or release it.

        Returns at once while it is known to hold it, or sleeps: many then take no writes, and make
        nothing. Raises as `Charger.set_limit`, and
        LocalControlError while somebody at the inverter has taken command.
        """
        self._supervision.require()
        if self._asleep and self.state(self._clock.now()).power_w.quality.usable:
            self._setpoint.doubt()  # what it forgets at night it is told when it wakes
            return
        limit_w = setpoint.limit_w
        whole_w = None if limit_w is None else float(math.floor(limit_w))
        await self._setpoint.ask(whole_w, setpoint.cause)

    async def _poll(self) -> None:
        await self._lapse.load()
        at = self._clock.now()
        read = await self._unit.read(MEASUREMENT, Priority.FAST)
        if await self._supervision.poll():
            self._setpoint.doubt()  # whoever was there may have left another one
        self._power = power(read, at, idle_w=self._tolerance_w)
        self._asleep = idle(read) and self._power.quality.usable
        self._faulted = faulted(read) or not self._supervision.alive
        measured_w = self._power.value
        if self._supervision.local or self._faulted:
            self._lapse.told(None)  # what it does now is not its timer's doing
        elif measured_w is not None:
            follows = excess_w(self._limit_w, measured_w) <= self._tolerance_w
            await self._lapse.observe(follows=follows, telling=not follows)  # it may lack sun
        if not (self._supervision.local or self._asleep):
            self._setpoint.judge(measured_w)
            await self._setpoint.refresh()

    async def _write(self, limit_w: float | None) -> None:
        """Write and read back."""
        before_w, self._limit_w = self._limit_w, limit_w
        falls = limit_w is not None and (before_w is None or limit_w < before_w)
        self._lapse.told(limit_w)  # it may arrive unanswered
        try:
            timer = await self._curtailment.write(
                limit_w, Priority.SAFETY if falls else Priority.CONTROL
            )
        except PermanentError:
            self._lapse.told(None)
            raise
        if limit_w is not None:
            self._lapse.claims(timer)


def excess_w(limit_w: float | None, measured_w: float) -> float:
    """Generation above the limit, W; generation is negative in `measured_w`."""
    return 0.0 if limit_w is None else max(0.0, -measured_w - limit_w)
